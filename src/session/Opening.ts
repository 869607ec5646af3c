/**
 * What opens sessions: roots, forks and children, each with its token, its budget and its genesis row in one commit. Nothing
 * is run here.
 */
import { Clock, Context, Effect, Option, type Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { type Actor, ActorError } from "../actor/index.ts"
import { Digest, Lineage, Log, type Row } from "../audit/index.ts"
import { Capability, Claims, type Grant, Tokens } from "../capability/index.ts"
import {
  type Entered,
  Governor,
  GovernorError,
  isTainted,
  memory,
  readersOf,
  Received,
  Refusal,
  Store
} from "../governor/index.ts"
import { Tool } from "../tool/index.ts"
import { type DispatchError, failWith, NotForkable } from "./Ended.ts"
import * as Fork from "./Fork.ts"
import { why } from "./Installation.ts"
import { unrecorded } from "./Runs.ts"
import { lost } from "./Unended.ts"

/** A grant whose names are known only at run time: no compiler has held it against what the class needs. */
export type Authority = Pick<Grant<string>, "names" | "terms">

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

/** A root session to open. */
export interface Root {
  readonly session: Claims.SessionId
  /** Free of secrets, as `inputOf` gives it. */
  readonly json: Schema.Json
  readonly grant: Authority
  readonly caller: string
}

/** A session to open from a row of another. */
export interface Forked extends Fork.From {
  readonly session: Claims.SessionId
  readonly grant: Authority
  readonly caller: string
}

/** A child to open, for the act of its parent. */
export interface Child {
  readonly session: Claims.SessionId
  readonly input: unknown
  /** What it may at the most; what its class needs when left out. */
  readonly grant: Grant<string> | undefined
}

/** Opens sessions over a store. */
export const opening = Effect.gen(function*() {
  const store = yield* Store.Store
  const log = yield* Log.Log
  const tokens = yield* Tokens.Tokens
  const digest = yield* Digest.Digest
  const random = yield* SecureRandom.SecureRandom
  const governor = yield* Governor
  const ceilings = yield* CurrentCeilings

  const seconds = Effect.map(Clock.currentTimeMillis, (now) => Math.floor(now / 1000))
  const tokenId = Effect.map(random.ulid, (id) => Claims.TokenId.make(`tok_${id}`))

  /** An account that sessions share, as it is when it is opened. */
  const shared = (kind: "class" | "caller", name: string) => {
    const id = `${kind}:${name}`
    const own = Object.hasOwn(ceilings.accounts ?? {}, id) ? ceilings.accounts?.[id] : undefined
    return { id, ceiling: own ?? ceilings[kind] }
  }

  /** The accounts of a session that has no parent. */
  const accountsOf = (claims: Claims.Claims, actor: Actor.AnyClass, caller: string) => [
    { id: `session:${claims.sid}`, ceiling: claims.budget },
    shared("class", actor.name),
    shared("caller", caller)
  ]

  /** One commit: control block, accounts, genesis. */
  const commit = Effect.fnUntraced(function*({ accounts, actor, bounds, claims, fork, json, ...about }: Parts) {
    const text = digest.canonical(json)
    const input = digest.sha256(text)
    const token = yield* tokens.mint(claims)
    const genesis: Row.Draft = {
      key: null,
      body: {
        kind: "genesis",
        actor: actor.name,
        token: claims.jti,
        parent: about.parent,
        caller: about.caller,
        mode: governor.mode,
        policy: governor.policy,
        input,
        definition: Tool.definitionHash(digest, actor.tool),
        ...(about.readers.length === 0 ? {} : { readers: about.readers }),
        ...(about.isTainted ? { trust: "untrusted" as const } : {}),
        ...(fork === undefined ? {} : { origin: fork.origin })
      }
    }
    const session: Log.Summary = {
      id: claims.sid,
      actor: actor.name,
      parent: about.parent,
      caller: about.caller,
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
    const origin = fork === undefined ? undefined : {
      session: fork.origin.session,
      row: { key: null, body: forked(about.caller, claims.sid, fork.origin.seq) },
      memory: fork.memory
    }
    yield* store.commit({ _tag: "Open", session, genesis, accounts, payloads: [{ hash: input, text }], bounds, origin })
  })

  /** Opens a root session. */
  const root = Effect.fnUntraced(function*(actor: Actor.AnyClass, { caller, grant, json, session }: Root) {
    const now = yield* seconds
    const capabilities = meet(grant.names, actor.capabilities)
    const claims: Claims.Claims = {
      iss: tokens.issuer,
      aud: tokens.audience,
      sub: actor.name,
      sid: session,
      jti: yield* tokenId,
      anc: [],
      iat: now,
      exp: now + grant.terms.lifetimeSeconds,
      depth: grant.terms.depth,
      capabilities,
      backends: Capability.backendsOf(capabilities),
      budget: grant.terms.budgetMicroUsd,
      limits: grant.terms.limits
    }
    yield* commit({ ...alone, actor, claims, json, caller, accounts: accountsOf(claims, actor, caller) })
  })

  /** Opens a session that goes on from a row of `of`; `false` when there was one of that name. */
  const fork = Effect.fnUntraced(function*(
    actor: Actor.AnyClass,
    of: Log.Summary,
    { caller, grant, session, ...from }: Forked
  ) {
    const rows = yield* Effect.mapError(log.rows(of.id), unrecorded)
    const { hash, seq } = yield* Effect.mapError(Effect.fromResult(Fork.pointOf(of, rows, from)), failWith)
    const past = rows.slice(0, seq + 1)
    const before = yield* Effect.mapError(Lineage.before(log, past), unrecorded)
    if (before.length + 1 >= Lineage.maxGenerations) {
      return yield* unforkable(`${of.id} is a fork of too many forks`, "fork one that is nearer to its beginning")
    }
    const above = yield* Effect.catch(
      tokens.verify(of.token, of.id),
      ({ reason }) => unforkable(`the token of ${of.id} holds no more: ${reason.detail}`, "dispatch a new session")
    )
    const text = yield* Effect.mapError(log.payload(of.input), unrecorded)
    const input = Option.getOrUndefined(Log.whole(digest, of.input)(text))
    if (input === undefined) {
      return yield* unforkable(`the input of ${of.id} was erased or altered`, "restore it from a backup")
    }
    const names = meet(grant.names, actor.capabilities)
    const own = { actor: actor.name, sid: session, jti: yield* tokenId, now: yield* seconds }
    const claims = yield* Effect.catch(
      Effect.fromResult(Fork.claimsOf(above, { ...grant, names }, own)),
      () => unforkable(`the token of ${of.id} goes no deeper`, "dispatch a new session")
    )
    const parts: Parts = {
      ...alone,
      actor,
      claims,
      json: JSON.parse(input) as Schema.Json, // Hash-checked.
      caller,
      accounts: accountsOf(claims, actor, caller),
      fork: {
        origin: { session: of.id, seq, hash },
        memory: memory([...before.flatMap((part) => part.rows), ...past])
      }
    }
    const isNew = yield* isOpened(commit(parts))
    if (isNew) yield* carry(of.id, session, rows, seq)
    return isNew
  })

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

  /** Opens a child of `parent`, with what both its class needs and its parent holds. */
  const child = Effect.fnUntraced(function*(parent: Entered, actor: Actor.AnyClass, { grant, input, session }: Child) {
    const refuse = (detail: string, remedy: string) =>
      new GovernorError({ act: actor.tool.name, reason: new Refusal.Refused({ layer: "token", detail, remedy }) })
    const above = yield* Effect.mapError(
      tokens.verify(parent.token, parent.id),
      (error) => refuse(error.reason.detail, "dispatch the parent again")
    )
    const now = yield* seconds
    const wanted = actor.capabilities.filter(Capability.isName)
    const claims = yield* Effect.mapError(
      Effect.fromResult(Claims.narrow(above, {
        sub: actor.name,
        sid: session,
        jti: yield* tokenId,
        iat: now,
        capabilities: grant === undefined ? wanted : meet(grant.names, wanted),
        backends: actor.backends,
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
      inputOf(actor, input),
      (detail) => new ActorError({ actor: actor.name, detail, abandoned: false })
    )
    const own = { id: `session:${session}`, ceiling: claims.budget }
    const kind = shared("class", actor.name)
    // The parent's accounts exist, and keep their own ceilings.
    const inherited = parent.accounts.filter((id) => id !== kind.id).map((id) => ({ id, ceiling: 0 }))
    const parts: Parts = {
      actor,
      claims,
      json,
      accounts: [own, kind, ...inherited],
      parent: parent.id,
      caller: parent.caller,
      bounds: Claims.fanOut(above.limits),
      readers: readersOf(parent),
      isTainted: isTainted(parent)
    }
    yield* Effect.mapError(commit(parts), (error) =>
      why(error) === "too_many_children"
        ? refuse(error.reason.detail, "let some come to their end, or dispatch with a grant that admits more")
        : lost(actor)(unrecorded(error)))
  })

  return { root, fork, child }
})

/** Whether a session was opened; `false` when there was one of that name, which is left as it is. */
export const isOpened = (opened: Effect.Effect<void, Store.StoreError>): Effect.Effect<boolean, DispatchError> =>
  opened.pipe(
    Effect.as(true),
    Effect.catch((error) => why(error) === "session_exists" ? Effect.succeed(false) : Effect.fail(unrecorded(error)))
  )

/** An input as it is kept and given to the actor: without secrets. */
export const inputOf = (actor: Actor.AnyClass, input: unknown): Effect.Effect<Schema.Json, string> => {
  const codec = Tool.codec(actor.input)
  return codec.encode(input).pipe(
    Effect.flatMap((json) => Received.cleaned(codec, json, input)),
    Effect.map(({ json }) => json)
  )
}

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

/** What goes with a session that no actor opens. */
const alone = { parent: null, bounds: undefined, readers: [], isTainted: false }

/** What an origin's chain says of a fork. */
const forked = (by: string, session: string, seq: number): Row.Body => ({
  kind: "noted",
  what: "forked",
  by,
  detail: `${session} goes on from row ${seq}`
})

const unforkable = (detail: string, remedy: string) => failWith(new NotForkable({ detail, remedy }))

const meet = (
  held: ReadonlyArray<Capability.Name>,
  wanted: ReadonlyArray<string>
): ReadonlyArray<Capability.Name> => [
  ...new Set(
    wanted.filter(Capability.isName).flatMap((want) => held.flatMap((have) => Capability.intersect(have, want) ?? []))
  )
]
