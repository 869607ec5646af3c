/**
 * A thousand model calls at once against one ceiling, with vendors that answer late, fail, break down or are given up on:
 * whatever the interleaving, what is spent and held never passes the ceiling, and in the end nothing is held.
 */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, FileSystem, Layer, Result, Schema } from "effect"
import { AiError, LanguageModel, Prompt, type Response } from "effect/ai"
import fc from "fast-check"
import { KeySet } from "../../layers/jose/index.ts"
import { core, digest } from "../../layers/presets/Core.ts"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import { Log, type Row } from "../../src/audit/index.ts"
import { Backend } from "../../src/backend/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { Prices } from "../../src/cost/index.ts"
import { branch, Store } from "../../src/governor/index.ts"
import { Dispatch, Mailbox } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"

/** Calls of one trial. */
export const calls = 1000

const fates = ["answers", "answers", "answers", "refuses", "is cut", "breaks down", "is given up on"] as const
type Fate = (typeof fates)[number]

/** What becomes of a call. */
interface Plan {
  readonly fate: Fate
  readonly latencyMs: number
  /** Tokens of the answer, 100 at the most. */
  readonly output: number
}

const plan: fc.Arbitrary<Plan> = fc.record({
  fate: fc.constantFrom(...fates),
  latencyMs: fc.nat(8),
  output: fc.nat(100)
})
const trial = fc.record({
  /** The tight ceiling is each session's own, or that of the caller of all. */
  tight: fc.constantFrom("session", "caller"),
  sessions: fc.constantFrom(1, 4),
  /** How much of what all calls want there is, in thousandths. */
  share: fc.nat(1200),
  /** What the plans of the calls are drawn by. */
  seed: fc.nat()
})
type Trial = typeof trial extends fc.Arbitrary<infer A> ? A : never

// --- the vendor --------------------------------------------------------------

/** Micro-dollars: one a token in, ten a token out. */
const prices = Layer.succeed(Prices.Prices, {
  asOf: "2026-01-01",
  price: (_, __, { input, output }) => Result.succeed(input + 10 * output)
})
/** Tokens that every answer has used of its prompt. */
const used = 20
/** About what one call holds. */
const wanted = 2300

let plans: ReadonlyArray<Plan> = []
let asked: Array<number> = []

const failing = (reason: AiError.AiErrorReason) =>
  Effect.fail(AiError.make({ module: "Vendor", method: "generateText", reason }))

const answering = (index: number): Effect.Effect<Array<Response.PartEncoded>, AiError.AiError> =>
  Effect.suspend(() => {
    asked.push(index)
    const { fate, latencyMs, output } = plans[index] ?? { fate: "breaks down", latencyMs: 0, output: 0 }
    const after = Effect.sleep(fate === "is given up on" ? 60_000 : latencyMs)
    switch (fate) {
      case "refuses":
        return Effect.andThen(after, failing(new AiError.RateLimitError({})))
      case "is cut":
        return Effect.andThen(after, failing(new AiError.InvalidOutputError({ description: "it was cut" })))
      case "breaks down":
        return Effect.andThen(after, Effect.die("the handler broke"))
      default:
        return Effect.as(after, [{
          type: "finish",
          reason: "stop",
          usage: {
            inputTokens: { total: used, uncached: undefined, cacheRead: undefined, cacheWrite: undefined },
            outputTokens: { total: output, text: undefined, reasoning: undefined }
          },
          response: undefined
        }])
    }
  })

/** What a call costs that held `held`. */
const billed = ({ fate, output }: Plan, held: number): number =>
  fate === "answers" ? used + 10 * output : fate === "refuses" ? 0 : held

// --- who calls ---------------------------------------------------------------

const Ask = Tool.make("ask", {
  description: "asks",
  capabilities: ["backend:scripted"],
  params: Schema.Null,
  success: Schema.Null
})

const app = Effect.gen(function*() {
  const languageModel = yield* LanguageModel.make({
    generateText: ({ prompt }) => answering(Number(JSON.stringify(prompt.content).match(/call (\d+)/)?.[1])),
    streamText: () => assert.fail("nobody streams here")
  })
  const backend: Backend.Backend<"scripted"> = {
    name: "scripted",
    model: "m",
    notice: null,
    maxOutputTokens: 100,
    languageModel
  }
  const Caller = DeterministicActor.make("Caller", {
    description: "calls, many at once",
    input: Schema.Array(Schema.Natural),
    output: Schema.Null,
    tools: [Ask],
    run: (indices) =>
      Effect.forEach(
        indices,
        (index) =>
          Backend.generate(backend, { prompt: Prompt.make(`call ${index}`), tools: [] }).pipe(
            plans[index]?.fate === "is given up on" ? Effect.timeout(20) : (self) => self,
            branch(`call-${index}`),
            Effect.exit
          ),
        { concurrency: "unbounded", discard: true }
      ).pipe(Effect.as(null))
  })
  return { Caller, layer: Actor.layer(Caller).pipe(Layer.provide(prices)) }
})

const keys = Layer.unwrap(Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  return KeySet.layer(yield* fs.makeTempDirectoryScoped({ prefix: "aosiq-keys-" }))
}))

/** Ceilings of callers, filled in as trials want them. */
const ceilings: Record<string, number> = {}

const runtime = <E>(log: Layer.Layer<Store.Store | Log.Log, E>) =>
  core(Mailbox.layerLocal).pipe(
    Layer.provide(
      Layer.succeed(Dispatch.CurrentCeilings, { caller: 1e12, class: 1e12, accounts: ceilings })
    ),
    Layer.provideMerge(log),
    Layer.provideMerge(Layer.mergeAll(digest, keys)),
    Layer.provideMerge(NodeServices.layer)
  )

// --- what must hold ----------------------------------------------------------

const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((total, number) => total + number, 0)

const within = (accounts: ReadonlyArray<Store.AccountView>) => {
  for (const { ceiling, id, reserved, spent } of accounts) {
    assert.isAtMost(reserved + spent, ceiling, `${id} is above its ceiling`)
  }
}

const indexOf = (key: string | null) => Number(key?.match(/call-(\d+)/)?.[1])

/** Reads a chain as its account: after every row it is within its ceiling, and each bill is what its call came to. */
const replayed = (rows: ReadonlyArray<Row.Row>, ceiling: number) => {
  const held = new Map<string, number>()
  let spent = 0
  for (const { body, key } of rows) {
    if (key === null) continue
    if (body.kind === "intent") held.set(key, body.reservedMicroUsd)
    if (body.kind === "outcome") {
      const wants = plans[indexOf(key)]
      assert.strictEqual(wants && billed(wants, held.get(key) ?? 0), body.costMicroUsd, `bill of ${key}`)
      held.delete(key)
      spent += body.costMicroUsd
    }
    assert.isAtMost(sum([...held.values()]) + spent, ceiling, `after ${key}`)
  }
  assert.strictEqual(held.size, 0, "every call came to an outcome")
  return spent
}

let number = 0

const run = Effect.fnUntraced(function*(wants: Trial) {
  const { Caller, layer } = yield* app
  const store = yield* Store.Store
  const caller = `caller ${number++} of ${yield* Clock.currentTimeMillis}`
  plans = fc.sample(plan, { seed: wants.seed, numRuns: calls })
  asked = []
  const all = Math.ceil(calls * wanted * wants.share / 1000)
  const own = wants.tight === "session" ? Math.ceil(all / wants.sessions) : 1e12
  ceilings[`caller:${caller}`] = wants.tight === "caller" ? all : 1e12
  const watching = yield* Effect.forkChild(
    Effect.forever(
      Effect.andThen(
        Effect.flatMap(Effect.orDie(store.accounts), (now) => Effect.sync(() => within(now))),
        Effect.sleep(3)
      )
    )
  )
  const grant = Grant.make(["backend:scripted"], { budgetMicroUsd: own })
  const indices = plans.map((_, index) => index)
  const ended = yield* Effect.forEach(
    Array.from({ length: wants.sessions }, (_, part) => indices.filter((index) => index % wants.sessions === part)),
    (part) => Dispatch.Dispatch.use((dispatch) => dispatch.start(Caller, part, { grant, caller })),
    { concurrency: "unbounded" }
  ).pipe(Effect.provide(layer))
  const stopped = yield* Effect.exit(Effect.raceFirst(Fiber.join(watching), Effect.void))
  assert.strictEqual(stopped._tag, "Success", String(stopped))
  yield* Fiber.interrupt(watching)

  const accounts = yield* store.accounts
  within(accounts)
  let spent = 0
  const met = new Set<number>()
  const begun = new Set<number>()
  for (const { _tag, session } of ended) {
    assert.strictEqual(_tag, "Succeeded")
    const rows = yield* Log.Log.use((log) => log.rows(session))
    const cost = replayed(rows, own)
    const account = accounts.find(({ id }) => id === `session:${session}`)
    assert.deepInclude(account, { reserved: 0, spent: cost })
    spent += cost
    for (const { body, key } of rows) {
      if (body.kind === "intent") begun.add(indexOf(key))
      if (body.kind === "intent" || body.kind === "refusal") met.add(indexOf(key))
    }
    const refused = rows.filter(({ body }) => body.kind === "refusal")
    assert.isTrue(refused.every(({ body }) => body.kind === "refusal" && body.layer === "budget" && !body.ran))
  }
  assert.deepInclude(accounts.find(({ id }) => id === `caller:${caller}`), { reserved: 0, spent })
  // The vendor was asked for what was reserved, and for nothing else.
  assert.strictEqual(new Set(asked).size, asked.length)
  assert.isTrue(asked.every((index) => begun.has(index)))
  // One that nobody waited for may not have come so far.
  const waited = indices.filter((index) => plans[index]?.fate !== "is given up on")
  assert.isTrue(waited.every((index) => met.has(index)))
  assert.isTrue(waited.every((index) => asked.includes(index) === begun.has(index)))
  assert.deepStrictEqual(yield* store.lost(), [])
})

/** The suite over a log, with so many trials. */
export const ConcurrentSuite = <E>(name: string, log: Layer.Layer<Store.Store | Log.Log, E>, trials: number): void => {
  describe(`a thousand calls at once (${name})`, () => {
    it.live("never pass their ceiling, and hold nothing in the end", () =>
      Effect.gen(function*() {
        const services = yield* Effect.context<Effect.Services<ReturnType<typeof run>>>()
        const checked = fc.asyncProperty(trial, (wants) => Effect.runPromiseWith(services)(run(wants)))
        yield* Effect.promise(() => fc.assert(checked, { numRuns: trials, seed: 20_261_126, endOnFailure: true }))
      }).pipe(Effect.provide(runtime(log))), 240_000)
  })
}
