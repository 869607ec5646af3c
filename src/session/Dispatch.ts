/**
 * Opens sessions, runs them, and runs them again: after a decision, after a crash. A session is opened with its token, its
 * budget and its genesis row in one commit; it ends with a result, or waits and holds nothing.
 */
import { Cause, Clock, Context, Effect, Exit, Layer, Option, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { Actor, ActorError } from "../actor/index.ts"
import type { Ticket } from "../approval/index.ts"
import { Digest, Log, type Row } from "../audit/index.ts"
import { Capability, Claims, type Fits, type Grant, Tokens } from "../capability/index.ts"
import {
  enter,
  type Entered,
  Governor,
  GovernorError,
  Refusal,
  running,
  Session,
  Store,
  within
} from "../governor/index.ts"
import { type Plain, Tool } from "../tool/index.ts"
import { Redact } from "../trust/index.ts"

/** No actor of that class is registered here. */
export class NoSuchActor extends Schema.TaggedError<NoSuchActor>()("NoSuchActor", {
  actor: Schema.String,
  known: Schema.Array(Schema.String)
}) {}
/** There is no such session. */
export class NoSuchSession extends Schema.TaggedError<NoSuchSession>()("NoSuchSession", { session: Schema.String }) {}
/** The input does not fit the actor. No session was opened. */
export class BadInput extends Schema.TaggedError<BadInput>()("BadInput", { detail: Schema.String }) {}
/** The log did not answer; what was acknowledged before is safe. */
export class Unrecorded extends Schema.TaggedError<Unrecorded>()("Unrecorded", {
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** An actor tried to open a root session. It may spawn a child instead. */
export class InsideActor extends Schema.TaggedError<InsideActor>()("InsideActor", { session: Schema.String }) {}
/** The one error of this module. A run that fails is not one: that is an `Ended`. */
export class DispatchError extends Schema.TaggedError<DispatchError>()("DispatchError", {
  reason: Schema.Union([NoSuchActor, NoSuchSession, BadInput, Unrecorded, InsideActor])
}) {
  override get message(): string {
    const { reason } = this
    switch (reason._tag) {
      case "NoSuchActor":
        return `no actor ${reason.actor} is registered; known: ${reason.known.join(", ") || "none"}`
      case "NoSuchSession":
        return `there is no session ${reason.session}`
      case "BadInput":
        return `the input does not fit: ${reason.detail}`
      case "Unrecorded":
        return `${reason.detail}; ${reason.remedy}`
      case "InsideActor":
        return `session ${reason.session} may not open a root session; spawn a child`
    }
  }
}

/** How a run ended, for now. */
export type Ended<Out> =
  | { readonly _tag: "Succeeded"; readonly session: Claims.SessionId; readonly output: Out }
  | { readonly _tag: "Waiting"; readonly session: Claims.SessionId; readonly ticket: Ticket.TicketId }
  | {
    readonly _tag: "Failed"
    readonly session: Claims.SessionId
    readonly detail: string
    readonly abandoned: boolean
  }

/** What goes with a dispatch. */
export interface Order<Held extends string, Caps extends string> {
  readonly grant: Grant<Held> & Fits<Caps, Held>
  /** Who asks; an account and the chain carry the name. */
  readonly caller: string
}

/** Ceilings of the accounts that sessions share, micro-dollars. */
export interface Ceilings {
  readonly caller: number
  readonly class: number
}
/** A hundred dollars for each caller and each class, until an operator says otherwise. */
export const CurrentCeilings = Context.Reference<Ceilings>("aosiq/session/Ceilings", {
  defaultValue: () => ({ caller: 100_000_000, class: 100_000_000 })
})

/** Runs actors. */
export class Dispatch extends Context.Service<Dispatch, {
  /** Opens a session and runs it until it ends or waits. */
  readonly start: <Name extends string, In extends Plain, Out extends Plain, Caps extends string, Held extends string>(
    actor: Actor.Class<Name, In, Out, Caps>,
    input: In["Type"],
    order: Order<Held, Caps>
  ) => Effect.Effect<Ended<Out["Type"]>, DispatchError, Actor.Registered<Name>>
  /** Runs a session again from its top, answered from its log. One that has ended is not run: its end is told again. */
  readonly resume: (id: Claims.SessionId) => Effect.Effect<Ended<unknown>, DispatchError>
  /** Resumes every root session that was running, or whose tickets were decided, when its process ended. */
  readonly recover: Effect.Effect<ReadonlyArray<Ended<unknown>>, DispatchError>
}>()("aosiq/session/Dispatch") {}

/** The dispatcher, and with it the spawner that actors start children through. */
export const layer: Layer.Layer<
  Dispatch | Actor.Spawner,
  never,
  Store.Store | Log.Log | Tokens.Tokens | Digest.Digest | SecureRandom.SecureRandom | Governor | Actor.Registry
> = Layer.unwrap(
  Effect.gen(function*() {
    const store = yield* Store.Store
    const log = yield* Log.Log
    const tokens = yield* Tokens.Tokens
    const digest = yield* Digest.Digest
    const random = yield* SecureRandom.SecureRandom
    const governor = yield* Governor
    const registry = yield* Actor.Registry
    const ceilings = yield* CurrentCeilings
    const services = Context.make(Store.Store, store).pipe(Context.add(Log.Log, log))

    /** One commit: control block, accounts, genesis. */
    const open = Effect.fnUntraced(function*(opening: Opening) {
      const { accounts, actor, claims, json } = opening
      const text = digest.canonical(json)
      const input = digest.sha256(text)
      const token = yield* tokens.mint(claims)
      const genesis: Row.Draft = {
        key: null,
        body: {
          kind: "genesis",
          actor: actor.name,
          token: claims.jti,
          parent: opening.parent,
          caller: opening.caller,
          mode: governor.mode,
          input,
          definition: Tool.definitionHash(digest, actor.tool)
        }
      }
      const session: Log.Summary = {
        id: claims.sid,
        actor: actor.name,
        parent: opening.parent,
        caller: opening.caller,
        accounts: accounts.map((account) => account.id),
        status: "running",
        epoch: 0,
        seq: 0,
        head: Digest.zero,
        token,
        input,
        result: null,
        startedAt: yield* Clock.currentTimeMillis
      }
      const payloads = [{ hash: input, text }]
      yield* Effect.mapError(store.commit({ _tag: "Open", session, genesis, accounts, payloads }), unrecorded)
    })

    const start = Effect.fnUntraced(function*(
      actor: Actor.AnyClass,
      input: unknown,
      order: { readonly grant: Grant<string>; readonly caller: string }
    ) {
      const [inside] = yield* Effect.contextWith((context: Context.Context<never>) => Effect.succeed(running(context)))
      if (inside !== undefined) return yield* fail(new InsideActor({ session: inside }))
      const json = yield* Effect.mapError(
        Tool.codec(actor.input).encode(input),
        (detail) => new DispatchError({ reason: new BadInput({ detail }) })
      )
      const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
      const { grant } = order
      const capabilities = meet(grant.names, actor.capabilities)
      const sid = Claims.SessionId.make(`ses_${yield* random.ulid}`)
      const claims: Claims.Claims = {
        iss: tokens.issuer,
        aud: tokens.audience,
        sub: actor.name,
        sid,
        jti: Claims.TokenId.make(`tok_${yield* random.ulid}`),
        anc: [],
        iat: now,
        exp: now + grant.terms.lifetimeSeconds,
        depth: grant.terms.depth,
        capabilities,
        backends: Capability.backendsOf(capabilities),
        budget: grant.terms.budgetMicroUsd,
        limits: grant.terms.limits
      }
      const accounts = [
        { id: `session:${sid}`, ceiling: claims.budget },
        { id: `class:${actor.name}`, ceiling: ceilings.class },
        { id: `caller:${order.caller}`, ceiling: ceilings.caller }
      ]
      yield* open({ actor, claims, json, accounts, parent: null, caller: order.caller })
      return yield* run(sid)
    })

    /** The child of the act at the session's path: the same child in every run of the parent. */
    const spawn = Effect.fnUntraced(function*(
      child: Actor.AnyClass,
      input: unknown,
      grant: Grant<string> | undefined
    ) {
      const parent = yield* Session
      const sid = Claims.SessionId.make(`${parent.id}.${digest.sha256(parent.path).slice(0, 8)}`)
      const known = yield* Effect.mapError(log.session(sid), lost(child))
      if (Option.isNone(known)) yield* beget(parent, sid, child, input, grant)
      const ended = yield* Effect.mapError(run(sid), lost(child))
      switch (ended._tag) {
        case "Succeeded":
          return ended.output
        case "Failed":
          return yield* new ActorError({ actor: child.name, detail: ended.detail, abandoned: ended.abandoned })
        case "Waiting":
          return yield* waiting(child, ended.ticket)
      }
    })

    const beget = Effect.fnUntraced(function*(
      parent: Entered,
      sid: Claims.SessionId,
      child: Actor.AnyClass,
      input: unknown,
      grant: Grant<string> | undefined
    ) {
      const refuse = (detail: string, remedy: string) =>
        new GovernorError({ act: child.tool.name, reason: new Refusal.Refused({ layer: "token", detail, remedy }) })
      const above = yield* Effect.mapError(
        tokens.verify(parent.token, parent.id),
        (error) => refuse(error.reason.detail, "dispatch the parent again")
      )
      const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
      const wanted = names(child.capabilities)
      const claims = yield* Effect.mapError(
        Effect.fromResult(Claims.narrow(above, {
          sub: child.name,
          sid,
          jti: Claims.TokenId.make(`tok_${yield* random.ulid}`),
          iat: now,
          capabilities: grant === undefined ? wanted : meet(grant.names, wanted),
          backends: child.backends,
          ...(grant === undefined ? {} : {
            budget: grant.terms.budgetMicroUsd,
            depth: grant.terms.depth,
            limits: grant.terms.limits,
            exp: now + grant.terms.lifetimeSeconds
          })
        })),
        () => refuse("no further delegation is allowed", "dispatch with a grant of greater depth")
      )
      const json = yield* Effect.mapError(
        Tool.codec(child.input).encode(input),
        (detail) => new ActorError({ actor: child.name, detail, abandoned: false })
      )
      const own = { id: `session:${sid}`, ceiling: claims.budget }
      const kind = { id: `class:${child.name}`, ceiling: ceilings.class }
      // The parent's accounts exist, and keep their own ceilings.
      const inherited = parent.accounts.filter((id) => id !== kind.id).map((id) => ({ id, ceiling: 0 }))
      const accounts = [own, kind, ...inherited]
      const opening = { actor: child, claims, json, accounts, parent: parent.id, caller: parent.caller }
      yield* Effect.mapError(open(opening), lost(child))
    })

    const run = Effect.fnUntraced(function*(id: Claims.SessionId): Effect.fn.Return<Ended<unknown>, DispatchError> {
      const summary = yield* Effect.mapError(log.session(id), unrecorded)
      if (Option.isNone(summary)) return yield* fail(new NoSuchSession({ session: id }))
      const runnable = yield* registry.get(summary.value.actor)
      if (runnable === undefined) {
        return yield* fail(new NoSuchActor({ actor: summary.value.actor, known: yield* registry.names }))
      }
      const told = yield* retell(runnable.class, summary.value)
      if (told !== undefined) return told
      const input = yield* stored(runnable.class.input, summary.value.input)
      const entered = yield* Effect.mapError(
        Effect.provideContext(
          enter(id, { ...runnable.class, capabilities: names(runnable.class.capabilities) }),
          services
        ),
        unrecorded
      )
      yield* noteMode(entered)
      const exit = yield* Effect.exit(within(entered)(runnable.run(input)))
      return yield* conclude(runnable.class, entered, exit)
    })

    /** A session that goes on in another mode than it began, or last went on, says so in its chain. */
    const noteMode = Effect.fnUntraced(function*(session: Entered) {
      if (session.epoch === 1) return
      const rows = yield* Effect.mapError(log.rows(session.id), unrecorded)
      const modes = rows.flatMap(({ body }) =>
        body.kind === "genesis" ? [body.mode] : body.kind === "noted" && body.what === "mode" ? [body.detail] : []
      )
      if (modes.at(-1) === governor.mode) return
      const body: Row.Body = { kind: "noted", what: "mode", by: session.caller, detail: governor.mode }
      yield* append(session, body, "running", [], null)
    })

    /** What a session that has ended came to. */
    const retell = Effect.fnUntraced(function*(actor: Actor.AnyClass, summary: Log.Summary) {
      if (summary.status === "running" || summary.status === "waiting") return undefined
      if (summary.status === "succeeded" && summary.result !== null) {
        const output = yield* stored(actor.output, summary.result)
        return { _tag: "Succeeded" as const, session: summary.id, output }
      }
      const rows = yield* Effect.mapError(log.rows(summary.id), unrecorded)
      const detail = rows.flatMap(({ body }) => body.kind === "ended" ? [body.reason] : []).at(-1) ?? summary.status
      return { _tag: "Failed" as const, session: summary.id, detail, abandoned: summary.status === "abandoned" }
    })

    const stored = Effect.fnUntraced(function*(schema: Plain, hash: Digest.Hash) {
      const text = yield* Effect.mapError(log.payload(hash), unrecorded)
      if (Option.isNone(text) || digest.sha256(text.value) !== hash) {
        const detail = `the payload ${hash} was erased or altered`
        return yield* fail(new Unrecorded({ detail, remedy: "restore it from a backup" }))
      }
      const json = JSON.parse(text.value) as Schema.Json // Hash-checked above.
      return yield* Effect.mapError(
        Tool.codec(schema).decode(json),
        (detail) => new DispatchError({ reason: new BadInput({ detail }) })
      )
    })

    const conclude = Effect.fnUntraced(function*(
      actor: Actor.AnyClass,
      session: Entered,
      exit: Exit.Exit<unknown, ActorError | GovernorError>
    ): Effect.fn.Return<Ended<unknown>, DispatchError> {
      if (Exit.isSuccess(exit)) {
        const encoded = yield* Effect.result(Tool.codec(actor.output).encode(exit.value))
        if (encoded._tag === "Failure") return yield* failed(session, `its result does not fit: ${encoded.failure}`)
        const text = digest.canonical(encoded.success)
        const result = digest.sha256(text)
        const body: Row.Body = { kind: "ended", status: "succeeded", result, reason: "" }
        yield* append(session, body, "succeeded", [{ hash: result, text }], result)
        return { _tag: "Succeeded", session: session.id, output: exit.value }
      }
      const error = Cause.findErrorOption(exit.cause)
      if (Option.isNone(error)) {
        // A run that is interrupted has not ended: it goes on from its log.
        if (Cause.hasInterruptsOnly(exit.cause)) return yield* Effect.interrupt
        return yield* failed(session, `it broke down: ${Redact.preview(String(Cause.squash(exit.cause)))}`)
      }
      if (error.value instanceof ActorError) return yield* failed(session, error.value.detail, error.value.abandoned)
      const { reason } = error.value
      if (reason._tag === "AwaitingApproval") {
        yield* append(session, { kind: "suspended", ticket: reason.ticket }, "waiting", [], null)
        return { _tag: "Waiting", session: session.id, ticket: reason.ticket }
      }
      const fenced = reason._tag === "Refused" && reason.layer === "session"
      if (reason._tag === "LogUnavailable" || fenced) {
        return yield* fail(new Unrecorded({ detail: Refusal.explain(reason), remedy: "resume the session" }))
      }
      return yield* failed(session, error.value.message)
    })

    const failed = Effect.fnUntraced(function*(session: Entered, reason: string, abandoned = false) {
      const status = abandoned ? "abandoned" as const : "failed" as const
      const detail = Redact.redact(reason)
      yield* append(session, { kind: "ended", status, result: null, reason: detail }, status, [], null)
      return { _tag: "Failed" as const, session: session.id, detail, abandoned }
    })

    const append = (
      session: Entered,
      body: Row.Body,
      status: Log.Status,
      payloads: ReadonlyArray<Store.Payload>,
      result: Digest.Hash | null
    ) =>
      Effect.mapError(
        store.commit({
          _tag: "Append",
          session: session.id,
          epoch: session.epoch,
          row: { key: null, body },
          payloads,
          status,
          result
        }),
        unrecorded
      )

    const resume = Effect.fnUntraced(function*(id: Claims.SessionId) {
      let root = id
      for (let hops = 0; hops < maxDepth; hops++) {
        const summary = yield* Effect.mapError(log.session(root), unrecorded)
        if (Option.isNone(summary)) return yield* fail(new NoSuchSession({ session: root }))
        if (summary.value.parent === null) break
        root = summary.value.parent
      }
      return yield* run(root)
    })

    const recover = Effect.gen(function*() {
      const sessions = yield* Effect.mapError(log.sessions, unrecorded)
      const tickets = yield* Effect.mapError(store.tickets(), unrecorded)
      const decided = new Set(
        tickets.filter((ticket) => ticket.state === "approved" || ticket.state === "denied")
          .map((ticket) => ticket.session.split(".")[0])
      )
      const due = sessions.filter((session) =>
        session.parent === null &&
        (session.status === "running" || (session.status === "waiting" && decided.has(session.id)))
      )
      return yield* Effect.forEach(due, (session) => run(session.id))
    })

    return Layer.mergeAll(
      // The typed surface is checked at the call; inside, actors are erased.
      Layer.succeed(Dispatch, { start: start as never, resume, recover }),
      Layer.succeed(Actor.Spawner, { spawn })
    )
  })
)

// internal

interface Opening {
  readonly actor: Actor.AnyClass
  readonly claims: Claims.Claims
  readonly json: Schema.Json
  readonly accounts: ReadonlyArray<{ readonly id: string; readonly ceiling: number }>
  readonly parent: Claims.SessionId | null
  readonly caller: string
}

/** Longest chain of parents that is followed. */
const maxDepth = 64

const fail = (reason: DispatchError["reason"]) => Effect.fail(new DispatchError({ reason }))

const unrecorded = (error: Store.StoreError | Log.LogError): DispatchError => {
  const { detail, remedy } = error instanceof Log.LogError
    ? error
    : error.reason._tag === "Unavailable"
    ? error.reason
    : { detail: error.reason.detail, remedy: "resume the session" }
  return new DispatchError({ reason: new Unrecorded({ detail, remedy }) })
}

/** A child that could not be recorded: the parent's act did not come to an outcome. */
const lost = (child: Actor.AnyClass) => (error: DispatchError | Log.LogError) => {
  const detail = error instanceof Log.LogError ? error.detail : error.message
  return new GovernorError({
    act: child.tool.name,
    reason: new Refusal.LogUnavailable({ ran: true, detail, remedy: "resume the session" })
  })
}

const waiting = (child: Actor.AnyClass, ticket: Ticket.TicketId) =>
  new GovernorError({
    act: child.tool.name,
    reason: new Refusal.AwaitingApproval({ ticket, remedy: `aosiq approvals approve ${ticket}` })
  })

const names = (capabilities: ReadonlyArray<string>) => capabilities.filter(Capability.isName)

const meet = (
  held: ReadonlyArray<Capability.Name>,
  wanted: ReadonlyArray<string>
): ReadonlyArray<Capability.Name> => [
  ...new Set(names(wanted).flatMap((want) => held.flatMap((have) => Capability.intersect(have, want) ?? [])))
]
