/** An agent whose money runs out: its run ends, typed, with what it had come to, and nothing is called that is not paid for. */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, Layer, Result, Schema } from "effect"
import { Actor, Agent, DeterministicActor, Unfinished } from "../../src/actor/index.ts"
import { Log } from "../../src/audit/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { Prices } from "../../src/cost/index.ts"
import { Store } from "../../src/governor/index.ts"
import { Operations } from "../../src/operator/index.ts"
import { Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import * as W from "./world.ts"

const Seeker = Agent.make("Seeker", {
  description: "seeks",
  input: Schema.String,
  output: Schema.Struct({ found: Schema.String }),
  tools: [W.Look],
  backends: ["scripted"],
  instructions: "seek",
  task: (question) => `find ${question}`,
  // Another run would be stopped as the one before.
  supervision: { on: ["actor_error"] }
})

/** A call holds 500 micro-dollars, and costs 150. */
const prices = Layer.succeed(Prices.Prices, {
  asOf: "2026-01-01",
  price: (_, __, { output }) => Result.succeed(output === 100 ? 500 : 150)
})

const secret = "password=hunter2hunter2"
const wordy = (turn: number): W.Line =>
  turn === 1
    ? { text: `so far: ${secret}`, calls: [W.call("conclude", { found: 7 })] }
    : { text: `turn ${turn}`, calls: [W.look(turn === 0 ? "a" : "nowhere")] }

const capabilities = ["tool:look", "backend:scripted", "spawn:Seeker"] as const
const budgeted = (budgetMicroUsd: number) => Grant.make(capabilities, { budgetMicroUsd })

const seek = Effect.fnUntraced(function*(budgetMicroUsd: number, line: (turn: number) => W.Line = wordy) {
  const model = yield* W.model(line)
  const agent = yield* Agent.on(Seeker, model.backend)
  const layer = Actor.layer(agent).pipe(Layer.provide(prices))
  const ended = yield* Dispatch.Dispatch.use((dispatch) =>
    dispatch.start(agent, "it", { grant: budgeted(budgetMicroUsd), caller: "ada" })
  ).pipe(Effect.provide(layer))
  const again = yield* Dispatch.Dispatch.use((dispatch) => dispatch.resume(ended.session)).pipe(Effect.provide(layer))
  return { ended, again, prompts: model.prompts, rows: yield* W.rows(ended.session) }
})

beforeEach(() => {
  W.done.length = 0
  W.revive()
})

describe("an agent whose budget ends", () => {
  it.live("is stopped before the call that does not fit, and leaves what it had come to", () =>
    Effect.gen(function*() {
      // Three calls at 150 and two looks at 7 are paid for; the fourth call would hold 500 of 450.
      const { again, ended, prompts, rows } = yield* seek(914)
      assert.strictEqual(prompts.length, 3)
      assert.deepInclude(ended, { _tag: "Failed", abandoned: true, stop: "budget" })
      if (ended._tag !== "Failed") return
      assert.match(ended.detail, /^its budget has ended: session:ses_\w+: 500 micro-dollars wanted, 450 of 914 left$/)
      const partial = Schema.decodeUnknownSync(Unfinished.Unfinished)(ended.partial)
      const look = rows.find(({ body }) => body.kind === "outcome" && body.act === "look")
      assert.deepStrictEqual(partial, {
        actor: "Seeker",
        steps: 3,
        said: "turn 2",
        evidence: [{ tool: "look", stamp: `${ended.session}/${look?.seq}` }],
        draft: { found: 7 }
      })
      assert.deepStrictEqual(again, ended)
      assert.deepInclude(W.bodies(rows, "ended")[0], { status: "abandoned", stop: "budget", result: null })
      assert.deepInclude(W.bodies(rows, "refusal").at(-1), { act: "model:scripted", layer: "budget", ran: false })
      const kept = W.bodies(rows, "ended")[0]?.partial
      const payload = kept === undefined ? undefined : yield* Log.Log.use((log) => log.payload(kept))
      assert.strictEqual(payload?._tag, "Some")
      assert.deepInclude(Operations.standing(ended), { status: "failed", stop: "budget", partial: ended.partial })
      const accounts = yield* Store.Store.use((store) => store.accounts)
      for (const { reserved, spent } of accounts) assert.deepStrictEqual([reserved, spent], [0, 3 * 150 + 2 * 7])
      assert.deepStrictEqual(W.bodies(rows, "restarted"), [])
    }).pipe(Effect.provide(W.app)))

  it.live("says so when there was not money for anything, and hides secrets in its words", () =>
    Effect.gen(function*() {
      const none = yield* seek(499)
      assert.strictEqual(none.prompts.length, 0)
      assert.deepInclude(none.ended, {
        _tag: "Failed",
        stop: "budget",
        partial: { actor: "Seeker", steps: 0, said: "", evidence: [], draft: null }
      })
      const some = yield* seek(760)
      assert.strictEqual(some.prompts.length, 2)
      assert.include(JSON.stringify(some.ended), "so far:")
      assert.notInclude(JSON.stringify(some.ended), "hunter2")
    }).pipe(Effect.provide(W.app)))

  it.live("is not stopped while the next call just fits", () =>
    Effect.gen(function*() {
      const conclude = W.conclude({ found: "there" })
      const { ended } = yield* seek(656, (turn) => turn === 0 ? { calls: [W.look("a")] } : conclude)
      assert.deepInclude(ended, { _tag: "Failed", stop: "budget" })
      const enough = yield* seek(657, (turn) => turn === 0 ? { calls: [W.look("a")] } : conclude)
      assert.deepInclude(enough.ended, { _tag: "Succeeded", output: { found: "there" } })
      assert.deepStrictEqual(W.done, ["look a", "look a"])
    }).pipe(Effect.provide(W.app)))

  it.live("tells its parent, which ends as stopped unless it knows better", () =>
    Effect.gen(function*() {
      const model = yield* W.model(wordy)
      const agent = yield* Agent.on(Seeker, model.backend)
      const Boss = DeterministicActor.make("Boss", {
        description: "has it sought",
        input: Schema.Boolean,
        output: Schema.Unknown,
        tools: [agent.tool],
        run: (isPatient) => {
          const asked = Actor.spawn(agent, "it")
          return isPatient
            ? Effect.catchTag(asked, "ActorError", ({ partial, stop }) => Effect.succeed({ partial, stop }))
            : asked
        }
      })
      const layer = Actor.layer(Boss).pipe(Layer.provideMerge(Actor.layer(agent)), Layer.provide(prices))
      const start = (isPatient: boolean) =>
        Dispatch.Dispatch.use((dispatch) => dispatch.start(Boss, isPatient, { grant: budgeted(499), caller: "ada" }))
          .pipe(Effect.provide(layer))
      const partial = { actor: "Seeker", steps: 0, said: "", evidence: [], draft: null }
      assert.deepInclude(yield* start(false), { _tag: "Failed", abandoned: true, stop: "budget", partial })
      assert.deepInclude(yield* start(true), { _tag: "Succeeded", output: { stop: "budget", partial } })
    }).pipe(Effect.provide(W.app)))
})

describe("a deterministic actor whose budget ends", () => {
  it.live("fails as stopped, with nothing but its rows to show", () =>
    Effect.gen(function*() {
      const Walker = DeterministicActor.make("Walker", {
        description: "walks",
        input: Schema.Null,
        output: Schema.Null,
        tools: [W.Look],
        run: () =>
          Effect.forEach(["a", "b", "c"], (at) => Tool.call(W.Look, { at })).pipe(
            Effect.catchTag("Broken", Effect.die),
            Effect.as(null)
          )
      })
      const ended = yield* Dispatch.Dispatch.use((dispatch) =>
        dispatch.start(Walker, null, { grant: Grant.make(["tool:look"], { budgetMicroUsd: 20 }), caller: "ada" })
      ).pipe(Effect.provide(Actor.layer(Walker)))
      assert.deepInclude(ended, { _tag: "Failed", abandoned: false, stop: "budget", partial: null })
      assert.deepStrictEqual(W.done, ["look a", "look b"])
    }).pipe(Effect.provide(W.app)))
})
