import { assert, describe, it } from "@effect/vitest"
import { configDrift } from "../../../../src/agents/advisor/rules/ConfigDrift.ts"
import { drift, file, line } from "../file.ts"
import { fires, rests } from "./expect.ts"

const many = ["a", "b", "c", "d", "e", "f", "g"].map((key) => drift(key, "1", "2"))

describe("configuration drift", () => {
  fires(configDrift, "configuration_drift", [
    ["a setting left its baseline", { drift: [drift("pool.size", "500", "50")] }, 0.65, 0.65],
    ["a setting is missing", { drift: [drift("pool.size", null, "50")] }, 0.65],
    ["a setting was added", { drift: [drift("debug", "on", null)] }, 0.65],
    ["many did", { drift: many }, 0.7, 0.7],
    ["one did and the log complains of it", {
      drift: [drift("pool.size", "many", "50")],
      lines: [line("invalid value for parameter pool.size: many")]
    }, 0.8]
  ])

  rests(configDrift, [
    ["there is no evidence", {}],
    ["all settings are as they should be", { settings: 40 }],
    ["the log complains and nothing differs", { settings: 40, lines: [line("configuration error")] }]
  ])

  it("names what changed, and what it was, for a person to decide", () => {
    const found = configDrift(file({ drift: [drift("pool.size", "500", "50"), drift("debug", "on", null)] }))
    assert.strictEqual(found?.title, "2 settings differ from the baseline")
    assert.deepStrictEqual(found?.actions.map(({ how }) => how), ["pool.size = 50", null])
    assert.isTrue(found?.actions.every(({ reversible }) => reversible))
    assert.include(configDrift(file({ drift: many }))?.summary, "a, b, c, d, e, …")
  })
})
