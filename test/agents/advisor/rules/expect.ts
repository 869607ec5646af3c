/** What every rule must keep to, and tables of files on which it does and does not hold. */
import { assert, it } from "@effect/vitest"
import { Schema } from "effect"
import type { Scenario } from "../../../../src/agents/advisor/Advice.ts"
import type { CaseFile, Hypothesis } from "../../../../src/agents/advisor/CaseFile.ts"
import { Evidence } from "../../../../src/evidence/index.ts"
import { Proposal } from "../../../../src/proposal/index.ts"
import { file, type Parts } from "../file.ts"

/** What stands behind a stamp of the file, as it would be recorded. */
export const recorded = (from: CaseFile, stamp: string): string =>
  JSON.stringify([...from.thresholds, ...from.logs, ...from.settings].find((one) => one.stamp === stamp)?.value ?? "")

/** Each claim quotes what stands behind its stamp. */
export const isFounded = (from: CaseFile, claims: ReadonlyArray<Evidence.Claim>): void => {
  for (const claim of claims) {
    for (const citation of Schema.encodeSync(Evidence.Claim)(claim).evidence) {
      if (!("quote" in citation)) continue
      const { quote = "", stamp } = citation
      assert.include(recorded(from, stamp), JSON.stringify(quote).slice(1, -1))
    }
  }
}

/** A rule, a name, what the file is made of, and how strongly the rule must hold: at least and at most. */
export type Row = readonly [name: string, parts: Parts, least: number, most?: number]

/** The rule holds on each file, in its bounds and with founded claims. */
export const fires = (rule: (file: CaseFile) => Hypothesis | null, scenario: Scenario, rows: ReadonlyArray<Row>) => {
  for (const [name, parts, least, most = 1] of rows) {
    it(`holds: ${name}`, () => {
      const from = file(parts)
      const found = rule(from) ?? assert.fail("it does not hold")
      assert.strictEqual(found.scenario, scenario)
      assert.isAtLeast(found.strength, least)
      assert.isAtMost(found.strength, most + 1e-9)
      assert.isNotEmpty(found.claims)
      assert.isNotEmpty(found.actions)
      isFounded(from, found.claims)
      Schema.encodeSync(Schema.Array(Proposal.ProposedAction))(found.actions)
    })
  }
}

/** The rule does not hold on any of the files. */
export const rests = (
  rule: (file: CaseFile) => Hypothesis | null,
  rows: ReadonlyArray<readonly [name: string, parts: Parts]>
) => {
  for (const [name, parts] of rows) it(`does not hold: ${name}`, () => assert.isNull(rule(file(parts))))
}
