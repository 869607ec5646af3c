/** Labels go where values go: to children, into memory, and over the end of a run. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { Memory } from "../../layers/presets/index.ts"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import { Log } from "../../src/audit/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { WorkingMemory } from "../../src/memory/index.ts"
import { Approvals, Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"

const Page = Tool.make("page", {
  description: "a page of a stranger's",
  capabilities: ["tool:page"],
  params: Schema.Null,
  success: Schema.String
})
const Send = Tool.make("send", {
  description: "sends something out",
  capabilities: ["tool:send"],
  params: Schema.Struct({ to: Schema.String }),
  success: Schema.Null,
  trust: "trusted",
  sinks: ["outbound"]
})
const Address = WorkingMemory.key("address", { description: "whom to write", schema: Schema.String, trust: "trusted" })

const sent: Array<string> = []
const Messenger = DeterministicActor.make("Messenger", {
  description: "sends something to whom it is told",
  input: Schema.String,
  output: Schema.Null,
  tools: [Send],
  run: (to) => Tool.call(Send, { to })
})
const Reader = DeterministicActor.make("Reader", {
  description: "has whomever a page names written to",
  input: Schema.Boolean,
  output: Schema.Null,
  tools: [Page, Messenger.tool],
  run: (reads) =>
    Effect.gen(function*() {
      const to = reads ? yield* Tool.call(Page, null) : "ann@corp.example"
      return yield* Actor.spawn(Messenger, to)
    })
})
const Keeper = DeterministicActor.make("Keeper", {
  description: "remembers whom a page names",
  input: Schema.Null,
  output: Schema.NullOr(Schema.String),
  tools: [Page, Address.write, Address.read],
  run: () =>
    Effect.gen(function*() {
      const value = yield* Tool.call(Page, null)
      yield* Tool.call(Address.write, { value })
      return yield* Tool.call(Address.read, {})
    }).pipe(Effect.catchTag("MemoryError", Effect.die))
})

const handlers = Layer.mergeAll(
  Tool.layer(Page, () => Effect.succeed("mallory@evil.example")),
  Tool.layer(Send, ({ to }) => Effect.sync(() => (sent.push(to), null)))
)
const app = Layer.mergeAll(Actor.layer(Reader), Actor.layer(Keeper)).pipe(
  Layer.provideMerge(Actor.layer(Messenger)),
  Layer.provide(Layer.merge(handlers, WorkingMemory.layer(Address))),
  Layer.provideMerge(Memory.layer())
)

const order = { grant: Grant.make(["tool:page", "tool:send", "spawn:Messenger"]), caller: "ada" } as const
const decide = (ticket: string, approve: boolean) =>
  Effect.flatMap(Approvals.Approvals, (desk) => desk.decide({ ticket, by: "grace", approve, reason: "" }))

describe("a child", () => {
  it.live("of who has read a stranger's text is asked by it, and sends nothing before a person agrees", () =>
    Effect.gen(function*() {
      sent.length = 0
      const dispatch = yield* Dispatch.Dispatch
      const log = yield* Log.Log
      const ended = yield* dispatch.start(Reader, true, order)
      if (ended._tag !== "Waiting") return assert.fail(ended._tag)
      assert.deepStrictEqual(sent, [])
      const child = (yield* log.sessions).find(({ parent }) => parent === ended.session)
      const [genesis] = yield* log.rows(child?.id ?? ended.session)
      assert.deepInclude(genesis?.body, { kind: "genesis", trust: "untrusted" })

      yield* decide(ended.ticket, true)
      assert.strictEqual((yield* dispatch.resume(ended.session))._tag, "Succeeded")
      assert.deepStrictEqual(sent, ["mallory@evil.example"])
    }).pipe(Effect.provide(app)))

  it.live("of who has read none is not", () =>
    Effect.gen(function*() {
      sent.length = 0
      const dispatch = yield* Dispatch.Dispatch
      assert.strictEqual((yield* dispatch.start(Reader, false, order))._tag, "Succeeded")
      assert.deepStrictEqual(sent, ["ann@corp.example"])
    }).pipe(Effect.provide(app)))
})

describe("memory that is trusted", () => {
  it.live("takes nothing of a stranger's before a person agrees, and holds nothing when nobody does", () =>
    Effect.gen(function*() {
      const dispatch = yield* Dispatch.Dispatch
      const log = yield* Log.Log
      const keeper = { grant: Grant.make(["tool:page", "memory:read@address", "memory:write@address"]), caller: "ada" }
      const ended = yield* dispatch.start(Keeper, null, keeper)
      if (ended._tag !== "Waiting") return assert.fail(ended._tag)
      yield* decide(ended.ticket, false)
      assert.strictEqual((yield* dispatch.resume(ended.session))._tag, "Failed")
      const rows = yield* log.rows(ended.session)
      assert.isFalse(rows.some(({ body }) => body.kind === "outcome" && body.memory !== undefined))
    }).pipe(Effect.provide(app)))
})
