import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Schema } from "effect"
import { Actor, Agent } from "../../src/actor/index.ts"
import { Digest, Log, Verify } from "../../src/audit/index.ts"
import { type Claims, Grant } from "../../src/capability/index.ts"
import { Checkpoint, GovernorError, Memory, memory, type Permit } from "../../src/governor/index.ts"
import { MemoryError, WorkingMemory } from "../../src/memory/index.ts"
import { Approvals, Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import * as W from "../actor/world.ts"
import * as H from "../governor/hostile.ts"

const Plan = WorkingMemory.key("notes/plan", {
  description: "the plan",
  schema: Schema.Struct({ steps: Schema.Array(Schema.String), due: Schema.optionalKey(Schema.DateFromString) })
})
const Count = WorkingMemory.key("count", { description: "a number", schema: Schema.Int, trust: "trusted" })

/** Counts a visit in memory; for "bad" it fails after it kept the count. */
const Visit = Tool.make("visit", {
  description: "counts a visit",
  capabilities: ["tool:visit", "memory:read@count", "memory:write@count"],
  params: Schema.String,
  success: Schema.Int,
  failure: Schema.Union([MemoryError, W.Broken]),
  trust: "trusted"
})
const visit = Tool.layer(Visit, (where, permit) =>
  Effect.gen(function*() {
    const count = Option.getOrElse(yield* WorkingMemory.recall(permit, Count), () => 0) + 1
    yield* WorkingMemory.remember(permit, Count, count)
    // What the act keeps itself, it sees.
    assert.deepStrictEqual(yield* WorkingMemory.recall(permit, Count), Option.some(count))
    if (where === "bad") return yield* new W.Broken({ what: where })
    return count
  }))

const app = Layer.provideMerge(Layer.mergeAll(WorkingMemory.layer(Plan), WorkingMemory.layer(Count), visit), W.app)
const tools = [Plan.read, Plan.write, Plan.clear, Count.read, Count.write, Count.clear, Visit, W.Deploy]
const held = ["memory:read@notes/*", "memory:write@notes/*", "memory:read@count", "memory:write@count"] as const
const all = [...held, "tool:visit", "tool:deploy", "backend:scripted"] as const

/** An actor that does `body` with everything there is here. */
const doing = <E, R>(body: Effect.Effect<unknown, E, R>) => H.actor("Doer", tools, () => body)

const approve = (ticket: string) =>
  Effect.flatMap(Approvals.Approvals, (desk) => desk.decide({ ticket, by: "ada", approve: true, reason: "" }))
const resume = (id: Claims.SessionId) => Effect.flatMap(Dispatch.Dispatch, (dispatch) => dispatch.resume(id))
const succeeded = (ended: Dispatch.Ended<unknown>) => assert.strictEqual(ended._tag, "Succeeded", JSON.stringify(ended))
const waits = (ended: Dispatch.Ended<unknown>) => ended._tag === "Waiting" ? ended : assert.fail(JSON.stringify(ended))

describe("working memory", () => {
  it.live("gives back what was written, in the same run and in later ones", () =>
    Effect.gen(function*() {
      const due = new Date("2026-03-01T00:00:00Z")
      const seen: Array<unknown> = []
      const look = Effect.map(Tool.call(Plan.read, {}), (plan) => void seen.push(plan))
      const actor = doing(Effect.gen(function*() {
        yield* look
        yield* Tool.call(Plan.write, { value: { steps: ["a"] } })
        yield* look
        yield* Tool.call(Plan.write, { value: { steps: ["a", "b"], due } })
        yield* Tool.call(W.Deploy, { version: "v1" })
        yield* look
        yield* Tool.call(Plan.clear, {})
        yield* look
      }))
      yield* Effect.gen(function*() {
        const first = waits(yield* H.start(actor, all))
        assert.deepStrictEqual(seen, [null, { steps: ["a"] }])
        yield* approve(first.ticket)
        succeeded(yield* resume(first.session))
        // The second run was answered what the first one saw, though more had been written meanwhile.
        assert.deepStrictEqual(seen.slice(2), [null, { steps: ["a"] }, { steps: ["a", "b"], due }, null])
        const rows = yield* W.rows(first.session)
        const acts = W.succeeded(rows)
        assert.strictEqual(acts.filter((act) => act === "remember_notes_plan").length, 2)
        assert.strictEqual(acts.filter((act) => act === "recall_notes_plan").length, 4)
        // A stranger's text, unless the key says otherwise.
        const read = W.bodies(rows, "outcome").filter(({ act }) => act === "recall_notes_plan")
        assert.deepStrictEqual(new Set(read.map(({ trust }) => trust)), new Set(["untrusted"]))
      }).pipe(H.registered(actor))
    }).pipe(Effect.provide(app)))

  it.live("is written with the outcome that names its hash, and not by an act that fails", () =>
    Effect.gen(function*() {
      const counts: Array<number> = []
      const actor = doing(Effect.gen(function*() {
        counts.push(yield* Tool.call(Visit, "a"))
        assert.instanceOf(yield* Effect.flip(Tool.call(Visit, "bad")), W.Broken)
        counts.push(yield* Tool.call(Visit, "b"))
      }))
      const ended = yield* H.start(actor, all).pipe(H.registered(actor))
      assert.deepStrictEqual(counts, [1, 2])
      const rows = yield* W.rows(ended.session)
      const left = W.bodies(rows, "outcome").map(({ memory, status }) => [status, memory])
      const digest = yield* Digest.Digest
      assert.deepStrictEqual(left, [
        ["succeeded", { count: digest.sha256("1") }],
        ["failed", undefined],
        ["succeeded", { count: digest.sha256("2") }]
      ])
      assert.deepStrictEqual(memory(rows), new Map([["count", digest.sha256("2")]]))
      // The values are payloads like others: exported, and looked at by verifiers.
      const log = yield* Log.Log
      assert.deepStrictEqual(yield* log.payload(digest.sha256("2")), Option.some("2"))
      assert.include(rows.flatMap((row) => Verify.payloadHashes({ ...row })), digest.sha256("2"))
    }).pipe(Effect.provide(app)))

  it.live("is nobody's who does not declare and hold the key", () =>
    Effect.gen(function*() {
      const { attempt, refusals } = H.attempts()
      const Mallory = H.actor("Mallory", [Plan.read], () =>
        Effect.gen(function*() {
          yield* attempt(Tool.call(Count.write, { value: 3 }))
          yield* attempt(Tool.call(Plan.write, { value: { steps: [] } }))
          yield* attempt(Tool.call(Plan.read, {}))
        }))
      const ended = yield* H.start(Mallory, ["memory:read@other/*"]).pipe(H.registered(Mallory))
      assert.deepStrictEqual(refusals().map(({ layer }) => layer), ["class", "class", "token"])
      const rows = yield* W.rows(ended.session)
      assert.deepStrictEqual(W.bodies(rows, "intent"), [])
      assert.strictEqual(memory(rows).size, 0)
    }).pipe(Effect.provide(app)))

  it.live("is not reached by a handler whose tool does not declare it, nor by a permit whose act is over", () =>
    Effect.gen(function*() {
      const kept: Array<Permit<"tool:visit">> = []
      const said: Array<string> = []
      const attempt = (permit: Permit<"tool:visit">) =>
        Effect.forEach(
          [Memory.get(permit, { key: "count" }), Memory.stage(permit, { key: "count" }, null)],
          (way) =>
            Effect.match(way, {
              onFailure: ({ _tag }) => void said.push(_tag),
              onSuccess: () => void said.push("it was let in")
            })
        )
      const Sly = Tool.make("sly", {
        description: "",
        capabilities: ["tool:visit"],
        params: Schema.String,
        success: Schema.Null
      })
      const sly = Tool.layer(Sly, (_, permit) =>
        Effect.gen(function*() {
          yield* attempt(permit)
          kept.push(permit)
          return null
        }))
      const actor = H.actor("Doer", [Sly, Count.write], () =>
        Effect.gen(function*() {
          yield* Tool.call(Count.write, { value: 7 })
          yield* Effect.provide(Tool.call(Sly, "x"), sly)
          yield* Effect.forEach(kept, attempt)
        }))
      const ended = yield* H.start(actor, all).pipe(H.registered(actor))
      succeeded(ended)
      assert.deepStrictEqual(said, ["Denied", "Denied", "Denied", "Denied"])
      assert.strictEqual(memory(yield* W.rows(ended.session)).size, 1)
    }).pipe(Effect.provide(app)))

  it.live(
    "takes no value that is too long, and no key too many, whoever writes at the same time",
    () =>
      Effect.gen(function*() {
        const keys = Array.from(
          { length: Memory.maxEntries + 8 },
          (_, index) => WorkingMemory.key(`many/${index}`, { description: `number ${index}`, schema: Schema.String })
        )
        const said: Array<string> = []
        const write = (key: (typeof keys)[number] | undefined, value: string) =>
          key === undefined ? Effect.void : Effect.match(
            Effect.provide(
              Tool.call(key.write, { value }),
              WorkingMemory.layer(key)
            ),
            {
              onFailure: (error) => void said.push(error instanceof MemoryError ? error.reason._tag : String(error)),
              onSuccess: () => void said.push("kept")
            }
          )
        const Writer = H.actor("Writer", keys.map((key) => key.write), () =>
          Effect.gen(function*() {
            yield* write(keys[0], "x".repeat(Memory.maxLength - 1))
            yield* write(keys[0], "x".repeat(Memory.maxLength - 2))
            yield* Effect.forEach(keys.slice(1), (key) => write(key, "y"), { concurrency: 8 })
            // One that is there may change, even when there is no room for another.
            yield* write(keys[0], "z")
          }))
        const ended = yield* H.start(Writer, ["memory:write@many/*"]).pipe(H.registered(Writer))
        succeeded(ended)
        assert.deepStrictEqual([said[0], said[1], said.at(-1)], ["TooLong", "kept", "kept"])
        assert.strictEqual(
          said.filter((one) => one === "Full").length,
          8
        )
        assert.strictEqual(said.filter((one) => one === "kept").length, Memory.maxEntries + 1)
        assert.strictEqual(memory(yield* W.rows(ended.session)).size, Memory.maxEntries)
      }).pipe(Effect.provide(app)),
    60_000
  )

  it.live("is a session's own", () =>
    Effect.gen(function*() {
      const counts: Array<number> = []
      const actor = doing(Effect.map(Tool.call(Visit, "a"), (count) => void counts.push(count)))
      const both = Effect.all([H.start(actor, all), H.start(actor, all)], { concurrency: "unbounded" })
      yield* both.pipe(H.registered(actor))
      assert.deepStrictEqual(counts, [1, 1])
    }).pipe(Effect.provide(app)))

  it.live("that was erased or altered is an error, and nothing is made up", () =>
    Effect.gen(function*() {
      const digest = yield* Digest.Digest
      const log = yield* Log.Log
      for (const stored of [Option.none<string>(), Option.some("8")]) {
        const broken: Log.Log["Service"] = {
          ...log,
          payload: (hash) => hash === digest.sha256("7") ? Effect.succeed(stored) : log.payload(hash)
        }
        const reading = WorkingMemory.layer(Count).pipe(Layer.provide(Layer.succeed(Log.Log, broken)))
        const said: Array<string> = []
        const actor = doing(
          Effect.gen(function*() {
            yield* Tool.call(Count.write, { value: 7 })
            const error = yield* Effect.flip(Tool.call(Count.read, {}))
            said.push(error instanceof GovernorError ? "refused" : error.message)
          }).pipe(Effect.provide(reading))
        )
        succeeded(yield* H.start(actor, all).pipe(H.registered(actor)))
        assert.deepStrictEqual(said, ["count: its value was erased or altered"])
      }
    }).pipe(Effect.provide(app)))

  it.live("is written once, wherever the process dies", () =>
    Effect.gen(function*() {
      for (let at = 1; at < 9; at++) {
        const counts: Array<number> = []
        const actor = doing(Effect.forEach(["a", "b", "c"], (where) =>
          Effect.map(Tool.call(Visit, where), (count) =>
            void counts.push(count))))
        yield* Effect.gen(function*() {
          W.revive()
          Object.assign(W.killed, { at, when: at % 2 === 0 ? "before" : "after" })
          yield* Effect.exit(H.start(actor, all))
          W.revive()
          counts.length = 0
          const dispatch = yield* Dispatch.Dispatch
          for (const ended of yield* dispatch.recover) {
            succeeded(ended)
            assert.deepStrictEqual(counts, [1, 2, 3], `died at commit ${at}`)
          }
        }).pipe(H.registered(actor))
      }
    }).pipe(Effect.provide(app)), 60_000)
})

describe("an agent's working memory", () => {
  it.live("is used by tools, is in the hash of every checkpoint, and outlives a wait", () =>
    Effect.gen(function*() {
      const model = yield* W.turns(
        { calls: [W.call("remember_count", { value: 41 })] },
        { calls: [W.call("deploy", { version: "v1" })] },
        { calls: [W.call("recall_count", {})] },
        W.conclude("there")
      )
      const agent = yield* Agent.on(
        Agent.make("Keeper", {
          description: "keeps a number",
          input: Schema.String,
          output: Schema.String,
          tools: [Count.read, Count.write, W.Deploy],
          backends: ["scripted"],
          instructions: "count",
          task: (input) => input
        }),
        model.backend
      )
      yield* Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        const first = waits(yield* dispatch.start(agent, "x", { grant: Grant.make(all), caller: "ada" }))
        yield* approve(first.ticket)
        succeeded(yield* resume(first.session))
        assert.include(JSON.stringify(model.prompts.at(-1)), String.raw`source=\"recall_count\">\n41\n`)

        // Each checkpoint names the memory as its rows say it was then.
        const digest = yield* Digest.Digest
        const rows = yield* W.rows(first.session)
        const hashes = new Set<string>()
        for (const { body, seq } of rows) {
          if (body.kind !== "checkpoint") continue
          assert.strictEqual(body.memory, Checkpoint.memoryHash(digest, memory(rows.slice(0, seq))))
          hashes.add(body.memory)
        }
        assert.strictEqual(hashes.size, 2)
      }).pipe(Effect.provide(Actor.layer(agent)))
    }).pipe(Effect.provide(app)))
})
