import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { Account } from "../../src/cost/index.ts"

const amount = fc.nat(1000)

describe("an account", () => {
  it("holds back what is reserved and lets no more go than is left", () => {
    const fresh = Account.open("session:a", 100)
    assert.deepStrictEqual(fresh, { id: "session:a", ceiling: 100, reserved: 0, spent: 0 })
    const held = Account.reserve(fresh, 60)
    assert.deepStrictEqual(held, { ...fresh, reserved: 60 })
    assert.strictEqual(held && Account.left(held), 40)
    assert.isNull(held && Account.reserve(held, 41))
    assert.deepInclude(held && Account.reserve(held, 40), { reserved: 100 })
  })

  it("settles the true cost and gives back the rest", () => {
    const held = { ...Account.open("session:a", 100), reserved: 60 }
    assert.deepInclude(Account.settle(held, 60, 25), { reserved: 0, spent: 25 })
    assert.strictEqual(Account.left(Account.settle(held, 60, 25)), 75)
  })

  it("pays a bill above its reservation in full, and has nothing left then rather than less", () => {
    const over = Account.settle({ ...Account.open("session:a", 100), reserved: 60 }, 60, 130)
    assert.deepInclude(over, { reserved: 0, spent: 130 })
    assert.strictEqual(Account.left(over), 0)
    assert.isNull(Account.reserve(over, 1))
    assert.deepStrictEqual(Account.reserve(over, 0), over)
  })

  it("never passes its ceiling while no bill passes its reservation", () => {
    fc.assert(fc.property(
      fc.nat(5000),
      fc.array(
        fc.record({ reserve: amount, share: fc.double({ min: 0, max: 1, noNaN: true }), settles: fc.boolean() })
      ),
      (ceiling, acts) => {
        let account = Account.open("a", ceiling)
        let spent = 0
        const running: Array<{ readonly reserve: number; readonly cost: number }> = []
        for (const { reserve, settles, share } of acts) {
          const next = Account.reserve(account, reserve)
          assert.strictEqual(next === null, reserve > ceiling - account.reserved - account.spent)
          if (next !== null) {
            account = next
            running.push({ reserve, cost: Math.floor(reserve * share) })
          }
          const done = settles ? running.shift() : undefined
          if (done !== undefined) {
            account = Account.settle(account, done.reserve, done.cost)
            spent += done.cost
          }
          assert.isAtMost(account.spent + account.reserved, ceiling)
        }
        for (const { cost, reserve } of running) account = Account.settle(account, reserve, cost)
        for (const { cost } of running) spent += cost
        assert.deepInclude(account, { reserved: 0, spent })
      }
    ))
  })
})
