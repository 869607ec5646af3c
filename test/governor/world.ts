/** The Governor over a store in memory, sessions to act in, and acts that leave a mark where they happen. */
import { NodeServices } from "@effect/platform-node"
import { Clock, Effect, Fiber, FileSystem, Layer, Option, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { TestClock } from "effect/testing"
import { JoseTokens, KeySet } from "../../layers/jose/index.ts"
import { MemoryStore } from "../../layers/memory/index.ts"
import { NodeDigest } from "../../layers/node/index.ts"
import { Gate, type Policy } from "../../src/approval/index.ts"
import { Log, type Row } from "../../src/audit/index.ts"
import { type Claims, defaultTerms, Tokens } from "../../src/capability/index.ts"
import {
  type Action,
  type ActorClass,
  enter,
  Governor,
  GovernorError,
  layer as governor,
  Mode,
  type Outcome,
  type Session,
  Store,
  within
} from "../../src/governor/index.ts"
import { Tool } from "../../src/tool/index.ts"
import * as C from "./commits.ts"

/** What a test may change about the world. */
export interface Options {
  /** `null` leaves the gate out. */
  readonly gate?: Partial<Policy.Policy> | null
  readonly mode?: Mode.Mode
  /** Stands between the Governor and its store. */
  readonly wrap?: (store: Store.Store["Service"]) => Store.Store["Service"]
  /** Stands between the Governor and its log. */
  readonly wrapLog?: (log: Log.Log["Service"]) => Log.Log["Service"]
}

/** A world of its own. */
export const world = ({ gate = {}, mode = "enforced", wrap = same, wrapLog = same }: Options = {}) =>
  governor.pipe(
    Layer.provide([Layer.succeed(Mode.Current, mode), gate === null ? Layer.empty : Gate.layer(gate)]),
    Layer.provideMerge(Layer.mergeAll(
      Layer.effect(Store.Store, Effect.map(Store.Store, wrap)),
      Layer.effect(Log.Log, Effect.map(Log.Log, wrapLog))
    )),
    Layer.provideMerge(MemoryStore.layer),
    Layer.provideMerge(Layer.mergeAll(JoseTokens.layer(), SecureRandom.layerWebCrypto)),
    Layer.provideMerge(Layer.mergeAll(keys, NodeDigest.layer)),
    Layer.provide(NodeServices.layer)
  )

/** The class of the sessions here. */
export const Tester: ActorClass = {
  name: "Tester",
  capabilities: ["tool:act", "tool:other", "backend:scripted"],
  backends: ["scripted"]
}

/** Opens a session whose token says what `claims` says, over one that admits `tool:act` and a thousand micro-dollars. */
export const session = Effect.fnUntraced(function*(
  claims: Partial<Claims.Claims> = {},
  parts: { readonly token?: string; readonly accounts?: Store.Open["accounts"] } = {}
) {
  const store = yield* Store.Store
  const tokens = yield* Tokens.Tokens
  const id = claims.sid ?? C.sessionId(C.fresh("ses"))
  const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
  const full: Claims.Claims = {
    iss: tokens.issuer,
    aud: tokens.audience,
    sub: Tester.name,
    sid: id,
    jti: C.tokenId(C.fresh("tok")),
    anc: [],
    iat: now,
    exp: now + 3600,
    depth: 3,
    capabilities: ["tool:act"],
    backends: [],
    budget: 1000,
    limits: defaultTerms.limits,
    ...claims
  }
  const token = parts.token ?? (yield* tokens.mint(full))
  const open = C.open(id, parts.accounts ?? [{ id: `session:${id}`, ceiling: full.budget }])
  yield* store.commit({ ...open, session: { ...open.session, token } })
  return { id, token, claims: full }
})

/** One run of a session. */
export const run = <A, E, R>(
  id: Claims.SessionId,
  body: Effect.Effect<A, E, R>,
  actor: ActorClass = Tester
): Effect.Effect<A, E | Store.StoreError, Exclude<R, Session> | Store.Store | Log.Log> =>
  Effect.flatMap(enter(id, actor), (entered) => within(entered)(body))

/** What happened in the world outside. */
export const marks = (): {
  readonly done: Array<string>
  readonly mark: (name: string) => Effect.Effect<string>
} => {
  const done: Array<string> = []
  return { done, mark: (name) => Effect.sync(() => (done.push(name), `did ${name}`)) }
}

/** An act by which `args` leave. */
export const send = (args: string, mark: (name: string) => Effect.Effect<string>, parts: Parts = {}) =>
  act(action(args, mark, { name: "send", sinks: ["outbound"], ...parts }))

/** The failure that acts here know. */
export class Sorry extends Schema.TaggedError<Sorry>()("Sorry", { why: Schema.String }) {}

const sorry = Tool.codec(Sorry)

/** What a test may change about an act. */
export type Parts<R = never> = Partial<Omit<Action<string, string, Sorry | GovernorError, R>, "run">>

/** An act on one text, that runs `body` with it. */
export const action = <R = never>(
  args: string,
  body: (args: string) => Effect.Effect<string, Sorry | GovernorError, R>,
  parts: Parts<R> = {}
): Action<string, string, Sorry | GovernorError, R> => ({
  name: "act",
  description: "acts",
  capabilities: ["tool:act"],
  reversible: true,
  schema: C.hashOf("schema"),
  decode: Effect.succeed({ args, json: { args } }),
  reserve: 0,
  bill: () => ({ costMicroUsd: 0 }),
  timeoutMs: 1000,
  trust: "trusted",
  run: body,
  success: Tool.codec(Schema.String),
  failure: {
    encode: (error) => error instanceof GovernorError ? Effect.fail(error.message) : sorry.encode(error),
    decode: sorry.decode
  },
  ...parts
})

/** Asks the Governor. */
export const act = <R>(
  asked: Action<string, string, Sorry | GovernorError, R>
): Effect.Effect<Outcome<string>, Sorry | GovernorError, R | Governor | Session> =>
  // What these acts require is in the session's token; the types are put to the test elsewhere.
  Effect.flatMap(Governor, (governor) => governor.act(asked)) as never

/** What stopped an act that must be stopped. */
export const stopped = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Effect.flip(effect), (error) =>
    error instanceof GovernorError
      ? Effect.succeed(error.reason)
      : Effect.die(new Error(`not a refusal: ${String(error)}`)))

/** The refusal of an act that must be refused. */
export const refused = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(stopped(effect), (reason) =>
    reason._tag === "Refused"
      ? Effect.succeed(reason)
      : Effect.die(new Error(`not a refusal: ${JSON.stringify(reason)}`)))

/** Runs `self` while time passes, a tenth of a second at a time. */
export const passing = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(self)
    while (fiber.pollUnsafe() === undefined) {
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      yield* TestClock.adjust(100)
    }
    return yield* Fiber.join(fiber)
  })

/** The bodies of a session's rows, once its chain was found whole. */
export const bodies = Effect.fnUntraced(function*(id: Claims.SessionId) {
  const log = yield* Log.Log
  const rows = yield* log.rows(id)
  const faults = C.faults(rows, Option.getOrThrow(yield* log.session(id)))
  if (faults.length > 0) return yield* Effect.die(new Error(faults.join("; ")))
  return rows.map((row): Row.Body & { readonly key: string | null } => ({ ...row.body, key: row.key }))
})

/** The rows of one kind. */
export const kind = <K extends Row.Body["kind"]>(id: Claims.SessionId, wanted: K) =>
  Effect.map(
    bodies(id),
    (all) =>
      all.filter((body): body is Extract<Row.Body, { readonly kind: K }> & { readonly key: string | null } =>
        body.kind === wanted
      )
  )

// internal

const same = <A>(value: A): A => value

const keys = Layer.unwrap(Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  return KeySet.layer(yield* fs.makeTempDirectoryScoped({ prefix: "aosiq-keys-" }))
}))
