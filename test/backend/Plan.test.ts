/**
 * Backends in order: moved on from where another can help and nowhere else, each attempt an act of its own, and the same
 * answer of the same backend however often the run is killed and whatever the circuits say by then.
 */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Result, Schema, Stream } from "effect"
import { AiError, LanguageModel, Prompt } from "effect/ai"
import { Actor, Agent, DeterministicActor } from "../../src/actor/index.ts"
import { Log } from "../../src/audit/index.ts"
import { type Backend, BackendError, Breaker, Failure, Plan, Scripted, Setup } from "../../src/backend/index.ts"
import { type Capability, Grant } from "../../src/capability/index.ts"
import { Prices } from "../../src/cost/index.ts"
import { GovernorError } from "../../src/governor/index.ts"
import { Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import * as W from "../actor/world.ts"

const prices = Layer.succeed(Prices.Prices, {
  asOf: "2026-01-01",
  price: (backend, model, { input, output }) =>
    model === "unpriced"
      ? Result.fail(new Prices.UnknownModel({ backend, model, remedy: "give its price" }))
      : Result.succeed((backend === "openai" ? 1000 : 1) * (input + output))
})

/** Which backends were asked, in order. */
const asked: Array<string> = []
beforeEach(() => {
  asked.length = 0
  W.revive()
})

type Says = string | Failure.Kind
const isKind = (says: Says): says is Failure.Kind => Failure.kinds.some((kind) => kind === says)

/** A backend that says this each time: a text, or that it fails so. */
const backend = <N extends Backend.Name>(name: N, says: () => Says, model = "m") =>
  Scripted.make({ name, model, notice: null }, () => {
    asked.push(name)
    const said = says()
    if (!isKind(said)) return { text: said }
    const { reason } = Failure.make(said, { detail: "so it is" })
    return AiError.make({ module: "Test", method: "generateText", reason })
  })

const may = (name: Backend.Name) =>
  Tool.make(`ask_${name}`, {
    description: "",
    capabilities: [`backend:${name}`],
    params: Schema.Unknown,
    success: Schema.Unknown
  })
const names = ["ollama", "openai", "anthropic"] as const
type Asker = Actor.Actor<string, typeof Schema.Null, typeof Schema.Unknown, never, never>
const asker = <E, R>(run: () => Effect.Effect<unknown, E, R>) =>
  DeterministicActor.make("Asker", {
    description: "asks",
    input: Schema.Null,
    output: Schema.Unknown,
    tools: names.map(may),
    supervision: { on: [] },
    run: run as never
  }) as unknown as Asker

const all: ReadonlyArray<Capability.Name> = names.map((name) => `backend:${name}` as const)
const request = { prompt: Prompt.make("hi"), tools: [] }

const say = <N extends Backend.Name>(plan: Plan.Plan<N>) =>
  Effect.match(Plan.generate(plan, request), {
    onFailure: (error) =>
      error instanceof GovernorError
        ? `${error.reason._tag} by ${"layer" in error.reason ? error.reason.layer : "none"}`
        : error instanceof BackendError.BackendError
        ? `${error.backend}: ${error.reason._tag}`
        : error._tag,
    onSuccess: ({ value }) => value.text
  })

/** One session that does this, with circuits of its own. */
const run = <E, R>(
  what: () => Effect.Effect<unknown, E, R>,
  { breakers = Breaker.make(), budgetMicroUsd = 1_000_000_000, held = all }: {
    readonly breakers?: Breaker.Breakers
    readonly budgetMicroUsd?: number
    readonly held?: ReadonlyArray<Capability.Name>
  } = {}
) =>
  Effect.gen(function*() {
    const actor = asker(what)
    const grant = Grant.make(held, { budgetMicroUsd })
    const ended = yield* Dispatch.Dispatch.use((dispatch) =>
      dispatch.start(actor, null, { grant: grant as never, caller: "ada" })
    ).pipe(
      Effect.provide(
        Layer.provide(Actor.layer(actor), Layer.mergeAll(prices, Layer.succeed(Breaker.Current, breakers)))
      )
    )
    return { ended, rows: yield* W.rows(ended.session) }
  })
const outputOf = (ended: Dispatch.Ended<unknown>) => ended._tag === "Succeeded" ? ended.output : ended

const test = (name: string, body: () => Effect.Effect<void, object, Layer.Success<typeof W.runtime>>) =>
  it.live(name, () => Effect.provide(Effect.suspend(body), W.runtime))

describe("a plan", () => {
  const helps: ReadonlyArray<Failure.Kind> = [
    "RateLimited",
    "Overloaded",
    "ProviderFailed",
    "QuotaExhausted",
    "NotConnected",
    "TimedOut",
    "CutShort",
    "InvalidAnswer"
  ]
  for (const kind of Failure.kinds) {
    test(`${helps.includes(kind) ? "moves on" : "does not move on"} after ${kind}`, () =>
      Effect.gen(function*() {
        const first = yield* backend("ollama", () => kind)
        const second = yield* backend("openai", () => "from the second")
        const third = yield* backend("anthropic", () => "from the third")
        const { ended } = yield* run(() => say(Plan.make<Backend.Name>(first, second, third)))
        assert.strictEqual(outputOf(ended), helps.includes(kind) ? "from the second" : `ollama: ${kind}`)
        assert.deepStrictEqual(asked, helps.includes(kind) ? ["ollama", "openai"] : ["ollama"])
      }))
  }

  test("makes each attempt an act of its own: admitted, priced and recorded under its own backend", () =>
    Effect.gen(function*() {
      const first = yield* backend("ollama", () => "CutShort", "small")
      const second = yield* backend("openai", () => "hi", "large")
      const { ended, rows } = yield* run(() => say(Plan.make<Backend.Name>(first, second)))
      assert.strictEqual(outputOf(ended), "hi")
      const acts = rows.flatMap(({ body, key }) => body.kind === "outcome" ? [{ key, ...body }] : [])
      assert.deepStrictEqual(acts.map(({ act, key, status }) => `${key} ${act} ${status}`), [
        "#0/0#0 model:ollama failed",
        "#0/1#0 model:openai succeeded",
        "#0 plan succeeded"
      ])
      const [cut, answered, whole] = acts
      // What was cut short may be billed in full; the plan itself costs nothing.
      const reserved = W.bodies(rows, "intent").map(({ reservedMicroUsd }) => reservedMicroUsd)
      assert.strictEqual(cut?.costMicroUsd, reserved[1])
      assert.strictEqual(
        answered?.costMicroUsd,
        1000 * ((answered?.usage?.input ?? 0) + (answered?.usage?.output ?? 0))
      )
      assert.deepInclude(answered?.usage, { backend: "openai", model: "large" })
      assert.strictEqual(whole?.costMicroUsd, 0)
      assert.include(whole?.resultPreview, `"backend":"openai/large"`)
    }))

  test("gives the failure of the last when none can", () =>
    Effect.gen(function*() {
      const plan = Plan.make<Backend.Name>(
        yield* backend("ollama", () => "Overloaded"),
        yield* backend("openai", () => "NotConnected")
      )
      const { ended } = yield* run(() => say(plan))
      assert.strictEqual(outputOf(ended), "openai: NotConnected")
      assert.deepStrictEqual(asked, ["ollama", "openai"])
    }))

  const refusals = [
    ["token", { held: ["backend:openai"] }, "m", "Refused by token"],
    ["budget", { budgetMicroUsd: 10 }, "m", "Refused by budget"],
    ["price list", {}, "unpriced", "UnknownModel"]
  ] as const
  for (const [who, options, model, said] of refusals) {
    test(`does not get around the ${who}: nobody is asked`, () =>
      Effect.gen(function*() {
        const plan = Plan.make<Backend.Name>(
          yield* backend("ollama", () => "no", model),
          yield* backend("openai", () => "no")
        )
        const { ended } = yield* run(() => say(plan), options)
        assert.strictEqual(outputOf(ended), said)
        assert.deepStrictEqual(asked, [])
      }))
  }

  test("keeps to the budget between attempts: the second is not asked when the first used it up", () =>
    Effect.gen(function*() {
      const plan = Plan.make<Backend.Name>(
        yield* backend("ollama", () => "CutShort"),
        yield* backend("openai", () => "no")
      )
      const { ended } = yield* run(() => say(plan), { budgetMicroUsd: 10_000 })
      assert.strictEqual(outputOf(ended), "Refused by budget")
      assert.deepStrictEqual(asked, ["ollama"])
    }))

  test("is inside the list of its class, or the class is not put on it", () =>
    Effect.gen(function*() {
      const Local = Agent.make("Local", {
        description: "",
        input: Schema.String,
        output: Schema.String,
        tools: [],
        backends: ["ollama"],
        instructions: "",
        task: (text) => text
      })
      const local = yield* backend("ollama", () => "no")
      const plan = Plan.make<Backend.Name>(local, yield* backend("openai", () => "no"))
      const made = yield* Effect.result(Agent.on(Local, plan as unknown as Plan.Plan<"ollama">))
      const refused = new Agent.BackendNotAllowed({ agent: "Local", backend: "openai", allowed: ["ollama"] })
      assert.deepStrictEqual(Result.isFailure(made) ? made.failure : made, refused)
      const on = yield* Agent.on(Local, Plan.make(local, local))
      assert.deepStrictEqual(on.backends, ["ollama", "ollama"])
      assert.deepStrictEqual(asked, [])
    }))

  test("drives an agent, on whichever answers", () =>
    Effect.gen(function*() {
      const Namer = Agent.make("Namer", {
        description: "",
        input: Schema.String,
        output: Schema.String,
        tools: [],
        backends: ["ollama", "scripted"],
        instructions: "",
        task: (text) => text
      })
      const model = yield* W.turns(W.conclude("Rex"))
      const namer = yield* Agent.on(
        Namer,
        Plan.make<"ollama" | "scripted">(
          yield* backend("ollama", () => "Overloaded"),
          model.backend
        )
      )
      const grant = Grant.make(["backend:ollama", "backend:scripted"])
      const ended = yield* Dispatch.Dispatch.use((dispatch) => dispatch.start(namer, "a dog", { grant, caller: "ada" }))
        .pipe(Effect.provide(Layer.provide(Actor.layer(namer), Layer.succeed(Breaker.Current, Breaker.make()))))
      assert.deepInclude(ended, { _tag: "Succeeded", output: "Rex" })
    }))

  test("of backends that cannot all be made leaves those out and says what is missing", () =>
    Effect.gen(function*() {
      const missing = new Setup.SetupError({
        backend: "openai",
        reason: new Setup.MissingKey({ variable: "OPENAI_API_KEY", remedy: "set it" })
      })
      const there = backend("ollama", () => "hi")
      const { missing: told, plan } = yield* Plan.available<Backend.Name, never>(Effect.fail(missing), there)
      assert.deepStrictEqual(plan.backends.map(({ name }) => name), ["ollama"])
      assert.deepStrictEqual(told, [missing])
      const none = yield* Effect.flip(Plan.available(Effect.fail(missing), Effect.fail(missing)))
      assert.strictEqual(none, missing)
    }))

  test("that streams asks nobody else once something was heard", () =>
    Effect.gen(function*() {
      const { reason } = Failure.make("CutShort", { detail: "cut" })
      const cut = AiError.make({ module: "Test", method: "streamText", reason })
      const streaming = (pieces: ReadonlyArray<string>) =>
        Effect.map(
          LanguageModel.make({
            generateText: () => Effect.fail(cut),
            streamText: () => {
              asked.push("ollama")
              const start = { type: "text-start" as const, id: "1" }
              const deltas = pieces.map((delta) => ({ type: "text-delta" as const, id: "1", delta }))
              return Stream.concat(Stream.fromIterable(pieces.length === 0 ? [] : [start, ...deltas]), Stream.fail(cut))
            }
          }),
          (languageModel): Backend.Backend<"ollama"> => ({
            name: "ollama",
            model: "m",
            notice: null,
            maxOutputTokens: 10,
            languageModel
          })
        )
      const heard: Array<string> = []
      const hear = (piece: Backend.Heard) =>
        Effect.sync(() => void (piece.type === "text-delta" && heard.push(piece.delta)))
      for (const [pieces, times] of [[[], 2], [["Hel"], 1]] as const) {
        asked.length = 0
        const one = yield* streaming(pieces)
        yield* run(() => Effect.ignore(Plan.stream(Plan.make(one, one), request, hear)))
        assert.lengthOf(asked, times)
      }
      assert.deepStrictEqual(heard, ["Hel"])
    }))
})

describe("a backend that keeps failing", () => {
  test("is left alone by later calls, and asked when all are", () =>
    Effect.gen(function*() {
      let second: Says = "hi"
      const breakers = Breaker.make({ failures: 2, windowMs: 60_000, openMs: 60_000 })
      const plan = Plan.make<Backend.Name>(
        yield* backend("ollama", () => "Overloaded"),
        yield* backend("openai", () => second)
      )
      const { ended, rows } = yield* run(() =>
        Effect.gen(function*() {
          const said = [yield* say(plan), yield* say(plan), yield* say(plan)]
          second = "NotConnected"
          return [...said, yield* say(plan), yield* say(plan), yield* say(plan)]
        }), { breakers })
      assert.deepStrictEqual(asked, [
        "ollama",
        "openai",
        "ollama",
        "openai",
        // Two failures of the first: from here on it is passed over.
        "openai",
        "openai",
        "openai",
        // Now both are to be left alone, and the first has been for longer.
        "ollama"
      ])
      assert.deepStrictEqual(outputOf(ended), [
        "hi",
        "hi",
        "hi",
        "openai: NotConnected",
        "openai: NotConnected",
        "ollama: Overloaded"
      ])
      const plans = W.bodies(rows, "outcome").filter(({ act }) => act === "plan")
      assert.include(plans[2]?.resultPreview, `"passedOver":["ollama/m"]`)
    }))

  test("is not held against the vendor when it was our refusal, a filter or a mistake", () =>
    Effect.gen(function*() {
      const breakers = Breaker.make({ failures: 1, windowMs: 60_000, openMs: 60_000 })
      const says: Array<Says> = ["ContentFiltered", "InvalidRequest", "ContextTooLong", "hi"]
      const plan = Plan.make<Backend.Name>(yield* backend("ollama", () => says.shift() ?? "hi"))
      const { ended } = yield* run(() => Effect.all([say(plan), say(plan), say(plan), say(plan)]), { breakers })
      assert.deepStrictEqual(outputOf(ended), [
        "ollama: ContentFiltered",
        "ollama: InvalidRequest",
        "ollama: ContextTooLong",
        "hi"
      ])
    }))
})

describe("a run on a plan that was killed at any commit", () => {
  for (const before of ["closed", "open"] as const) {
    test(`goes on to the same answers of the same backends, though the first's circuit was ${before} and turned`, () =>
      Effect.gen(function*() {
        const first = yield* backend("ollama", () => before === "closed" ? "Overloaded" : "first")
        const plan = Plan.make<Backend.Name>(first, yield* backend("openai", () => "second"))
        const breakers = () => Breaker.make({ failures: 1, windowMs: 60_000, openMs: 60_000 })
        /** Circuits on which the first backend is left alone. */
        const without = Effect.gen(function*() {
          const made = breakers()
          yield* made.enter("ollama/m")
          yield* made.leave("ollama/m", "failed")
          return made
        })
        const twice = () => Effect.all([say(plan), say(plan)])
        let deaths = 0
        for (let at = 1;; at++) {
          asked.length = 0
          Object.assign(W.killed, { at, when: "after", commits: 0 })
          const known = new Set((yield* Log.Log.use((log) => log.sessions)).map(({ id }) => id))
          const died = yield* Effect.exit(
            run(twice, { breakers: before === "open" ? yield* without : breakers() })
          )
          W.revive()
          const session = (yield* Log.Log.use((log) => log.sessions)).find(({ id }) => !known.has(id))
          if (session === undefined) return assert.fail("no session was opened")
          if (Exit.isSuccess(died)) break
          deaths++
          const done = W.bodies(yield* W.rows(session.id), "outcome").filter(({ status }) => status === "succeeded")
          const actor = asker(twice)
          const turned = before === "open" ? breakers() : yield* without
          const ended = yield* Dispatch.Dispatch.use((dispatch) => dispatch.resume(session.id)).pipe(
            Effect.provide(
              Layer.provide(Actor.layer(actor), Layer.mergeAll(prices, Layer.succeed(Breaker.Current, turned)))
            )
          )
          const answers = done.filter(({ act }) => act.startsWith("model:"))
          const after = yield* W.rows(session.id)
          assert.isFalse(W.bodies(after, "noted").some(({ what }) => what === "nondeterminism"))
          const said = outputOf(ended) as ReadonlyArray<string>
          assert.lengthOf(said, 2)
          // What was answered before it died is answered the same, though the circuits would choose another by now.
          answers.forEach(({ act }, index) =>
            assert.strictEqual(said[index], act === "model:openai" ? "second" : "first")
          )
          const succeeded = W.succeeded(after).filter((act) => act.startsWith("model:"))
          assert.lengthOf(succeeded, 2)
        }
        assert.isAbove(deaths, 8)
      }))
  }
})
