/** The official suite: every server scenario that applies passes. `npm run conformance` prints them by name. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { judged, notOffered } from "./judge.ts"

describe("the official conformance suite", () => {
  it.live("passes in every scenario that applies", () =>
    Effect.gen(function*() {
      const verdicts = yield* judged
      assert.isAtLeast(verdicts.length, 32)
      for (const { objections, scenario } of verdicts) {
        if (notOffered[scenario] === undefined) assert.deepStrictEqual(objections, [], scenario)
        // What is said not to apply does not pass by chance.
        else assert.isNotEmpty(objections, scenario)
      }
    }), 180_000)
})
