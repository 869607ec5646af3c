/** The desk where standing rules are made: by people, as many as the policy wants, in a chain of the installation's own. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Ed25519 } from "../../layers/node/index.ts"
import { Memory } from "../../layers/presets/index.ts"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import type { Policy, Rule } from "../../src/approval/index.ts"
import { Anchor, Cosigning, Installation, Log, Verify } from "../../src/audit/index.ts"
import { type Claims, Grant } from "../../src/capability/index.ts"
import { Approvals, Dispatch, Rules } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import * as C from "../governor/commits.ts"

const Refund = Tool.make("refund", {
  description: "Pays money back",
  capabilities: ["tool:refund"],
  reversible: false,
  params: Schema.Struct({ order: Schema.String, euros: Schema.Natural }),
  success: Schema.String
})
const Shop = DeterministicActor.make("Shop", {
  description: "refunds an order",
  input: Schema.Natural,
  output: Schema.String,
  tools: [Refund],
  run: (euros) => Tool.call(Refund, { order: "A-1", euros })
})

const paid: Array<number> = []
const app = (policy: Partial<Policy.Policy> = {}) => {
  paid.length = 0
  const handler = Tool.layer(Refund, ({ euros }) => Effect.sync(() => (paid.push(euros), "paid")))
  return Actor.layer(Shop).pipe(Layer.provideMerge(handler), Layer.provideMerge(Memory.layer(policy)))
}

const terms = (parts: Partial<Rule.Terms> = {}): Rule.Terms => ({
  actor: "Shop",
  act: "refund",
  capabilities: ["tool:refund"],
  where: [{ at: "/euros", oneOf: [40] }],
  definition: null,
  maxUses: 2,
  expiresAt: 1000,
  ...parts
})
const refund = (euros: number, caller = "ada") =>
  Effect.flatMap(
    Dispatch.Dispatch,
    (dispatch) => dispatch.start(Shop, euros, { grant: Grant.make(["tool:refund"]), caller })
  )
const ruledRows = Effect.gen(function*() {
  const log = yield* Log.Log
  const rows = yield* log.rows(Installation.id)
  assert.deepStrictEqual(C.faults(rows, Option.getOrUndefined(yield* log.session(Installation.id))), [])
  return rows.flatMap(({ body }) => body.kind === "ruled" ? [body] : [])
})

describe("a standing rule", () => {
  it.effect("lets sessions go on without waiting, is visible in every use, and is revoked at once", () =>
    Effect.gen(function*() {
      const rules = yield* Rules.Rules
      const rule = yield* rules.make({ terms: terms(), by: " Grace", reason: "small refunds" })
      assert.match(rule.id, /^R[0-9A-HJKMNP-TV-Z]{8}$/)
      assert.deepInclude(rule, { state: "standing", uses: 0, policy: "1" })
      const first = yield* refund(40)
      assert.deepInclude(first, { _tag: "Succeeded", output: "paid" })
      assert.deepInclude(yield* refund(41), { _tag: "Waiting" })
      const [view] = yield* rules.list
      assert.deepInclude(view, { standing: "standing" })
      assert.deepStrictEqual(view?.uses.map(({ session, use }) => ({ session, use })), [{
        session: first.session,
        use: 1
      }])
      const revoked = yield* rules.revoke({ rule: rule.id, by: "barbara", reason: "enough" })
      assert.deepInclude(revoked, { state: "revoked", uses: 1 })
      assert.deepInclude(yield* refund(40), { _tag: "Waiting" })
      assert.deepStrictEqual(paid, [40])
      assert.deepStrictEqual((yield* ruledRows).map(({ by, reason, uses, what }) => ({ by, reason, uses, what })), [
        { by: "Grace", reason: "small refunds", uses: 0, what: "made" },
        { by: "barbara", reason: "enough", uses: 1, what: "revoked" }
      ])
      const again = yield* Effect.flip(rules.revoke({ rule: rule.id, by: "barbara", reason: "" }))
      assert.match(again.message, /revoked already/)
    }).pipe(Effect.provide(app())))

  it.effect("stands once as many people as the policy wants have agreed to what they were shown", () =>
    Effect.gen(function*() {
      const rules = yield* Rules.Rules
      const rule = yield* rules.make({ terms: terms(), by: "grace", reason: "" })
      assert.strictEqual(rule.state, "proposed")
      assert.deepInclude(yield* refund(40), { _tag: "Waiting" })
      const agree = (by: string, binding = rule.binding) => rules.approve({ rule: rule.id, binding, by, reason: "" })
      for (const by of ["grace", "GRACE", "local:grace"]) {
        assert.match((yield* Effect.flip(agree(by))).message, /already decided/)
      }
      assert.match((yield* Effect.flip(agree("barbara", C.hashOf("other")))).message, /not what was shown/)
      assert.deepStrictEqual(paid, [])
      assert.deepInclude(yield* agree("ada"), { state: "standing" })
      // Ada asks here, and may not be one of those who agreed.
      assert.deepInclude(yield* refund(40), { _tag: "Waiting" })
      assert.deepInclude(yield* refund(40, "barbara"), { _tag: "Succeeded" })
      assert.deepStrictEqual(paid, [40])
      assert.match((yield* Effect.flip(agree("barbara"))).message, /stands already/)
    }).pipe(Effect.provide(app({ approvers: 2, requesterMayApprove: false }))))

  it.effect("is bounded in time, and known by who made it", () =>
    Effect.gen(function*() {
      const rules = yield* Rules.Rules
      yield* TestClock.adjust(1)
      const make = (parts: Partial<Rule.Terms>, by = "grace") =>
        Effect.map(Effect.flip(rules.make({ terms: terms(parts), by, reason: "" })), ({ message }) => message)
      assert.match(yield* make({ expiresAt: 1 }), /30 days/)
      assert.match(yield* make({ expiresAt: 2_592_000_002 }), /30 days/)
      assert.match(yield* make({}, ""), /name of a person/)
      assert.match(yield* make({}, "gra\u200bce"), /nobody sees/)
      assert.deepStrictEqual(yield* rules.list, [])
      assert.match(
        (yield* Effect.flip(rules.revoke({ rule: "R1", by: "grace", reason: "" }))).message,
        /there is no rule R1/
      )
      yield* rules.make({ terms: terms({ expiresAt: 1000 }), by: "grace", reason: "" })
      yield* TestClock.adjust(999)
      assert.deepInclude((yield* rules.list)[0], { standing: "expired" })
      assert.deepInclude(yield* refund(40), { _tag: "Waiting" })
      assert.deepStrictEqual(paid, [])
    }).pipe(Effect.provide(app())))

  it.effect("counts against a bound on how many may stand", () =>
    Effect.gen(function*() {
      const rules = yield* Rules.Rules
      const made = yield* Effect.forEach(Array.from({ length: Rules.maxStanding }), () =>
        rules.make({ terms: terms(), by: "grace", reason: "" }))
      const error = yield* Effect.flip(rules.make({ terms: terms(), by: "grace", reason: "" }))
      assert.match(error.message, /500 rules stand already/)
      yield* rules.revoke({ rule: made[0]?.id ?? "", by: "grace", reason: "" })
      yield* rules.make({ terms: terms(), by: "grace", reason: "" })
      assert.lengthOf(yield* rules.list, 501)
    }).pipe(Effect.provide(app())))

  it.effect("is made once in its chain, whoever is first to begin that", () =>
    Effect.gen(function*() {
      const rules = yield* Rules.Rules
      yield* Effect.all(
        Array.from({ length: 20 }, () => rules.make({ terms: terms(), by: "grace", reason: "" })),
        { concurrency: "unbounded" }
      )
      assert.lengthOf(yield* ruledRows, 20)
      const log = yield* Log.Log
      const [genesis] = yield* log.rows(Installation.id)
      assert.deepInclude(genesis?.body, { kind: "genesis", actor: "aosiq", parent: null, mode: "enforced" })
      const session = Option.getOrThrow(yield* log.session(Installation.id))
      assert.deepInclude(session, { status: "standing", token: "", accounts: [] })
      // No actor runs in it.
      const dispatch = yield* Dispatch.Dispatch
      assert.match((yield* Effect.flip(dispatch.resume(Installation.id))).message, /standing/)
      assert.deepStrictEqual(yield* dispatch.recover, [])
    }).pipe(Effect.provide(app())))
})

describe("the desks", () => {
  it.effect("leave a log that a verifier believes, with every consent in it", () =>
    Effect.gen(function*() {
      const approvals = yield* Approvals.Approvals
      const rules = yield* Rules.Rules
      yield* rules.make({ terms: terms(), by: "grace", reason: "" })
      yield* refund(40)
      const asked = yield* refund(41)
      for (const { id, state } of yield* approvals.list) {
        if (state === "proposed") yield* approvals.decide({ ticket: id, by: "grace", approve: true, reason: "" })
      }
      yield* Effect.flatMap(Dispatch.Dispatch, (dispatch) => dispatch.resume(asked.session))
      assert.deepStrictEqual(paid, [40, 41])
      const log = yield* Log.Log
      const verified = (rows: Log.Log["Service"]["rows"]) =>
        Verify.online({ keys: [], sessions: "all" }).pipe(
          Effect.provideService(Log.Log, { ...log, rows }),
          Effect.provide([Anchor.layerMemory, Ed25519.layerVerifier, Cosigning.layerNone])
        )
      assert.deepStrictEqual((yield* verified(log.rows)).findings, [])
      // The same log without the rows about rules is one in which nobody agreed.
      const without = (id: Claims.SessionId) =>
        Effect.map(log.rows(id), (rows) => id === Installation.id ? rows.slice(0, 1) : rows)
      const { findings } = yield* verified(without)
      assert.sameMembers(findings.map(({ kind }) => kind), ["truncated", "unauthorised"])
    }).pipe(Effect.provide(app())))
})
