/** The official suite: every server scenario passes. `npm run conformance` prints them by name. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { judged } from "./judge.ts"

describe("the official conformance suite", () => {
  it.live("passes in every scenario", () =>
    Effect.gen(function*() {
      const verdicts = yield* judged
      assert.isAtLeast(verdicts.length, 32)
      for (const { objections, scenario } of verdicts) assert.deepStrictEqual(objections, [], scenario)
    }), 180_000)
})
