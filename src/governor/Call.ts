/** One act on its way through the Governor: what was asked for, at which place, and which attempt at it this is. */
import { Context, Effect, type Schema } from "effect"
import type { Rule, Ticket } from "../approval/index.ts"
import type { Digest, Log } from "../audit/index.ts"
import type { Action, Outcome } from "./Action.ts"
import * as Lost from "./Lost.ts"
import { GovernorError, LogUnavailable, OutcomeUnknown, Refused } from "./Refusal.ts"
import { Entered, isInnermost, Session } from "./Session.ts"
import { type Payload, type Rejected, StoreError } from "./Store.ts"

export type Named = { readonly name: string }

/** What consent depends on. */
export type Weighed =
  & Named
  & Pick<
    Action<never, never, never, never>,
    "description" | "capabilities" | "reversible" | "reserve" | "schema" | "reasons"
  >

/** A ticket or one use of a rule, with the hash of what people agreed to. */
export interface Agreed {
  readonly ticket?: { readonly id: Ticket.TicketId; readonly binding: Digest.Hash }
  readonly rule?: { readonly id: Rule.RuleId; readonly binding: Digest.Hash }
}

/** An act with its arguments read and its place taken; the rest says which attempt at it is under way. */
export interface Call {
  readonly session: Entered
  readonly place: string
  /** Its arguments as they are kept: canonical, without secrets. */
  readonly text: string
  /** Its arguments. */
  readonly json: Schema.Json
  /** Of `text`. */
  readonly hash: Digest.Hash
  readonly hasSecrets: boolean
  /** Its idempotency key. */
  readonly identity: () => string
  attempt: number
  /** When the first attempt began, epoch milliseconds. */
  firstAt: number | undefined
  /** Key of the attempt that this one repeats, and that is still open. */
  after: string | null
  /** The approval that covers this attempt because it covered the one before. */
  covered: { readonly id: Ticket.TicketId; readonly binding: Digest.Hash } | null
  /** What the rules on labels say of it; `undefined` before they were asked. */
  flow: Flowed | undefined
}

/** What comes of rules on labels. */
export interface Flowed {
  /** Whether a person must agree, though the act can be undone. */
  readonly isAsked: boolean
  /** What of the arguments is not as the rules ask, for whoever decides. */
  readonly provenance: ReadonlyArray<string>
}

/** An attempt that may have taken effect: `seq` of its intent, the definition it was made under, and what is known. */
export interface LostAttempt {
  readonly intent: number
  readonly schema: Digest.Hash
  readonly why: string
}

export type Performed<A> =
  | { readonly _tag: "Outcome"; readonly outcome: Outcome<A> }
  | { readonly _tag: "Lost"; readonly lost: LostAttempt }

/** A probe acts in the name of the act that it looks for. */
export type Identified = { readonly identity?: () => string }

/** Binds to the session's token, and to arguments that hold secrets. Whoever does not have the token learns nothing. */
export const sealOf = (digest: Digest.Digest["Service"], { hasSecrets, json, session }: Call): Digest.Hash =>
  digest.sha256(hasSecrets ? digest.canonical(["arguments", session.token, json]) : session.token)

export const keyOf = ({ attempt, place }: Call): string => Lost.keyOf(place, attempt)

/** Goes on to the next attempt. One whose end was written, and that left nothing open, is closed already. */
export const again = (call: Call, covered: Call["covered"] = null, isClosed = false): undefined => {
  call.after = isClosed ? null : keyOf(call)
  call.covered = covered
  call.attempt++
}

export const payload = (hash: Digest.Hash, text: string): Payload => ({ hash, text })

export const fail = (action: Named, reason: GovernorError["reason"]): Effect.Effect<never, GovernorError> =>
  Effect.fail(new GovernorError({ act: action.name, reason }))

export const unknown = (action: Named, call: Call, detail: string) =>
  fail(
    action,
    new OutcomeUnknown({ key: keyOf(call), detail, remedy: "look at what the act did, then dispatch again" })
  )

export const unavailable = (
  action: Named,
  error: StoreError | Log.LogError,
  ran: boolean
): Effect.Effect<never, GovernorError> => {
  const { detail, remedy } = error instanceof StoreError
    ? error.reason._tag === "Unavailable" ? error.reason : { detail: error.reason.detail, remedy: "dispatch again" }
    : error
  return fail(action, new LogUnavailable({ ran, detail, remedy }))
}

export const isRejected = (error: StoreError): error is StoreError & { readonly reason: Rejected } =>
  error.reason._tag === "Rejected"

/** The session that runs here; one that `enter` did not make, or that is another, is refused before anything else. */
export const entered = (action: Named): Effect.Effect<Entered, GovernorError, Session> =>
  Effect.contextWith((context: Context.Context<Session>) => {
    const session = Context.get(context, Session)
    if (!Entered.isEntered(session)) {
      return fail(
        action,
        new Refused({ layer: "session", detail: "the session was not entered", remedy: "use a runner" })
      )
    }
    if (!isInnermost(session, context)) {
      const detail = `session ${session.id} is not the one that runs here`
      return fail(action, new Refused({ layer: "session", detail, remedy: "let each session act for itself" }))
    }
    return Effect.succeed(session)
  })
