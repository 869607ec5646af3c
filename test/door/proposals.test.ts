/** `aosiq proposal`: the claims of a diagnosis with what was recorded behind each, for people and for programs. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { join } from "node:path"
import { vi } from "vitest"
import { diskIncident } from "./incident.ts"
import { files, folder, run } from "./program.ts"

vi.setConfig({ testTimeout: 240_000 })

describe("a proposal", () => {
  it.live("is shown with its claims, each with its evidence, taken anew", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      const incident = yield* files(join(cwd, "case"), diskIncident)
      const started = yield* run({ cwd }, "start", "--once", "--json", "--case", incident)
      assert.strictEqual(started.code, 0, started.err)
      const { session } = JSON.parse(started.out)

      const shown = yield* run({ cwd }, "proposal", "show", session)
      assert.strictEqual(shown.code, 0, shown.err)
      assert.match(shown.out, /^holds: disk\.used_ratio of \/var/m)
      assert.match(shown.out, /^ {2}ses_\w+\.\w+\/\d+ "disk\.used_ratio of \/var/m)
      assert.notInclude(shown.out, "does not hold")

      const explained = yield* run({ cwd }, "proposal", "explain", session)
      assert.match(explained.out, /spawn_ThresholdEvaluation at \d{4}-\d\d-\d\d \S+, asked with \{/)
      assert.match(explained.out, /taken again: disk\.used_ratio/)

      const json = yield* run({ cwd }, "proposal", "show", session, "--json")
      const [view] = JSON.parse(json.out)
      assert.strictEqual(view.actor, "OperationalAdvice")
      for (const { evidence, objections } of view.claims) {
        assert.deepStrictEqual(objections, [])
        for (const { extract, recorded } of evidence) assert.include(recorded, JSON.stringify(extract).slice(1, -1))
      }

      const none = yield* run({ cwd }, "proposal", "show", "ses_none")
      assert.strictEqual(none.code, 1)
      assert.include(none.err, "there is no session ses_none")
    }).pipe(Effect.provide(NodeServices.layer)))
})
