/**
 * Opens sessions, has them run, and has them run again: after a decision, after a crash. A session is opened with its
 * token, its budget and its genesis row in one commit; it ends with a result, or waits and holds nothing.
 */
import { Clock, Context, Effect, Layer, Option, type Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { Actor, ActorError } from "../actor/index.ts"
import { Digest, Lineage, Log, type Row } from "../audit/index.ts"
import { Capability, Claims, type Fits, type Grant, Tokens } from "../capability/index.ts"
import {
  type Entered,
  Governor,
  GovernorError,
  isTainted,
  memory,
  readersOf,
  Received,
  Refusal,
  Session,
  Store,
  Transition
} from "../governor/index.ts"
import { type Plain, Tool } from "../tool/index.ts"
import {
  BadInput,
  type DispatchError,
  type Ended,
  failWith,
  InsideActor,
  NoSuchActor,
  NoSuchSession,
  NotForkable,
  NotPossible
} from "./Ended.ts"
import * as Fork from "./Fork.ts"
import { why } from "./Installation.ts"
import { Mailbox } from "./Mailbox.ts"
import { outside } from "./Outside.ts"
import { Runs, unrecorded } from "./Runs.ts"
import { lost, paused, unsettled, waiting } from "./Unended.ts"

export { DispatchError, type Ended } from "./Ended.ts"

/** What goes with a dispatch. */
export interface Order<Held extends string, Caps extends string> {
  readonly grant: Grant<Held> & Fits<Caps, Held>
  /** Who asks; an account and the chain carry the name. */
  readonly caller: string
}

/** A grant whose names are known only at run time: no compiler has held it against what the class needs. */
export type Authority = Pick<Grant<string>, "names" | "terms">

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
export interface Forking extends Fork.From {
  readonly session: Claims.SessionId
  readonly origin: Claims.SessionId
  readonly grant: Authority
  readonly caller: string
}

/** An operator's word about a session. */
export interface Control {
  readonly session: Claims.SessionId
  readonly by: string
  readonly reason: string
}

/** Ceilings of the accounts that sessions share, micro-dollars. */
export interface Ceilings {
  readonly caller: number
  readonly class: number
  /** Ceilings of single accounts, by name: `class:Advisor`, `caller:ada`. */
  readonly accounts?: { readonly [id: string]: number } | undefined
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
    const tokens = yield* Tokens.Tokens
    const digest = yield* Digest.Digest
    const random = yield* SecureRandom.SecureRandom
    const governor = yield* Governor
    const registry = yield* Actor.Registry
    const ceilings = yield* CurrentCeilings
    const mailbox = yield* Mailbox
    const runs = yield* Runs

    /** An account that sessions share, as it is when it is opened. */
    const shared = (kind: "class" | "caller", name: string) => {
      const id = `${kind}:${name}`
      const own = Object.hasOwn(ceilings.accounts ?? {}, id) ? ceilings.accounts?.[id] : undefined
      return { id, ceiling: own ?? ceilings[kind] }
    }

    /** One commit: control block, accounts, genesis. */
    const commitOpen = Effect.fnUntraced(function*(opening: Parts) {
      const { accounts, actor, bounds, claims, json } = opening
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
          policy: governor.policy,
          input,
          definition: Tool.definitionHash(digest, actor.tool),
          ...(opening.readers.length === 0 ? {} : { readers: opening.readers }),
          ...(opening.isTainted ? { trust: "untrusted" as const } : {}),
          ...(opening.fork === undefined ? {} : { origin: opening.fork.origin })
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
      const origin = opening.fork === undefined ? undefined : {
        session: opening.fork.origin.session,
        row: { key: null, body: forked(opening.caller, claims.sid, opening.fork.origin.seq) },
        memory: opening.fork.memory
      }
      yield* store.commit({ _tag: "Open", session, genesis, accounts, payloads, bounds, origin })
    })

    const root = Effect.fnUntraced(function*(
      actor: Actor.AnyClass,
      sid: Claims.SessionId,
      json: Schema.Json,
      { caller, grant }: { readonly grant: Authority; readonly caller: string }
    ) {
      const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
      const capabilities = meet(grant.names, actor.capabilities)
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
        shared("class", actor.name),
        shared("caller", caller)
      ]
      yield* commitOpen({
        actor,
        claims,
        json,
        accounts,
        parent: null,
        caller,
        bounds: undefined,
        readers: [],
        isTainted: false
      })
    })

    const asCaller = outside((session) => failWith(new InsideActor({ session })))

    const start = Effect.fnUntraced(function*(
      actor: Actor.AnyClass,
      input: unknown,
      order: { readonly grant: Grant<string>; readonly caller: string }
    ) {
      const json = yield* Effect.mapError(inputOf(actor, input), (detail) => failWith(new BadInput({ detail })))
      const sid = Claims.SessionId.make(`ses_${yield* random.ulid}`)
      yield* Effect.mapError(root(actor, sid, json, order), unrecorded)
      return yield* run(actor.name, sid, "start")
    }, asCaller)

    const open = Effect.fnUntraced(function*({ actor: name, input, session, ...order }: Opening) {
      const runnable = yield* registry.get(name)
      if (runnable === undefined) return yield* failWith(new NoSuchActor({ actor: name, known: yield* registry.names }))
      const actor = runnable.class
      const decoded = Tool.codec(actor.input).decode(input)
      const json = yield* Effect.mapError(
        Effect.flatMap(decoded, (value) => inputOf(actor, value)),
        (detail) => failWith(new BadInput({ detail }))
      )
      const isNew = yield* root(actor, session, json, order).pipe(
        Effect.as(true),
        Effect.catch((error) =>
          why(error) === "session_exists" ? Effect.succeed(false) : Effect.fail(unrecorded(error))
        )
      )
      yield* mailbox.tell({ actor: name, session, reason: "start" })
      return isNew
    }, asCaller)

    const fork = Effect.fnUntraced(function*({ caller, grant, origin: of, session, ...from }: Forking) {
      const found = yield* Effect.mapError(log.session(of), unrecorded)
      if (Option.isNone(found)) return yield* failWith(new NoSuchSession({ session: of }))
      const runnable = yield* registry.get(found.value.actor)
      if (runnable === undefined) {
        return yield* failWith(new NoSuchActor({ actor: found.value.actor, known: yield* registry.names }))
      }
      const actor = runnable.class
      const rows = yield* Effect.mapError(log.rows(of), unrecorded)
      const { hash, seq } = yield* Effect.mapError(Effect.fromResult(Fork.pointOf(found.value, rows, from)), failWith)
      const past = rows.slice(0, seq + 1)
      const before = yield* Effect.mapError(Lineage.before(log, past), unrecorded)
      if (before.length + 1 >= Lineage.maxGenerations) {
        return yield* unforkable(`${of} is a fork of too many forks`, "fork one that is nearer to its beginning")
      }
      const above = yield* Effect.catch(
        tokens.verify(found.value.token, of),
        ({ reason }) => unforkable(`the token of ${of} holds no more: ${reason.detail}`, "dispatch a new session")
      )
      const text = yield* Effect.mapError(log.payload(found.value.input), unrecorded)
      const input = Option.getOrUndefined(Log.whole(digest, found.value.input)(text))
      if (input === undefined) {
        return yield* unforkable(`the input of ${of} was erased or altered`, "restore it from a backup")
      }
      const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
      const jti = Claims.TokenId.make(`tok_${yield* random.ulid}`)
      const names = meet(grant.names, actor.capabilities)
      const own = { actor: actor.name, sid: session, jti, now }
      const claims = yield* Effect.catch(
        Effect.fromResult(Fork.claimsOf(above, { ...grant, names }, own)),
        () => unforkable(`the token of ${of} goes no deeper`, "dispatch a new session")
      )
      const isNew = yield* commitOpen({
        actor,
        claims,
        json: JSON.parse(input) as Schema.Json, // Hash-checked.
        accounts: [
          { id: `session:${session}`, ceiling: claims.budget },
          shared("class", actor.name),
          shared("caller", caller)
        ],
        parent: null,
        caller,
        bounds: undefined,
        readers: [],
        isTainted: false,
        fork: {
          origin: { session: of, seq, hash },
          memory: memory([...before.flatMap((part) => part.rows), ...past])
        }
      }).pipe(
        Effect.as(true),
        Effect.catch((error) =>
          why(error) === "session_exists" ? Effect.succeed(false) : Effect.fail(unrecorded(error))
        )
      )
      if (isNew) yield* carry(of, session, rows, seq)
      yield* mailbox.tell({ actor: actor.name, session, reason: "start" })
      return isNew
    }, asCaller)

    /** The state of graphs that the fork goes on from; where there is none left, its journal leads there from the top. */
    const carry = Effect.fnUntraced(function*(
      of: Claims.SessionId,
      session: Claims.SessionId,
      rows: ReadonlyArray<Row.Row>,
      seq: number
    ) {
      const kept = yield* Effect.mapError(store.checkpoints(of, {}), unrecorded)
      const changes = Fork.carried(digest, kept, rows, seq)
      if (changes.length === 0) return
      // A run that began meanwhile, or state that is too large for one commit, needs none of it.
      yield* store.commit({ _tag: "Checkpoint", session, epoch: 0, changes, keep: null }).pipe(
        Effect.catchIf((error) => why(error) !== undefined, () => Effect.void),
        Effect.mapError(unrecorded)
      )
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
        inputOf(child, input),
        (detail) => new ActorError({ actor: child.name, detail, abandoned: false })
      )
      const own = { id: `session:${sid}`, ceiling: claims.budget }
      const kind = shared("class", child.name)
      // The parent's accounts exist, and keep their own ceilings.
      const inherited = parent.accounts.filter((id) => id !== kind.id).map((id) => ({ id, ceiling: 0 }))
      const accounts = [own, kind, ...inherited]
      const bounds = Claims.fanOut(above.limits)
      const family = {
        parent: parent.id,
        caller: parent.caller,
        bounds,
        readers: readersOf(parent),
        isTainted: isTainted(parent)
      }
      const opening = { actor: child, claims, json, accounts, ...family }
      yield* Effect.mapError(commitOpen(opening), (error) =>
        why(error) === "too_many_children"
          ? refuse(error.reason.detail, "let some come to their end, or dispatch with a grant that admits more")
          : lost(child)(unrecorded(error)))
    })

    /** Sends the session a message and gives how it stands when that was handled. */
    const run = Effect.fnUntraced(function*(actor: string, session: Claims.SessionId, reason: string) {
      const isKnown = (yield* registry.get(actor)) !== undefined
      if (!isKnown) return yield* failWith(new NoSuchActor({ actor, known: yield* registry.names }))
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

interface Parts {
  readonly actor: Actor.AnyClass
  readonly claims: Claims.Claims
  readonly json: Schema.Json
  readonly accounts: ReadonlyArray<{ readonly id: string; readonly ceiling: number }>
  readonly parent: Claims.SessionId | null
  readonly caller: string
  readonly bounds: Claims.FanOut | undefined
  /** Groups whose data the input may hold. */
  readonly readers: ReadonlyArray<string>
  /** Whether whoever opens it has read a stranger's text. */
  readonly isTainted: boolean
  readonly fork?: {
    readonly origin: NonNullable<typeof Row.Genesis.Type["origin"]>
    readonly memory: ReadonlyMap<string, Digest.Hash>
  }
}

/** What an origin's chain says of a fork. */
const forked = (by: string, session: string, seq: number): Row.Body => ({
  kind: "noted",
  what: "forked",
  by,
  detail: `${session} goes on from row ${seq}`
})

const unforkable = (detail: string, remedy: string) => failWith(new NotForkable({ detail, remedy }))

/** Sessions that are recovered at once; the sweep finds the rest. */
const maxRecovered = 1000

/** The wake that the commit itself left, told at once. */
const woken = ({ actor, id, seq }: Log.Summary) => ({ actor, session: id, reason: `resumed/${seq}` })

/** An input as it is kept and given to the actor: without secrets. */
export const inputOf = (actor: Actor.AnyClass, input: unknown): Effect.Effect<Schema.Json, string> => {
  const codec = Tool.codec(actor.input)
  return codec.encode(input).pipe(
    Effect.flatMap((json) => Received.cleaned(codec, json, input)),
    Effect.map(({ json }) => json)
  )
}

const names = (capabilities: ReadonlyArray<string>) => capabilities.filter(Capability.isName)

const meet = (
  held: ReadonlyArray<Capability.Name>,
  wanted: ReadonlyArray<string>
): ReadonlyArray<Capability.Name> => [
  ...new Set(names(wanted).flatMap((want) => held.flatMap((have) => Capability.intersect(have, want) ?? [])))
]
