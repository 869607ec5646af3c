import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { CostModel, MicroUsd } from "../../src/cost/index.ts"

describe("a cost model", () => {
  it("bills nothing, by the call, or by the time", () => {
    assert.strictEqual(CostModel.bill(CostModel.free, 5000), 0)
    assert.strictEqual(CostModel.bill(CostModel.perCall(MicroUsd.MicroUsd.make(7)), 5000), 7)
    assert.strictEqual(CostModel.bill(CostModel.computeMs(MicroUsd.MicroUsd.make(10)), 5000), 50)
    // A fraction of a millionth is a millionth.
    assert.strictEqual(CostModel.bill(CostModel.computeMs(MicroUsd.MicroUsd.make(10)), 1), 1)
    assert.strictEqual(CostModel.bill(CostModel.computeMs(MicroUsd.MicroUsd.make(10)), 0), 0)
  })

  it("is bounded by what its time-out allows", () => {
    const model = fc.oneof(
      fc.constant(CostModel.free),
      fc.nat(1e6).map((price) => CostModel.perCall(MicroUsd.MicroUsd.make(price))),
      fc.nat(1e6).map((price) => CostModel.computeMs(MicroUsd.MicroUsd.make(price)))
    )
    fc.assert(fc.property(model, fc.nat(1e6), fc.double({ min: 0, max: 1, noNaN: true }), (model, timeoutMs, share) => {
      const bill = CostModel.bill(model, timeoutMs * share)
      assert.isTrue(Number.isSafeInteger(bill) && bill >= 0)
      assert.isAtMost(bill, CostModel.bound(model, timeoutMs))
    }))
  })
})

describe("money", () => {
  it("is whole millionths, and nothing else", () => {
    for (const wrong of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      assert.throws(() => MicroUsd.MicroUsd.make(wrong))
    }
    assert.strictEqual(MicroUsd.MicroUsd.make(2 ** 53 - 1), 2 ** 53 - 1)
  })

  it("rounds dollars up, so that a reservation is never too small", () => {
    assert.strictEqual(MicroUsd.fromUsd(0.0000011), 2)
    assert.strictEqual(MicroUsd.fromUsd(-5), 0)
    // What floating point makes of a whole number of millionths is that number.
    for (const usd of [0.1, 0.3, 1.1, 0.000001, 1.005, 2.675, 4.35]) {
      assert.strictEqual(MicroUsd.fromUsd(usd), Math.round(usd * 1_000_000), String(usd))
    }
  })

  it("is written in dollars, to the cent at least", () => {
    assert.strictEqual(MicroUsd.format(0), "$0.00")
    assert.strictEqual(MicroUsd.format(1_000_000), "$1.00")
    assert.strictEqual(MicroUsd.format(1_234), "$0.001234")
    assert.strictEqual(MicroUsd.format(1_200), "$0.0012")
    assert.strictEqual(MicroUsd.format(2_500_000), "$2.50")
    assert.strictEqual(MicroUsd.format(123_456_789), "$123.456789")
  })
})
