/**
 * Opens sessions, has them run, and has them run again: after a decision, after a crash. A session is opened with its
 * token, its budget and its genesis row in one commit; it ends with a result, or waits and holds nothing.
 */
import { Clock, Context, Effect, Layer, Option, type Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { Actor, ActorError } from "../actor/index.ts"
import { Digest, Log } from "../audit/index.ts"
import { Claims, type Fits, type Grant, type Tokens } from "../capability/index.ts"
import { type Governor, GovernorError, Refusal, Session, Store, Transition } from "../governor/index.ts"
import { type Plain, Tool } from "../tool/index.ts"
import {
  BadInput,
  type DispatchError,
  type Ended,
  failWith,
  InsideActor,
  NoSuchActor,
  NoSuchSession,
  NotPossible
} from "./Ended.ts"
import { Mailbox } from "./Mailbox.ts"
import { type Authority, type Forked, inputOf, isOpened, opening } from "./Opening.ts"
import { outside } from "./Outside.ts"
import { Runs, unrecorded } from "./Runs.ts"
import { lost, paused, unsettled, waiting } from "./Unended.ts"

export { DispatchError, type Ended } from "./Ended.ts"
export { type Authority, type Ceilings, CurrentCeilings, inputOf } from "./Opening.ts"

/** What goes with a dispatch. */
export interface Order<Held extends string, Caps extends string> {
  readonly grant: Grant<Held> & Fits<Caps, Held>
  /** Who asks; an account and the chain carry the name. */
  readonly caller: string
}

/** A session to open under a name of the caller's own, by the name of its class. */
export interface Opening {
  readonly session: Claims.SessionId
  readonly actor: string
  /** As the class's schema encodes it. */
  readonly input: Schema.Json
  readonly grant: Authority
  readonly caller: string
}

/** A session to fork from another, under a name of the caller's own. */
export interface Forking extends Forked {
  readonly origin: Claims.SessionId
}

/** An operator's word about a session. */
export interface Control {
  readonly session: Claims.SessionId
  readonly by: string
  readonly reason: string
}

/** Runs actors. */
export class Dispatch extends Context.Service<Dispatch, {
  /** Opens a session and runs it until it ends or waits. */
  readonly start: <Name extends string, In extends Plain, Out extends Plain, Caps extends string, Held extends string>(
    actor: Actor.Class<Name, In, Out, Caps>,
    input: In["Type"],
    order: Order<Held, Caps>
  ) => Effect.Effect<Ended<Out["Type"]>, DispatchError, Actor.Registered<Name>>
  /**
   * Opens a root session and has it run; `false` when there was one of that name, which is left as it is. What was
   * accepted runs, in this process or another.
   */
  readonly open: (opening: Opening) => Effect.Effect<boolean, DispatchError>
  /**
   * Opens a session that goes on from a row of another and has it run; `false` when it was opened before. What the other
   * did by then is answered from its log; its token, budget and time are the origin's or less.
   */
  readonly fork: (forking: Forking) => Effect.Effect<boolean, DispatchError>
  /**
   * Runs a session's tree again, answered from its log. One that has ended is not run: its end is told again. The same
   * `reason` is one run, whoever gives it; without one, it is a run of its own.
   */
  readonly resume: (id: Claims.SessionId, reason?: string) => Effect.Effect<Ended<unknown>, DispatchError>
  /** Runs every tree of sessions that is due, or that was running when its process ended. */
  readonly recover: Effect.Effect<ReadonlyArray<Ended<unknown>>, DispatchError>
  /** Ends a session and all below it. What is under way comes to its outcome; nothing else begins. */
  readonly cancel: (order: Control) => Effect.Effect<Log.Summary, DispatchError>
  /** Stops a session's whole tree between two acts, until `unpause`. */
  readonly pause: (order: Control) => Effect.Effect<Log.Summary, DispatchError>
  /** Lets a paused tree go on; it is told to run, wherever that is. */
  readonly unpause: (order: Control) => Effect.Effect<Log.Summary, DispatchError>
}>()("aosiq/session/Dispatch") {}

/** The dispatcher, and with it the spawner that actors start children through. */
export const layer: Layer.Layer<
  Dispatch | Actor.Spawner,
  never,
  | Mailbox
  | Runs
  | Store.Store
  | Log.Log
  | Tokens.Tokens
  | Digest.Digest
  | SecureRandom.SecureRandom
  | Governor
  | Actor.Registry
> = Layer.unwrap(
  Effect.gen(function*() {
    const store = yield* Store.Store
    const log = yield* Log.Log
    const digest = yield* Digest.Digest
    const random = yield* SecureRandom.SecureRandom
    const registry = yield* Actor.Registry
    const mailbox = yield* Mailbox
    const runs = yield* Runs
    const opens = yield* opening

    const asCaller = outside((session) => failWith(new InsideActor({ session })))

    const classOf = Effect.fnUntraced(function*(name: string) {
      const runnable = yield* registry.get(name)
      if (runnable === undefined) return yield* failWith(new NoSuchActor({ actor: name, known: yield* registry.names }))
      return runnable.class
    })

    const start = Effect.fnUntraced(function*(
      actor: Actor.AnyClass,
      input: unknown,
      order: { readonly grant: Grant<string>; readonly caller: string }
    ) {
      const json = yield* Effect.mapError(inputOf(actor, input), (detail) => failWith(new BadInput({ detail })))
      const session = Claims.SessionId.make(`ses_${yield* random.ulid}`)
      yield* Effect.mapError(opens.root(actor, { session, json, ...order }), unrecorded)
      return yield* run(actor.name, session, "start")
    }, asCaller)

    const open = Effect.fnUntraced(function*({ actor: name, input, session, ...order }: Opening) {
      const actor = yield* classOf(name)
      const decoded = Tool.codec(actor.input).decode(input)
      const json = yield* Effect.mapError(
        Effect.flatMap(decoded, (value) => inputOf(actor, value)),
        (detail) => failWith(new BadInput({ detail }))
      )
      const isNew = yield* isOpened(opens.root(actor, { session, json, ...order }))
      yield* mailbox.tell({ actor: name, session, reason: "start" })
      return isNew
    }, asCaller)

    const fork = Effect.fnUntraced(function*({ origin, ...forked }: Forking) {
      const found = yield* Effect.mapError(log.session(origin), unrecorded)
      if (Option.isNone(found)) return yield* failWith(new NoSuchSession({ session: origin }))
      const actor = yield* classOf(found.value.actor)
      const isNew = yield* opens.fork(actor, found.value, forked)
      yield* mailbox.tell({ actor: actor.name, session: forked.session, reason: "start" })
      return isNew
    }, asCaller)

    /** The child of the act at the session's path: the same child in every run of the parent. */
    const spawn = Effect.fnUntraced(function*(
      child: Actor.AnyClass,
      input: unknown,
      grant: Grant<string> | undefined
    ) {
      const parent = yield* Session
      const sid = Claims.SessionId.make(`${parent.id}.${digest.sha256(parent.path).slice(0, 8)}`)
      const known = yield* Effect.mapError(log.session(sid), lost(child))
      if (Option.isNone(known)) yield* opens.child(parent, child, { session: sid, input, grant })
      const reason = `spawn/${parent.epoch}/${parent.path}`
      const ended = yield* Effect.mapError(run(child.name, sid, reason), lost(child))
      switch (ended._tag) {
        case "Succeeded":
          return ended.output
        case "Failed":
          return yield* new ActorError({
            actor: child.name,
            detail: ended.detail,
            abandoned: ended.abandoned,
            ...(ended.stop === null ? {} : { stop: ended.stop }),
            ...(ended.partial === null ? {} : { partial: ended.partial })
          })
        case "Cancelled":
          return yield* new ActorError({ actor: child.name, detail: ended.detail, abandoned: false })
        case "Waiting":
          return yield* waiting(child, ended.ticket)
        case "Unsettled":
          return yield* unsettled(child, ended.unknown)
        case "Sleeping":
          return yield* new GovernorError({
            act: child.tool.name,
            reason: new Refusal.AwaitingTimer({ until: ended.until })
          })
        case "Paused":
          return yield* new GovernorError({ act: child.tool.name, reason: paused(sid) })
      }
    })

    /** Sends the session a message and gives how it stands when that was handled. */
    const run = Effect.fnUntraced(function*(actor: string, session: Claims.SessionId, reason: string) {
      yield* classOf(actor)
      yield* mailbox.ask({ actor, session, reason })
      return yield* runs.standing(session)
    })

    const resume = Effect.fnUntraced(function*(id: Claims.SessionId, reason?: string) {
      const root = Transition.rootOf(id)
      const summary = yield* Effect.mapError(log.session(root), unrecorded)
      if (Option.isNone(summary)) return yield* failWith(new NoSuchSession({ session: root }))
      const { actor, status } = summary.value
      if (status !== "running" && status !== "waiting") return yield* runs.standing(root)
      return yield* run(actor, root, reason ?? `resume/${yield* random.ulid}`)
    })

    const control = (action: Store.Control["action"]) =>
      Effect.fnUntraced(function*(order: Control) {
        const commit: Store.Control = { _tag: "Control", action, ...order }
        const { session } = yield* store.commit(commit).pipe(Effect.mapError((error) =>
          error.reason._tag === "Rejected"
            ? failWith(
              error.reason.why === "no_such_session"
                ? new NoSuchSession({ session: order.session })
                : new NotPossible({ detail: error.reason.detail })
            )
            : unrecorded(error)
        ))
        if (action === "resume") yield* mailbox.tell(woken(session))
        return session
      })

    const recover = Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      const due = yield* Effect.mapError(store.due(now, maxRecovered), unrecorded)
      const running = yield* Effect.mapError(store.running(maxRecovered), unrecorded)
      const sessions = new Map([...due, ...running].map(({ actor, session }) => [session, actor]))
      return yield* Effect.forEach(
        [...sessions],
        ([session, actor]) => Effect.flatMap(random.ulid, (id) => run(actor, session, `recover/${id}`))
      )
    })

    return Layer.mergeAll(
      // The typed surface is checked at the call; inside, actors are erased.
      Layer.succeed(Dispatch, {
        start: start as never,
        open,
        fork,
        resume,
        recover,
        cancel: control("cancel"),
        pause: control("pause"),
        unpause: control("resume")
      }),
      Layer.succeed(Actor.Spawner, { spawn })
    )
  })
)

// internal

/** Sessions that are recovered at once; the sweep finds the rest. */
const maxRecovered = 1000

/** The wake that the commit itself left, told at once. */
const woken = ({ actor, id, seq }: Log.Summary) => ({ actor, session: id, reason: `resumed/${seq}` })
