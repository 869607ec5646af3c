/** What the schema of an advice admits: only a fault it knows may propose actions, and every claim cites. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Schema } from "effect"
import { Advice } from "../../../src/agents/advisor/index.ts"
import { Tool } from "../../../src/tool/index.ts"

const base = {
  title: "t",
  summary: "s",
  severity: "high",
  confidence: 0.9,
  claims: [{ text: "c", evidence: [{ stamp: "ses/1", quote: "abc" }] }],
  risks: []
} as const
const action = { what: "w", why: "y", reversible: true, how: null }
const proposals = {
  fault: {
    ...base,
    outcome: "fault",
    scenario: "configuration_drift",
    contributing: [],
    ruledOut: [],
    actions: [action]
  },
  out_of_scope: { ...base, outcome: "out_of_scope", nature: "failover", ruledOut: [] },
  no_fault: { ...base, outcome: "no_fault", ruledOut: [] },
  inconclusive: { ...base, outcome: "inconclusive", missing: [] }
} satisfies Record<string, Schema.Json>

/** As a conclusion is decoded. */
const decode = (json: Schema.Json) => Effect.runSync(Effect.result(Tool.codec(Advice.Advice).decode(json)))._tag

describe("an advice", () => {
  for (const [name, proposal] of Object.entries(proposals)) {
    it(`of the outcome ${name} decodes`, () => assert.strictEqual(decode(proposal), "Success"))
  }

  for (const name of ["out_of_scope", "no_fault", "inconclusive"] as const) {
    for (const actions of [[action], [], null, "restart it", {}]) {
      it(`of the outcome ${name} with actions ${JSON.stringify(actions)} does not`, () => {
        assert.strictEqual(decode({ ...proposals[name], actions }), "Failure")
      })
    }
  }

  const broken: ReadonlyArray<readonly [name: string, change: { readonly [key: string]: Schema.Json }]> = [
    ["of a scenario that it does not know", { scenario: "alien_invasion" }],
    ["beside a scenario that it does not know", { contributing: ["alien_invasion"] }],
    ["of another outcome", { outcome: "guess" }],
    ["without a title", { title: "" }],
    ["surer than sure", { confidence: 1.1 }],
    ["of another severity", { severity: "apocalyptic" }],
    ["with a claim that cites nothing", { claims: [{ text: "c", evidence: [] }] }],
    ["with a claim that says nothing", { claims: [{ text: "", evidence: [{ stamp: "ses/1", quote: "abc" }] }] }],
    ["with a quote of two letters", { claims: [{ text: "c", evidence: [{ stamp: "ses/1", quote: "ab" }] }] }],
    ["with an action nobody can judge", { actions: [{ ...action, why: "" }] }],
    ["with an action that may or may not be undone", { actions: [{ what: "w", why: "y", how: null }] }]
  ]
  for (const [name, change] of broken) {
    it(`${name} does not decode`, () => assert.strictEqual(decode({ ...proposals.fault, ...change }), "Failure"))
  }
  it("without actions is no fault", () => {
    const { actions: _, ...without } = proposals.fault
    assert.strictEqual(decode(without), "Failure")
  })
})
