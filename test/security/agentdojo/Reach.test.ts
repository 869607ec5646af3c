/** What an adversary that knows everything can reach without an approval: nothing, however it is put. */
import { assert, describe, it } from "@effect/vitest"
import { policyOf } from "./play.ts"
import { goalsOf, reached } from "./reach.ts"
import { isThere, load, names } from "./suites.ts"
import { offices } from "./tools.ts"

describe.skipIf(!isThere)("an adversary that knows everything", () => {
  const suites = isThere ? load() : undefined
  for (const name of names) {
    const suite = suites?.[name]
    if (suite === undefined) continue
    const policy = policyOf(suite)
    const all = suite.userTasks.length * goalsOf(suite).length

    it(`reaches nothing at ${name}`, () => {
      assert.deepStrictEqual(reached(suite, offices[name], policy), [])
    }, 300_000)

    it(`reaches what it likes at ${name} where nothing holds it, but what readers keep`, () => {
      assert.isAbove(reached(suite, offices[name], { ...policy, mode: "shadow" }).length, all / 2)
    }, 300_000)
  }
})
