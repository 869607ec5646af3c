/** How an act is turned down: its refusal is a row of its own, and outside of enforced mode it may be no more than that. */
import { Effect } from "effect"
import type { Row } from "../audit/index.ts"
import { type Call, fail, keyOf, type Named, payload, unavailable } from "./Call.ts"
import type * as Mode from "./Mode.ts"
import { type GovernorError, layers, Refused } from "./Refusal.ts"
import { closedAt } from "./Session.ts"
import type { Store, StoreError } from "./Store.ts"

/** The refusals of one Governor. */
export type Refusals = ReturnType<typeof make>

/** Over a store, in one mode. */
export const make = (store: Store["Service"], mode: Mode.Mode) => {
  const stored = <A>(action: Named, effect: Effect.Effect<A, StoreError>) =>
    Effect.catch(effect, (error) => unavailable(action, error, false))

  const note = (action: Named, call: Call, body: Row.Body) =>
    Effect.asVoid(stored(
      action,
      store.commit({
        _tag: "Append",
        session: call.session.id,
        epoch: call.session.epoch,
        row: { key: keyOf(call), body },
        payloads: [payload(call.hash, call.text)],
        status: null,
        result: null
      })
    ))

  const refusal = (action: Named, call: Call, layer: string, reason: string, ran: boolean) =>
    note(action, call, { kind: "refusal", act: action.name, layer, reason, args: call.hash, ran })

  const violation = (action: Named, call: Call, layer: string, detail: string) =>
    mode === "disabled" ? Effect.void : refusal(action, call, layer, detail, true)

  /** Records the refusal, then fails; in `warn` records it and goes on; in `disabled` goes on. */
  const refuse = (action: Named, call: Call, refused: Refused): Effect.Effect<void, GovernorError> =>
    mode === "enforced"
      ? Effect.andThen(refusal(action, call, refused.layer, refused.detail, false), fail(action, refused))
      : violation(action, call, refused.layer, refused.detail)

  /** What a session before this one was refused and never did is refused here as well, in every mode. */
  const reopened = (action: Named, call: Call): Effect.Effect<void, GovernorError> => {
    const before = closedAt(call.session, keyOf(call))
    if (before === undefined || before.act !== action.name || before.args !== call.hash) return Effect.void
    const { reason } = before
    const layer = layers.find((name) => name === before.layer) ?? "session"
    const refused = new Refused({ layer, detail: reason, remedy: "fork from a row before it was refused" })
    return Effect.andThen(refusal(action, call, layer, reason, false), fail(action, refused))
  }

  /** A commit that would have let the act start failed: the act did not run. */
  const stopped = (action: Named, call: Call, error: StoreError): Effect.Effect<never, GovernorError> => {
    const refused = rejected(error)
    if (refused === undefined) return unavailable(action, error, false)
    // A fenced run may not write, not even that it was refused.
    if (refused.layer === "session") return fail(action, refused)
    return Effect.andThen(refusal(action, call, refused.layer, refused.detail, false), fail(action, refused))
  }

  return { note, refuse, reopened, stopped, stored, violation }
}

/** The layer that a check inside the transaction stands for. */
export const rejected = ({ reason }: StoreError): Refused | undefined => {
  if (reason._tag !== "Rejected") return undefined
  const { detail } = reason
  switch (reason.why) {
    case "over_budget":
      return new Refused({ layer: "budget", detail, remedy: "raise the ceiling, or ask for less" })
    case "revoked":
      return new Refused({ layer: "token", detail, remedy: "dispatch a new session with a valid token" })
    case "ancestor_revoked":
      return new Refused({ layer: "ancestor", detail, remedy: "dispatch a new session with a valid token" })
    case "ticket_unusable":
      return new Refused({ layer: "approval", detail, remedy: "ask for a new approval" })
    case "denied":
      return new Refused({ layer: "approval", detail, remedy: "a denial is final for these arguments in this session" })
    case "too_many_pending":
      return new Refused({ layer: "approval", detail, remedy: "decide about the tickets that wait" })
    case "fenced":
    case "already_begun":
    case "no_such_session":
      return new Refused({ layer: "session", detail, remedy: "let the newer run go on" })
    default:
      return undefined
  }
}
