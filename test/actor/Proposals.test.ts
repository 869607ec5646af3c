/** What an agent may claim, what stops it, and who else is asked: each refusal with what did not happen by it. */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, type Layer, Schema } from "effect"
import { Actor, Agent } from "../../src/actor/index.ts"
import { type Backend, Scripted } from "../../src/backend/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { Proposal } from "../../src/proposal/index.ts"
import { Approvals, Dispatch } from "../../src/session/index.ts"
import * as W from "./world.ts"

const grant = Grant.make(["tool:look", "backend:scripted", "backend:offline"])
const output = Schema.Struct(Proposal.base)
const base = {
  description: "proposes",
  input: Schema.String,
  output,
  tools: [W.Look],
  backends: ["scripted"],
  instructions: "propose",
  task: (task: string) => task
} as const

const test = (name: string, body: () => Effect.Effect<void, object, Layer.Success<typeof W.app>>) =>
  it.live(name, () => Effect.provide(Effect.suspend(body), W.app))

/** The stamp of the first result that a prompt shows. */
const stampIn = (prompt: unknown) => JSON.stringify(prompt).match(/ses_\w+\/\d+/g)?.at(0) ?? "none"
const proposal = (stamp: string, quote: string, text = quote, severity: Proposal.Severity = "low") =>
  W.conclude({
    title: "t",
    summary: "s",
    severity,
    confidence: 0.5,
    claims: [{ text, evidence: [{ stamp, quote }] }],
    risks: []
  })
const looking = (then: (stamp: string, turn: number) => W.Line) =>
  W.model((turn, prompt) => turn === 0 ? { calls: [W.look("disk 93")] } : then(stampIn(prompt), turn))

beforeEach(() => {
  W.done.length = 0
  W.revive()
})

const run = (model: W.Model, bounds: Partial<Agent.Bounds> = {}) =>
  Effect.gen(function*() {
    const actor = yield* Agent.on(Agent.make("Proposer", { ...base, bounds }), model.backend)
    const ended = yield* Effect.gen(function*() {
      const dispatch = yield* Dispatch.Dispatch
      return yield* dispatch.start(actor, "go", { grant, caller: "test" })
    }).pipe(Effect.provide(Actor.layer(actor)))
    return { ended, rows: yield* W.rows(ended.session) }
  })

describe("a proposal", () => {
  test("whose claims stand in what was shown is accepted", () =>
    Effect.gen(function*() {
      const { ended } = yield* run(yield* looking((stamp) => proposal(stamp, "seen disk 93")))
      assert.strictEqual(ended._tag, "Succeeded")
    }))

  test("that claims what was not recorded goes back with reasons, and is abandoned in the end", () =>
    Effect.gen(function*() {
      const model = yield* looking((stamp, turn) =>
        proposal(stamp, turn % 2 === 0 ? "seen disk 94" : "seen disk 93", "94")
      )
      const { ended, rows } = yield* run(model)
      assert.deepInclude(ended, { _tag: "Failed", abandoned: true, stop: "rejections" })
      assert.deepInclude(W.bodies(rows, "ended")[0], { status: "abandoned", stop: "rejections", result: null })
      const last = JSON.stringify(model.prompts.at(-1))
      assert.include(last, "does not stand in")
      assert.include(last, "which is not in what it cites")
      assert.lengthOf(model.prompts, 5)
    }))

  test("that cites what is there and was not shown, or is a model's own, is rejected", () =>
    Effect.gen(function*() {
      const model = yield* looking((stamp, turn) => {
        const [session] = stamp.split("/")
        return turn === 3 ? proposal(stamp, "seen disk 93") : proposal(`${session}/${turn + 1}`, "disk 93")
      })
      const { ended } = yield* run(model)
      assert.strictEqual(ended._tag, "Succeeded")
      const told = JSON.stringify(model.prompts.at(-1))
      assert.match(told, /is not the outcome of an act|is not a result that was shown here/)
    }))
})

describe("a run that goes on without end", () => {
  test("is stopped when it takes turns between the same calls", () =>
    Effect.gen(function*() {
      const model = yield* W.model((turn) => ({ calls: [W.look(turn % 2 === 0 ? "a" : "b")] }))
      const { ended } = yield* run(model, { maxSteps: 40 })
      assert.deepInclude(ended, { _tag: "Failed", abandoned: true, stop: "cycle" })
      assert.deepStrictEqual(W.done, ["look a", "look b", "look a", "look b"])
    }))

  test("is stopped when it asks for one thing, brings nothing new, or goes past its bounds", () =>
    Effect.gen(function*() {
      const same = yield* W.model(() => ({ calls: [W.look("a")] }))
      assert.deepInclude((yield* run(same, { maxSteps: 40 })).ended, { stop: "repetition" })
      const stale = yield* W.model((turn) => ({ calls: [W.call("look", { at: "a", times: turn })] }))
      assert.deepInclude((yield* run(stale, { maxSteps: 40 })).ended, { stop: "no_evidence", abandoned: true })
      const long = yield* W.model((turn) => ({ calls: [W.look(`${turn}`)] }))
      assert.deepInclude((yield* run(long, { maxSteps: 4 })).ended, { stop: "steps" })
      const talkative = yield* W.model((turn) => ({ calls: [W.look(`${turn}`)] }))
      assert.deepInclude((yield* run(talkative, { maxTokens: 40 })).ended, { stop: "tokens" })
      assert.lengthOf(talkative.prompts, 3)
    }))
})

describe("a second opinion", () => {
  const asked: Array<string> = []
  const reviewer = (...verdicts: ReadonlyArray<unknown>): Effect.Effect<Backend.Backend<"offline">> =>
    Scripted.make({ name: "offline", model: "reviewer", notice: null }, ({ prompt }, turn) => {
      asked.push(JSON.stringify(prompt))
      return { calls: [{ name: "opinion", params: verdicts[turn] ?? verdicts.at(-1) }] }
    })
  const agree = { verdict: "agree", reasons: ["it follows"] }
  const disagree = { verdict: "disagree", reasons: ["93 of what?"] }
  const severe = () => looking((stamp) => proposal(stamp, "seen disk 93", "seen disk 93", "high"))

  const reviewed = (model: W.Model, second: Backend.Backend<"offline">, escalates: boolean) =>
    Agent.on(
      Agent.make("Proposer", { ...base, secondOpinion: { backends: ["offline"], escalates } }),
      model.backend,
      second
    )
  const start = (actor: Effect.Success<ReturnType<typeof reviewed>>) =>
    Dispatch.Dispatch.use((dispatch) => dispatch.start(actor, "go", { grant, caller: "test" }))
  beforeEach(() => void asked.splice(0))

  test("is asked for a severe proposal, and sees that and its evidence alone", () =>
    Effect.gen(function*() {
      const actor = yield* reviewed(yield* severe(), yield* reviewer({ verdict: "maybe" }, agree), false)
      const ended = yield* Effect.provide(start(actor), Actor.layer(actor))
      assert.strictEqual(ended._tag, "Succeeded")
      assert.lengthOf(asked, 2)
      assert.include(asked[0], "seen disk 93")
      assert.notInclude(asked[0], "\"go\"")
      assert.include(asked[1], "that is no opinion")
      const rows = yield* W.rows(ended.session)
      assert.lengthOf(W.bodies(rows, "outcome").filter(({ act }) => act === "model:offline"), 2)
    }))

  test("is not asked for one that is not severe, nor for one whose claims do not hold", () =>
    Effect.gen(function*() {
      const mild = yield* looking((stamp) => proposal(stamp, "seen disk 93"))
      const actor = yield* reviewed(mild, yield* reviewer(agree), false)
      yield* Effect.provide(start(actor), Actor.layer(actor))
      const wrong = yield* looking((stamp) => proposal(stamp, "seen disk 99", "x", "critical"))
      const other = yield* reviewed(wrong, yield* reviewer(agree), false)
      yield* Effect.provide(start(other), Actor.layer(other))
      assert.lengthOf(asked, 0)
    }))

  test("that disagrees rejects the proposal, with its reasons as data", () =>
    Effect.gen(function*() {
      const model = yield* severe()
      const actor = yield* reviewed(model, yield* reviewer(disagree, agree), false)
      const ended = yield* Effect.provide(start(actor), Actor.layer(actor))
      assert.strictEqual(ended._tag, "Succeeded")
      assert.match(JSON.stringify(model.prompts.at(-1)), /a second opinion disagrees.*<data-\w{32} source=.*93 of what/)
    }))

  for (const approve of [true, false]) {
    test(`that disagrees waits for a person, who ${approve ? "accepts" : "denies"} it`, () =>
      Effect.gen(function*() {
        const model = yield* severe()
        const actor = yield* reviewed(model, yield* reviewer(disagree), true)
        yield* Effect.gen(function*() {
          const ended = yield* start(actor)
          assert.strictEqual(ended._tag, "Waiting")
          const [ticket] = yield* Effect.flatMap(Approvals.Approvals, (approvals) => approvals.list)
          assert.strictEqual(ticket?.act, "accept_proposal")
          yield* Approvals.Approvals.use((approvals) =>
            approvals.decide({ ticket: ticket?.id ?? "", approve, by: "ada", reason: "" })
          )
          const again = yield* Dispatch.Dispatch.use((dispatch) => dispatch.resume(ended.session))
          if (approve) assert.strictEqual(again._tag, "Succeeded")
          else assert.deepInclude(again, { _tag: "Failed", abandoned: true, stop: "rejections" })
          // What was asked before is answered from the log.
          assert.lengthOf(asked, approve ? 1 : 4)
        }).pipe(Effect.provide(Actor.layer(actor)))
      }))
  }

  test("is not taken from off the list, nor from the model that proposed", () =>
    Effect.gen(function*() {
      const model = yield* severe()
      const foreign = { ...(yield* reviewer(agree)), name: "ollama" as unknown as "offline" }
      assert.strictEqual((yield* Effect.flip(reviewed(model, foreign, false))).backend, "ollama")
      const Own = Agent.make("Proposer", { ...base, secondOpinion: { backends: ["scripted"] } })
      assert.strictEqual((yield* Effect.flip(Agent.on(Own, model.backend, model.backend))).backend, "scripted")
    }))
})
