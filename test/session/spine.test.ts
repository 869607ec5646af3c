import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { Memory } from "../../layers/presets/index.ts"
import { Actor, Agent, DeterministicActor } from "../../src/actor/index.ts"
import { Log } from "../../src/audit/index.ts"
import { Scripted } from "../../src/backend/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { Approvals, Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"

const Read = Tool.make("read_file", {
  description: "reads a file",
  capabilities: ["tool:read_file"],
  params: Schema.Struct({ path: Schema.String }),
  success: Schema.String
})
const Deploy = Tool.make("deploy", {
  description: "ships a version",
  capabilities: ["tool:deploy"],
  reversible: false,
  params: Schema.Struct({ version: Schema.String }),
  success: Schema.String
})

const calls: Array<string> = []
const handlers = Layer.mergeAll(
  Tool.layer(Read, ({ path }) => Effect.sync(() => (calls.push(`read ${path}`), `contents of ${path}`))),
  Tool.layer(Deploy, ({ version }) => Effect.sync(() => (calls.push(`deploy ${version}`), `shipped ${version}`)))
)

const Reader = DeterministicActor.make("Reader", {
  description: "reads",
  input: Schema.String,
  output: Schema.String,
  tools: [Read],
  run: (path) => Tool.call(Read, { path })
})
const Shipper = DeterministicActor.make("Shipper", {
  description: "reads, then ships",
  input: Schema.String,
  output: Schema.String,
  tools: [Reader.tool, Deploy],
  run: (version) =>
    Effect.gen(function*() {
      const notes = yield* Effect.orDie(Actor.spawn(Reader, "notes"))
      const shipped = yield* Tool.call(Deploy, { version })
      return `${notes}; ${shipped}`
    })
})

const app = Actor.layer(Shipper).pipe(
  Layer.provideMerge(Actor.layer(Reader)),
  Layer.provideMerge(handlers),
  Layer.provideMerge(Memory.layer())
)

describe("the spine", () => {
  it.live("runs, waits for an approval, goes on, and does nothing twice", () =>
    Effect.gen(function*() {
      calls.length = 0
      const dispatch = yield* Dispatch.Dispatch
      const approvals = yield* Approvals.Approvals
      const log = yield* Log.Log
      const grant = Grant.make(["tool:read_file", "tool:deploy", "spawn:Reader"])
      const first = yield* dispatch.start(Shipper, "v2", { grant, caller: "test" })
      assert.strictEqual(first._tag, "Waiting")
      if (first._tag !== "Waiting") return
      assert.deepStrictEqual(calls, ["read notes"])
      yield* approvals.decide({ ticket: first.ticket, by: "ada", approve: true, reason: "fine" })
      const second = yield* dispatch.resume(first.session)
      assert.deepStrictEqual(second, {
        _tag: "Succeeded",
        session: first.session,
        output: "contents of notes; shipped v2"
      })
      assert.deepStrictEqual(calls, ["read notes", "deploy v2"])
      const rows = yield* log.rows(first.session)
      assert.deepStrictEqual(rows.map((row) => row.body.kind), [
        "genesis",
        "started",
        "intent",
        "outcome",
        "proposed",
        "suspended",
        "decided",
        "started",
        "intent",
        "outcome",
        "ended"
      ])
    }).pipe(Effect.provide(app)))

  it.live("a reasoning actor acts through the governor and concludes", () =>
    Effect.gen(function*() {
      const backend = yield* Scripted.turns([
        { calls: [{ name: "read_file", params: { path: "a" } }] },
        { calls: [{ name: "conclude", params: { answer: "contents of a" } }] }
      ])
      const Asker = yield* Agent.on(
        Agent.make("Asker", {
          description: "asks",
          input: Schema.String,
          output: Schema.Struct({ answer: Schema.String }),
          tools: [Read],
          backends: ["scripted"],
          instructions: "answer",
          task: (question) => question
        }),
        backend
      )
      const ended = yield* Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        const grant = Grant.make(["tool:read_file", "backend:scripted"])
        return yield* dispatch.start(Asker, "what is in a?", { grant, caller: "test" })
      }).pipe(Effect.provide(Actor.layer(Asker)))
      assert.deepInclude(ended, { _tag: "Succeeded", output: { answer: "contents of a" } })
    }).pipe(Effect.provide(app)))
})
