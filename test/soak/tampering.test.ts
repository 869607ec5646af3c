/** Ten thousand tamperings by each kind of attacker: every one found and named, or admitted to be out of sight. */
import { assert, describe, it } from "@effect/vitest"
import { besideWitness, fromEvidence, type Outcome } from "../audit/tampering/run.ts"

const total = 10_000

const judged = (who: string, { unseen, wrong }: Outcome) => {
  process.stdout.write(`${who}: ${total} tamperings, ${wrong.length} wrong, ${unseen} out of sight and admitted\n`)
  assert.deepStrictEqual(wrong.slice(0, 10), [], `${wrong.length} wrong`)
}

describe("tampering, at length", () => {
  it("by whoever holds the database or a bundle", () => judged("database or bundle", fromEvidence(total)))

  it("by whoever holds database and anchors, half of them with the signing key, while one witness lives", () =>
    judged("database and anchors", besideWitness(total)))
})
