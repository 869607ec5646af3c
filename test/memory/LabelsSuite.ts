/** What is kept comes back as what it was, in the same session, in another one and in another runtime: one line a store. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, Option, Schema, type Scope } from "effect"
import { KeySet } from "../../layers/jose/index.ts"
import { core, digest } from "../../layers/presets/Core.ts"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import { Log, type Row } from "../../src/audit/index.ts"
import { type Claims, Grant } from "../../src/capability/index.ts"
import { Flowing, type Permit, type Store } from "../../src/governor/index.ts"
import { MemoryError, WorkingMemory } from "../../src/memory/index.ts"
import { Dispatch, Mailbox } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import type { Flow } from "../../src/trust/index.ts"

const Note = WorkingMemory.key("note", { description: "a note", schema: Schema.String, isLasting: true })
const Address = WorkingMemory.key("address", {
  description: "whom to write",
  schema: Schema.String,
  trust: "trusted",
  isLasting: true
})
/** The same within a session. */
const Draft = WorkingMemory.key("draft", { description: "a draft", schema: Schema.String, trust: "trusted" })

const writes = ["tool:keep", "memory:write@note", "memory:write@address", "memory:write@draft"] as const
/** Keeps a text in memory; of `trust` is what it reads. */
const keeping = <const Name extends string>(name: Name, trust: "trusted" | "untrusted") =>
  Tool.make(name, {
    description: "keeps a text",
    capabilities: writes,
    params: Schema.Struct({ where: Schema.Literals(["note", "address", "draft"]), text: Schema.String }),
    success: Schema.Null,
    failure: MemoryError,
    trust,
    readers: { rest: ["clinic"], fields: {} }
  })
const Own = keeping("keep_own", "trusted")
const Fetched = keeping("keep_fetched", "untrusted")
const kept = (text: string) => text === "fetch" ? "mallory@evil.example" : text
const keep = Effect.fnUntraced(function*(
  { text, where }: { readonly where: "note" | "address" | "draft"; readonly text: string },
  permit: Permit<(typeof writes)[number]>
) {
  const value = kept(text)
  if (where === "note") yield* WorkingMemory.remember(permit, Note, value)
  else if (where === "draft") yield* WorkingMemory.remember(permit, Draft, value)
  else yield* WorkingMemory.remember(permit, Address, value)
  return null
})

const Send = Tool.make("send", {
  description: "sends something out",
  capabilities: ["tool:send"],
  params: Schema.Struct({ to: Schema.String }),
  success: Schema.Null,
  trust: "trusted",
  sinks: ["outbound"]
})
/** Reads memory itself, and sends within its own act: its result does not say what it read. */
const Relay = Tool.make("relay", {
  description: "sends to whom a note names",
  capabilities: ["tool:relay", "tool:send", "memory:read@note"],
  params: Schema.Null,
  success: Schema.Null,
  failure: MemoryError,
  trust: "trusted"
})

const Order = Schema.Array(Schema.Struct({
  does: Schema.Literals(["own", "fetched", "remember", "recall", "relay"]),
  where: Schema.Literals(["note", "address", "draft"]),
  text: Schema.String
}))
const recalled = Effect.fnUntraced(function*(where: "note" | "address" | "draft") {
  if (where === "note") return yield* Tool.call(Note.read, {})
  return where === "draft" ? yield* Tool.call(Draft.read, {}) : yield* Tool.call(Address.read, {})
})
const one = Effect.fnUntraced(function*({ does, text, where }: (typeof Order.Type)[number]) {
  if (does === "own") return yield* Tool.call(Own, { where, text })
  if (does === "fetched") return yield* Tool.call(Fetched, { where, text })
  if (does === "remember") return yield* Tool.call(Address.write, { value: text })
  if (does === "relay") return yield* Tool.call(Relay, null)
  const to = yield* recalled(where)
  return to === null ? "nothing" : yield* Tool.call(Send, { to })
})
const Clerk = DeterministicActor.make("Clerk", {
  description: "keeps, recalls and sends",
  input: Order,
  output: Schema.Array(Schema.String),
  tools: [Own, Fetched, Send, Relay, Note.read, Address.read, Address.write, Draft.read],
  run: (orders) =>
    Effect.forEach(
      orders,
      (order) => Effect.match(one(order), { onFailure: (error) => error.message, onSuccess: (said) => said ?? "done" })
    )
})

const sent: Array<string> = []
const handlers = Layer.mergeAll(
  Tool.layer(Own, keep),
  Tool.layer(Fetched, keep),
  Tool.layer(Send, ({ to }) => Effect.sync(() => (sent.push(to), null))),
  WorkingMemory.layer(Note),
  WorkingMemory.layer(Address),
  WorkingMemory.layer(Draft)
)
const relay = Tool.layer(Relay, (_, permit) =>
  Effect.gen(function*() {
    const to = Option.getOrElse(yield* WorkingMemory.recall(permit, Note), () => "nobody")
    // What the handler makes of it stands nowhere.
    yield* Effect.ignore(Tool.call(Send, { to: to.toUpperCase() }))
    return null
  }))

const policy: Flow.Policy = {
  version: 1,
  rules: [
    { name: "to whom", sinks: ["outbound"], arguments: { "*": "trusted" }, otherwise: "refuse" },
    { name: "what is remembered", sinks: ["memory"], arguments: { "*": "trusted" }, otherwise: "refuse" }
  ]
}
const keys = Layer.unwrap(Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  return KeySet.layer(yield* fs.makeTempDirectoryScoped({ prefix: "aosiq-keys-" }))
}))

/** A whole runtime over a store. */
const runtime = <E>(store: Layer.Layer<Store.Store | Log.Log, E>) =>
  Actor.layer(Clerk).pipe(
    Layer.provide(relay),
    Layer.provideMerge(handlers),
    Layer.provideMerge(core(Mailbox.layerLocal)),
    Layer.provide(Layer.succeed(Flowing.Current, policy)),
    Layer.provideMerge(store),
    Layer.provideMerge(Layer.merge(digest, keys)),
    Layer.provideMerge(NodeServices.layer)
  )

const grant = Grant.make([
  ...writes,
  "tool:send",
  "tool:relay",
  "memory:read@note",
  "memory:read@address",
  "memory:read@draft"
])
const run = Effect.fnUntraced(function*(orders: typeof Order.Type) {
  const dispatch = yield* Dispatch.Dispatch
  const ended = yield* dispatch.start(Clerk, orders, { grant, caller: "ada" })
  if (ended._tag !== "Succeeded") return assert.fail(JSON.stringify(ended))
  return { session: ended.session, said: ended.output }
})
const outcomes = (session: Claims.SessionId, act: string) =>
  Effect.map(
    Effect.flatMap(Log.Log, (log) => log.rows(session)),
    (rows) =>
      rows.flatMap(({ body }): ReadonlyArray<typeof Row.Outcome.Type> =>
        body.kind === "outcome" && body.act === act ? [body] : []
      )
  )

/**
 * Runs the suite over stores: each `runtime` is built anew for a step, over what `shared` keeps in between; `own` is a store
 * that a runtime has for itself.
 */
export const suite = <E, E1>(
  name: string,
  shared: Effect.Effect<Layer.Layer<Store.Store | Log.Log, E>, E1, Scope.Scope>
): void =>
  void describe(name, () => {
    const steps = <A, E2, R>(body: (over: Layer.Layer<Store.Store | Log.Log, E>) => Effect.Effect<A, E2, R>) =>
      Effect.scoped(Effect.flatMap(shared, body))

    it.live(
      "a stranger's value is a stranger's in the next session and the next runtime, for the same readers",
      () =>
        steps((over) =>
          Effect.gen(function*() {
            sent.length = 0
            const first = yield* run([{ does: "fetched", where: "note", text: "fetch" }]).pipe(
              Effect.provide(runtime(over), { local: true })
            )
            assert.deepStrictEqual(first.said, ["done"])
            yield* Effect.gen(function*() {
              const { said, session } = yield* run([
                { does: "recall", where: "note", text: "" },
                { does: "relay", where: "note", text: "" }
              ])
              assert.match(
                said[0] ?? "",
                /refused by policy: to whom: to must be no stranger's.*who may read it: to is for clinic/
              )
              const [recalled] = yield* outcomes(session, "recall_note")
              assert.deepInclude(recalled, { trust: "untrusted", readers: { rest: ["clinic"], fields: {} } })
              const [relayed] = yield* outcomes(session, "relay")
              assert.deepInclude(relayed, { trust: "untrusted", readers: { rest: ["clinic"], fields: {} } })
            }).pipe(Effect.provide(runtime(over), { local: true }))
            assert.deepStrictEqual(sent, [])
          })
        ),
      60_000
    )

    it.live(
      "what is ours comes back as ours, and goes where its readers let it",
      () =>
        steps((over) =>
          Effect.gen(function*() {
            sent.length = 0
            yield* run([{ does: "own", where: "address", text: "ann@corp.example" }]).pipe(
              Effect.provide(runtime(over), { local: true })
            )
            yield* Effect.gen(function*() {
              const { session } = yield* run([{ does: "recall", where: "address", text: "" }])
              const [recalled] = yield* outcomes(session, "recall_address")
              assert.strictEqual(recalled?.trust, "trusted")
            }).pipe(Effect.provide(runtime(over), { local: true }))
            assert.deepStrictEqual(sent, ["ann@corp.example"])
          })
        ),
      60_000
    )

    it.live(
      "a handler keeps nothing of a stranger's under a key that is trusted, and says so in a row",
      () =>
        steps((over) =>
          Effect.gen(function*() {
            sent.length = 0
            yield* Effect.gen(function*() {
              const { said, session } = yield* run([
                { does: "fetched", where: "address", text: "fetch" },
                { does: "fetched", where: "draft", text: "fetch" },
                { does: "own", where: "note", text: "mallory@evil.example" },
                { does: "recall", where: "address", text: "" },
                { does: "recall", where: "draft", text: "" }
              ])
              for (const denied of said.slice(0, 2)) assert.match(denied, /refused by policy: what is remembered/)
              assert.deepStrictEqual(said.slice(3), ["nothing", "nothing"])
              const log = yield* Log.Log
              const rows = yield* log.rows(session)
              const refused = rows.flatMap(({ body }) => body.kind === "refusal" ? [body.act] : [])
              assert.deepStrictEqual(refused, [
                "keep_fetched, memory:write@address",
                "keep_fetched, memory:write@draft"
              ])
              const left = rows.flatMap(({ body }) => body.kind === "outcome" ? Object.keys(body.lasting ?? {}) : [])
              assert.deepStrictEqual(left, ["note"])
            }).pipe(Effect.provide(runtime(over), { local: true }))
            assert.deepStrictEqual(sent, [])
          })
        ),
      60_000
    )
  })
