import { assert, describe, it } from "@effect/vitest"
import canonicalize from "canonicalize"
import fc from "fast-check"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { NodeDigest } from "../../../layers/node/index.ts"

const { canonical, sha256 } = NodeDigest.digest
const vectors = new URL("../../../../shared/data/crypto/jcs-rfc8785/", import.meta.url).pathname

describe("canonical JSON", () => {
  it("says what the reference package says, of 20,000 random values", () => {
    const names = fc.oneof(
      fc.string(),
      fc.constantFrom("10", "9", "01", "-1", "a", "\u20ac", "\ufb33", "\ud83d\ude00", "toString")
    )
    const values = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.constantFrom(null, true, false, 0, -0, 1e21, 1e-7, 5e-324, "\u2028", ""),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.string(),
        fc.array(tie("value")),
        fc.dictionary(names, tie("value"))
      )
    })).value
    fc.assert(
      fc.property(values, (value) => {
        assert.strictEqual(canonical(value as never), canonicalize(value))
      }),
      { numRuns: 20_000 }
    )
  })

  it("writes half a surrogate pair as U+FFFD", () => {
    assert.strictEqual(canonical({ a: "x\ud800", "\udc00": ["\ud83d"] }), "{\"a\":\"x\ufffd\",\"\ufffd\":[\"\ufffd\"]}")
    assert.strictEqual(canonical({ "1": "\ud800" }), "{\"1\":\"\ufffd\"}")
  })

  it("leaves its argument as it was", () => {
    const value = { b: [{ d: 1, c: 2 }], a: 1 }
    assert.strictEqual(canonical(value), "{\"a\":1,\"b\":[{\"c\":2,\"d\":1}]}")
    assert.deepStrictEqual(Object.keys(value), ["b", "a"])
  })

  it("refuses what JSON cannot say", () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, { a: [Number.NaN] }]) {
      assert.throws(() => canonical(value as never))
    }
  })

  it.skipIf(!existsSync(vectors))("agrees with the published vectors of RFC 8785", () => {
    for (const name of readdirSync(`${vectors}input`)) {
      const input = JSON.parse(readFileSync(`${vectors}input/${name}`, "utf8"))
      assert.strictEqual(canonical(input), readFileSync(`${vectors}output/${name}`, "utf8").trimEnd(), name)
    }
  })

  it("hashes UTF-8", () => {
    assert.strictEqual(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  })
})
