/** What is cited must have been recorded: true claims pass, and no false citation does, each told why. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { Log, Row } from "../../src/audit/index.ts"
import type { Claims } from "../../src/capability/index.ts"
import { Evidence } from "../../src/evidence/index.ts"
import { extracted, fact, generator, type Statement, statements } from "./facts.ts"
import { facts, layer, modelled, observed } from "./world.ts"

const random = generator(20_261_123)
const below = (bound: number) => Math.floor(random() * bound)
const oneOf = <A>(all: ReadonlyArray<A>): A => all[below(all.length)] ?? assert.fail("there is none to choose")

type World = Effect.Success<typeof observed>

const check = (session: Claims.SessionId, ...claims: ReadonlyArray<Evidence.Claim>) =>
  Evidence.Evidence.use((evidence) => evidence.check(session, claims))

interface Stated {
  readonly index: number
  readonly claim: Evidence.Claim
}
const truth = (world: World): Stated => {
  const index = below(facts)
  return { index, claim: claimOf(oneOf(statements)(fact(index)), world.stamps[index]) }
}
const claimOf = ({ cites, text }: Statement, stamp = ""): Evidence.Claim => ({
  text,
  evidence: cites.map((cite) => ({ ...cite, stamp }))
})

const cite = ({ text }: Evidence.Claim, stamp: string, quote: string): Evidence.Claim => ({
  text,
  evidence: [{ stamp, quote }]
})
const quoteOf = ({ evidence: [first] }: Evidence.Claim) =>
  first !== undefined && "quote" in first ? first.quote ?? "" : ""
const stampOf = (claim: Evidence.Claim) => claim.evidence[0]?.stamp ?? ""

/** All that the record of a fact says, its instant as a time too. */
const recordOf = (index: number) => {
  const { at } = fact(index)
  return `${JSON.stringify(fact(index))} ${new Date(at).toISOString()}`
}

/** The claim with one of its numbers changed to one that the record does not have; `null` when it has no number. */
const withOtherNumber = (index: number, { evidence, text }: Evidence.Claim): Evidence.Claim | null => {
  const numbers = [...text.matchAll(/\d+(?:\.\d+)?/g)]
  if (numbers.length === 0) return null
  const number = oneOf(numbers)
  const record = recordOf(index)
  for (let tries = 0; tries < 50; tries++) {
    const digits = number[0].split("")
    const place = below(digits.length)
    if (digits[place] === ".") continue
    digits[place] = String((Number(digits[place]) + 1 + below(9)) % 10)
    const other = digits.join("")
    const values = [Number(other), Number(other) / 100, Number(other) * 100].map((value) =>
      String(Number(value.toPrecision(12)))
    )
    if ([other, ...values].some((value) => record.includes(value))) continue
    return { text: text.slice(0, number.index) + other + text.slice(number.index + number[0].length), evidence }
  }
  return null
}

/** Ways to cite falsely, each with what the objection must say. */
const forgeries: ReadonlyArray<
  readonly [name: string, why: RegExp, forge: (stated: Stated, world: World) => Evidence.Claim | null]
> = [
  [
    "a row that is not there",
    /not the outcome of an act/,
    ({ claim }, { session }) => cite(claim, `${session}/${1000 + below(1e6)}`, quoteOf(claim))
  ],
  [
    "a row that is no outcome",
    /not the outcome of an act/,
    ({ claim }, { rows }) =>
      cite(claim, Row.stamp(oneOf(rows.filter(({ body }) => body.kind !== "outcome"))), quoteOf(claim))
  ],
  [
    "another session",
    /not a stamp of this session/,
    ({ claim }) => cite(claim, stampOf(claim).replace(/^ses_./, "ses_#"), quoteOf(claim))
  ],
  [
    "a session below this one",
    /not a stamp of this session/,
    ({ claim }) => cite(claim, stampOf(claim).replace("/", ".0a1b2c3d/"), quoteOf(claim))
  ],
  [
    "no stamp at all",
    /not a stamp of this session|not the outcome/,
    ({ claim }) => cite(claim, oneOf(["", "/", "7", "../7", "ses_", "/3"]), quoteOf(claim))
  ],
  [
    "a number spelt otherwise",
    /not the outcome of an act/,
    ({ claim }) =>
      cite(claim, stampOf(claim).replace(/\/(\d+)$/, oneOf(["/0$1", "/+$1", "/$1.0", "/ $1", "/$1e0"])), quoteOf(claim))
  ],
  ["an act that failed", /an act that failed/, ({ claim }, { failed }) => cite(claim, failed[0] ?? "", quoteOf(claim))],
  [
    "words that nobody recorded",
    /does not stand in/,
    ({ claim }) => cite(claim, stampOf(claim), `${quoteOf(claim)} and rising`)
  ],
  ["a quote with another letter", /does not stand in/, ({ claim }) => {
    const quote = quoteOf(claim)
    const letters = [...quote.matchAll(/[a-z]/g)]
    if (letters.length === 0) return null
    const at = oneOf(letters).index
    return cite(claim, stampOf(claim), `${quote.slice(0, at)}ø${quote.slice(at + 1)}`)
  }],
  ["a quote with another number", /does not stand in/, ({ claim, index }) => {
    const changed = withOtherNumber(index, { text: quoteOf(claim), evidence: [] })
    return changed === null ? null : cite(claim, stampOf(claim), changed.text)
  }],
  [
    "a quote that cuts a word or a number",
    /does not stand in/,
    ({ claim, index }) =>
      cite(
        claim,
        stampOf(claim),
        oneOf([
          "active",
          `web-${String(index).padStart(3, "0").slice(0, 2)}`,
          fact(index).host.slice(1),
          `"change":${String(fact(index).change).slice(0, -1)}`,
          `"at":${String(fact(index).at).slice(0, -3)}`
        ])
      )
  ],
  ["a quote from another result", /does not stand in/, ({ claim, index }, { stamps }) => {
    const other = (index + 1 + below(facts - 1)) % facts
    return cite(claim, stamps[other] ?? "", fact(index).said)
  }],
  [
    "a number that the evidence does not have",
    /which is not in what it cites/,
    ({ claim, index }) => withOtherNumber(index, claim)
  ],
  ["a number more", /which is not in what it cites/, ({ claim, index }) => {
    const more = 1_000_000 + below(1e6)
    return recordOf(index).includes(String(more)) ? null : { ...claim, text: `${claim.text} and ${more} more` }
  }],
  ["another host", /which is not in what it cites/, ({ claim, index }) => ({
    ...claim,
    text: `${claim.text} on web-${String((index + 1 + below(facts - 1)) % facts).padStart(3, "0")}`
  })],
  ["one true and one false quote", /does not stand in/, ({ claim }) => ({
    ...claim,
    evidence: [...claim.evidence, { stamp: stampOf(claim), quote: "nobody said this" }]
  })]
]

/** The log, with other texts behind the hashes of results. */
const tampered = (payload: (text: Option.Option<string>) => Option.Option<string>) =>
  Layer.fresh(Evidence.layer).pipe(
    Layer.provide(Layer.effect(
      Log.Log,
      Effect.map(Log.Log, (log) => ({ ...log, payload: (hash) => Effect.map(log.payload(hash), payload) }))
    ))
  )

describe("claims", () => {
  it.live("a thousand true ones hold, however they are put", () =>
    Effect.gen(function*() {
      const world = yield* observed
      const claims = Array.from({ length: 1000 }, () => truth(world).claim)
      assert.deepStrictEqual(yield* check(world.session, ...claims), [])
    }).pipe(Effect.provide(layer)))

  it.live("every way of putting a fact holds for every fact", () =>
    Effect.gen(function*() {
      const world = yield* observed
      for (const [index, stamp] of world.stamps.entries()) {
        const claims = [...statements, ...extracted].map((state) => claimOf(state(fact(index)), stamp))
        assert.deepStrictEqual(yield* check(world.session, ...claims), [])
      }
    }).pipe(Effect.provide(layer)))

  it.live("ten thousand false ones are rejected, each with its reason", () =>
    Effect.gen(function*() {
      const world = yield* observed
      const passed: Array<string> = []
      const made = new Map<string, number>()
      for (let count = 0; count < 10_000;) {
        const stated = truth(world)
        const [name, why, forge] = forgeries[count % forgeries.length] ?? assert.fail("there are none")
        const claim = forge(stated, world)
        if (claim === null) continue
        count++
        made.set(name, (made.get(name) ?? 0) + 1)
        const objections = yield* check(world.session, claim)
        if (!objections.some((objection) => why.test(objection))) {
          passed.push(`${name}: ${JSON.stringify(claim)}: ${objections.join("; ")}`)
        }
      }
      assert.deepStrictEqual(passed.slice(0, 5), [])
      assert.strictEqual(made.size, forgeries.length)
    }).pipe(Effect.provide(layer)), 120_000)

  it.live("a false one among true ones is the only one that is named", () =>
    Effect.gen(function*() {
      const world = yield* observed
      const claims = Array.from({ length: 5 }, () => truth(world).claim)
      const forged = { text: "all is well", evidence: [{ stamp: world.stamps[0] ?? "", quote: "all is well" }] }
      const objections = yield* check(world.session, ...claims, forged)
      assert.deepStrictEqual(objections, [`"all is well" does not stand in ${world.stamps[0]}`])
    }).pipe(Effect.provide(layer)))

  it.live("one that cites nothing is rejected", () =>
    Effect.gen(function*() {
      const { session } = yield* observed
      assert.deepStrictEqual(yield* check(session, { text: "trust me", evidence: [] }), ["\"trust me\" cites nothing"])
    }).pipe(Effect.provide(layer)))

  it.live("a model's own words are no evidence, and the result it looked at is", () =>
    Effect.gen(function*() {
      const { rows, session } = yield* modelled
      const [answer, result] = rows.filter(({ body }) => body.kind === "outcome").map(Row.stamp)
      const { said } = fact(0)
      const claim = (stamp = "") => ({ text: said, evidence: [{ stamp, quote: said }] })
      assert.deepStrictEqual(yield* check(session, claim(result)), [])
      assert.deepStrictEqual(yield* check(session, claim(answer)), [`${answer} is a model's own answer`])
    }).pipe(Effect.provide(layer)))
})

describe("results that are not what was recorded", () => {
  const altered: ReadonlyArray<readonly [string, (text: string) => string]> = [
    ["another number", (text) => text.replace(/\d/, (digit) => String((Number(digit) + 1) % 10))],
    ["a space more", (text) => `${text} `],
    ["no JSON", () => "{"],
    ["nothing", () => ""]
  ]
  for (const [name, alter] of altered) {
    it.live(`${name}: nothing that cites them holds`, () =>
      Effect.gen(function*() {
        const world = yield* observed
        for (let count = 0; count < 200; count++) {
          const { claim } = truth(world)
          const objections = yield* check(world.session, claim).pipe(Effect.provide(tampered(Option.map(alter))))
          assert.deepStrictEqual(objections, [`the result behind ${stampOf(claim)} was altered`])
        }
      }).pipe(Effect.provide(layer)))
  }

  it.live("erased: nothing that cites them holds", () =>
    Effect.gen(function*() {
      const world = yield* observed
      for (let count = 0; count < 200; count++) {
        const { claim } = truth(world)
        const objections = yield* check(world.session, claim).pipe(Effect.provide(tampered(() => Option.none())))
        assert.deepStrictEqual(objections, [`the result behind ${stampOf(claim)} was erased`])
      }
    }).pipe(Effect.provide(layer)))

  it.live("a log that does not answer is an error, not an objection", () =>
    Effect.gen(function*() {
      const { session, stamps } = yield* observed
      const down = new Log.LogError({ detail: "the disk is gone", remedy: "find it" })
      const broken = Layer.fresh(Evidence.layer).pipe(
        Layer.provide(
          Layer.effect(Log.Log, Effect.map(Log.Log, (log) => ({ ...log, payload: () => Effect.fail(down) })))
        )
      )
      const claim = { text: "a", evidence: [{ stamp: stamps[0] ?? "", quote: "web" }] }
      assert.strictEqual(yield* Effect.flip(check(session, claim).pipe(Effect.provide(broken))), down)
    }).pipe(Effect.provide(layer)))
})
