/** What becomes of runs that break down: bounded restarts, later and later, and refusals never. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import fc from "fast-check"
import { ActorError, Supervision } from "../../src/actor/index.ts"
import { Ticket } from "../../src/approval/index.ts"
import { Digest, Row } from "../../src/audit/index.ts"
import { Claims } from "../../src/capability/index.ts"
import { GovernorError, Refusal } from "../../src/governor/index.ts"

/** The tests are the same in every run. */
const seed = 7301946

const policy: fc.Arbitrary<Supervision.Policy> = fc.record({
  maxRestarts: fc.nat(6),
  windowMs: fc.integer({ min: 1, max: 100_000 }),
  backoffMs: fc.integer({ min: 1, max: 1000 }),
  factor: fc.constantFrom(1, 1.5, 2, 10),
  capMs: fc.integer({ min: 1, max: 5000 }),
  jitter: fc.constantFrom(0, 0.2, 1),
  on: fc.subarray<Supervision.Repeatable>(["defect", "handler_broken", "actor_error"]),
  maxFruitless: fc.integer({ min: 1, max: 6 })
})
const failures = fc.array(
  fc.record({
    kind: fc.constantFrom<Supervision.Kind>("defect", "handler_broken", "actor_error", "final"),
    wait: fc.integer({ min: -2000, max: 30_000 }),
    chance: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  }),
  { minLength: 1, maxLength: 40 }
)

describe("a decision", () => {
  it("repeats only what its class says, later and later up to the cap, and so many times in a window", () => {
    const seen = { Restart: 0, Escalate: 0, Stop: 0 }
    fc.assert(
      fc.property(policy, failures, (policy, failures) => {
        const restarts: Array<number> = []
        let now = 1_000_000
        for (const { chance, kind, wait } of failures) {
          now += wait
          const decision = Supervision.decide(policy, { restarts }, { kind, now, chance })
          seen[decision._tag]++
          const recent = restarts.filter((at) => at > now - policy.windowMs).length
          const isRepeatable = kind !== "final" && policy.on.includes(kind)
          assert.strictEqual(decision._tag === "Stop", !isRepeatable)
          if (decision._tag === "Escalate") assert.deepStrictEqual(decision.restarts, recent)
          if (decision._tag !== "Restart") continue
          assert.isBelow(recent, policy.maxRestarts)
          const full = Math.min(policy.capMs, policy.backoffMs * policy.factor ** recent)
          assert.isTrue(decision.at - now <= Math.round(full))
          assert.isTrue(decision.at - now >= Math.floor(full * (1 - policy.jitter)))
          restarts.push(now)
        }
      }),
      { seed, numRuns: 500 }
    )
    assert.isAbove(Math.min(seen.Restart, seen.Escalate, seen.Stop), 200)
  })

  it("takes twice as long each time, and never more than the cap", () => {
    const exact = { ...Supervision.standard, jitter: 0, maxRestarts: 100 }
    const pauses = [0, 1, 2, 5, 6, 50].map((count) => {
      const restarts = Array.from({ length: count }, () => 1000)
      return Supervision.decide(exact, { restarts }, { kind: "defect", now: 1000, chance: 0.5 })
    })
    assert.deepStrictEqual(
      pauses.map((decision) => decision._tag === "Restart" ? decision.at - 1000 : decision._tag),
      [1000, 2000, 4000, 32_000, 60_000, 60_000]
    )
  })
})

const session = Claims.SessionId.make("ses")
const rows = (...bodies: ReadonlyArray<Row.Body | readonly [number, Row.Body]>): ReadonlyArray<Row.Row> =>
  bodies.map((entry, seq) => {
    const [at, body] = "kind" in entry ? [seq, entry] : entry
    return { v: 1, session, seq, at, key: null, body, prev: Digest.zero, hash: Digest.zero }
  })
const started: Row.Body = { kind: "started", epoch: 1 }
const intent: Row.Body = {
  kind: "intent",
  act: "look",
  capabilities: [],
  token: Claims.TokenId.make("tok"),
  schema: Digest.zero,
  args: Digest.zero,
  argsPreview: "",
  reservedMicroUsd: 0,
  ticket: null
}
const outcome: Row.Body = {
  kind: "outcome",
  act: "look",
  intent: 1,
  status: "succeeded",
  result: Digest.zero,
  resultPreview: "",
  trust: "trusted",
  costMicroUsd: 0,
  computeMs: 0
}
const unknown: Row.Body = { kind: "unknown", act: "look", intent: 1 }
const restarted: Row.Body = { kind: "restarted", restart: 1, until: 5, again: null, reason: "" }
const escalated: Row.Body = { kind: "escalated", restarts: 5, letter: "D1", reason: "" }

describe("the history in a chain", () => {
  it("holds the restarts since an operator last took the session up", () => {
    const all = rows([1, started], [2, restarted], [9, started], [11, restarted], [20, started])
    assert.deepStrictEqual(Supervision.history(all), { restarts: [2, 11], fruitless: 0 })
    assert.deepStrictEqual(Supervision.history(rows(started, restarted, escalated, started)), {
      restarts: [],
      fruitless: 0
    })
  })

  it("counts runs that died one after the other, whatever the next run found of them", () => {
    const died = [started, intent, started, unknown, intent, started, unknown]
    assert.strictEqual(Supervision.history(rows(...died)).fruitless, 2)
    assert.strictEqual(Supervision.history(rows(...died, outcome, started, started)).fruitless, 1)
    assert.isFalse(Supervision.isPoisoned(Supervision.standard, { fruitless: 4 }))
    assert.isTrue(Supervision.isPoisoned(Supervision.standard, { fruitless: 5 }))
  })

  it("is of a format that rows have", () => {
    for (const { body } of rows(restarted, escalated)) assert.deepStrictEqual(Row.Body.make(body), body)
  })
})

describe("the kind of a failure", () => {
  const refused = (reason: GovernorError["reason"]) => new GovernorError({ act: "look", reason })
  const kindOf = <E extends ActorError | GovernorError>(effect: Effect.Effect<never, E>) =>
    Effect.map(
      Effect.exit(effect),
      (exit) => Exit.isFailure(exit) ? Supervision.failureOf(exit.cause)?.kind : "it did not fail"
    )
  const cases: ReadonlyArray<
    readonly [string, Supervision.Kind | undefined, Effect.Effect<never, ActorError | GovernorError>]
  > = [
    ["a defect", "defect", Effect.die("boom")],
    [
      "an actor's own failure",
      "actor_error",
      Effect.fail(new ActorError({ actor: "A", detail: "", abandoned: false }))
    ],
    ["a handler that broke", "handler_broken", refused(new Refusal.HandlerBroken({ detail: "" }))],
    [
      "a log that does not answer",
      undefined,
      refused(new Refusal.LogUnavailable({ ran: true, detail: "", remedy: "" }))
    ],
    ["a refusal", "final", refused(new Refusal.Refused({ layer: "token", detail: "", remedy: "" }))],
    ["a time-out", "final", refused(new Refusal.TimedOut({ timeoutMs: 1 }))],
    ["an unknown outcome", "final", refused(new Refusal.OutcomeUnknown({ key: "#0", detail: "", remedy: "" }))],
    ["another course", "final", refused(new Refusal.Nondeterminism({ key: "#0", recorded: "", asked: "" }))],
    [
      "a wait for people",
      undefined,
      refused(new Refusal.AwaitingApproval({ ticket: Ticket.TicketId.make("T1"), remedy: "" }))
    ],
    ["a wait for a timer", undefined, refused(new Refusal.AwaitingTimer({ until: 1 }))],
    ["a run that was replaced", undefined, refused(new Refusal.Refused({ layer: "session", detail: "", remedy: "" }))],
    ["an interruption", undefined, Effect.interrupt]
  ]
  for (const [name, kind, effect] of cases) {
    it.effect(`of ${name} is ${kind ?? "none"}`, () =>
      Effect.map(kindOf(effect), (found) => assert.strictEqual(found, kind)))
  }

  it("is final for a refusal whatever its class says: there is no such kind to name", () => {
    const all: ReadonlyArray<Supervision.Repeatable> = ["defect", "handler_broken", "actor_error"]
    const decision = Supervision.decide(
      { ...Supervision.standard, on: all },
      { restarts: [] },
      { kind: "final", now: 0, chance: 0 }
    )
    assert.deepStrictEqual(decision, { _tag: "Stop" })
  })
})
