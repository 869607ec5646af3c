import { assert, describe, it } from "@effect/vitest"
import { elsewhere } from "../../../../src/agents/advisor/rules/Elsewhere.ts"
import { file, flat, line, type Parts, ramp, series } from "../file.ts"
import { isFounded } from "./expect.ts"

const natures = (parts: Parts) => elsewhere(file(parts)).map(({ nature }) => nature)
const behind = series("db.replication_lag", ramp(1, 400))

describe("faults that are none of the six", () => {
  const said: ReadonlyArray<readonly [message: string, nature: string]> = [
    ["Multi-AZ instance failover started", "failover"],
    ["replica db-2 is being promoted", "failover"],
    ["DB instance restarted", "restart or outage of the instance"],
    ["database system was interrupted; crash recovery begins", "restart or outage of the instance"],
    ["Out of memory: Killed process 4711", "out of memory"],
    ["x509: certificate has expired", "certificate or authentication failure"],
    ["password authentication failed for user \"app\"", "certificate or authentication failure"],
    ["dial tcp: no route to host", "network failure"],
    ["EXT4-fs: I/O error on sda1", "hardware failure"]
  ]
  for (const [message, nature] of said) {
    it(`${nature}: ${message}`, () => {
      const from = file({ lines: [line(message)] })
      const [found, ...others] = elsewhere(from)
      assert.deepStrictEqual(others, [])
      assert.strictEqual(found?.nature, nature)
      assert.include(found?.summary, message)
      isFounded(from, found?.claims ?? [])
    })
  }

  it("are none where nothing is said of them", () => {
    assert.deepStrictEqual(natures({}), [])
    assert.deepStrictEqual(
      natures({ series: [series("cpu.utilisation", ramp(0.1, 0.99))], lines: [line("order failed")] }),
      []
    )
    assert.deepStrictEqual(
      natures({ lines: [line("the instance needs to be restarted to apply the setting", "info")] }),
      []
    )
  })

  it("are none where the line is long over when something breaks", () => {
    const broken = series("cpu.utilisation", [...flat(0.2, 8), ...flat(0.95, 8)])
    assert.deepStrictEqual(natures({ series: [broken], lines: [line("instance restarted", "info", 5)] }), [
      "restart or outage of the instance"
    ])
    assert.deepStrictEqual(natures({ series: [broken], lines: [line("instance restarted", "info", -60)] }), [])
    assert.isNotEmpty(natures({ series: [broken], lines: [line("instance restarted", "info", null)] }))
  })
})

describe("replication lag", () => {
  it("is one by measurement, and stronger with what goes with it", () => {
    const [measured] = elsewhere(file({ series: [behind] }))
    const [written] = elsewhere(file({
      series: [behind, series("db.wal_bytes", ramp(1e6, 9e7))],
      lines: [line("replication lag is growing", "warn")]
    }))
    assert.strictEqual(measured?.nature, "replication lag")
    assert.isAbove(written?.strength ?? 0, measured?.strength ?? 1)
    assert.include(written?.summary, "WAL")
    assert.notInclude(measured?.summary, "WAL")
  })
  it("is one by the log where nobody measured it, and none where the measurement says otherwise", () => {
    const lines = [line("replica db-2 is 400 s behind")]
    assert.deepStrictEqual(natures({ lines }), ["replication lag"])
    assert.deepStrictEqual(natures({ lines, series: [series("db.replication_lag", flat(0.5))] }), [])
  })
  it("is none when it has recovered", () => {
    assert.deepStrictEqual(
      natures({ series: [series("db.replication_lag", [...flat(1, 6), ...flat(400, 4), ...flat(1, 6)])] }),
      []
    )
  })
})
