/** A few of the tamperings of which the long tests try ten thousand. */
import { assert, describe, it } from "@effect/vitest"
import { Finding } from "../../src/audit/index.ts"
import { besideWitness, fromEvidence } from "./tampering/run.ts"

const total = 500

describe("tampering", () => {
  const kinds = new Set<Finding.Kind>()

  it("is found and named, or admitted to be out of sight: by whoever holds the database or a bundle", () => {
    const found = fromEvidence(total)
    assert.deepStrictEqual(found.wrong.slice(0, 5), [], `${found.wrong.length} wrong`)
    assert.isBelow(found.unseen, total / 10)
    for (const kind of found.kinds) kinds.add(kind)
  })

  it("is found and named, or admitted, by whoever holds database and anchors, while one witness lives", () => {
    const found = besideWitness(total)
    assert.deepStrictEqual(found.wrong.slice(0, 5), [], `${found.wrong.length} wrong`)
    assert.isBelow(found.unseen, total / 3)
    for (const kind of found.kinds) kinds.add(kind)
  })

  it("comes in all kinds that there are", () => {
    assert.deepStrictEqual([...kinds].toSorted(), Object.keys(Finding.kinds).toSorted())
  })
})
