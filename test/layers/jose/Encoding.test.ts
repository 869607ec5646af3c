/** Strictness: one value, one spelling. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { fromBase64Url, fromJsonObject } from "../../../layers/jose/Encoding.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

const written: fc.Arbitrary<{ readonly text: string; readonly repeats: boolean }> = fc.letrec<{
  value: { readonly text: string; readonly repeats: boolean }
  object: { readonly text: string; readonly repeats: boolean }
}>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.json({ maxDepth: 0 }).map((text) => ({ text, repeats: false })),
    fc.constantFrom("\"a\"", "\"{\\\"a\\\":1,\\\"a\\\":1}\"", "\"\\\\\"", "[\"a\",\"a\"]", "{}").map((text) => ({
      text,
      repeats: false
    })),
    fc.array(tie("value"), { maxLength: 3 }).map((items) => ({
      text: `[ ${items.map(({ text }) => text).join(" ,")}]`,
      repeats: items.some(({ repeats }) => repeats)
    })),
    tie("object")
  ),
  object: fc.array(fc.tuple(fc.constantFrom("a", "b", "\\", "\"", "c:", "{"), fc.boolean(), tie("value")), {
    maxLength: 4
  })
    .map((members) => ({
      text: `{${
        members.map(([name, isEscaped, { text }]) =>
          `${isEscaped ? escaped(name) : JSON.stringify(name)}${isEscaped ? " \n" : ""}:${text}`
        ).join(",")
      }}`,
      repeats: new Set(members.map(([name]) => name)).size < members.length ||
        members.some(([, , { repeats }]) => repeats)
    }))
})).object

const escaped = (name: string) =>
  `"${[...name].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`).join("")}"`

describe("fromBase64Url", () => {
  it("reads what an encoder writes", () => {
    fc.assert(fc.property(fc.uint8Array(), (given) => {
      const read = fromBase64Url(Buffer.from(given).toString("base64url"))
      assert.deepStrictEqual(read === undefined ? undefined : [...read], [...given])
    }))
  })

  it("reads nothing else", () => {
    for (
      const wrong of ["A", "AB", "AAB", "AA=", "AA==", " AA", "AA ", "A\nA", "A+A", "A/A", "AA.", "AA?", "é", "AAAA A"]
    ) {
      assert.isUndefined(fromBase64Url(wrong), wrong)
    }
    fc.assert(fc.property(fc.string(), (text) => {
      const read = fromBase64Url(text)
      assert.isTrue(read === undefined || Buffer.from(read).toString("base64url") === text)
    }))
  })
})

describe("fromJsonObject", () => {
  it("refuses an object that names a member twice, at any depth and in any spelling, and no other", () => {
    const seen = { once: 0, twice: 0 }
    fc.assert(
      fc.property(written, ({ repeats, text }) => {
        const read = fromJsonObject(bytes(text))
        seen[repeats ? "twice" : "once"]++
        if (repeats) assert.isUndefined(read, text)
        else assert.deepStrictEqual(read, JSON.parse(text), text)
      }),
      { numRuns: 3000, seed: 7 }
    )
    assert.isAbove(seen.once, 300)
    assert.isAbove(seen.twice, 300)
  })

  it("refuses what is no object, or not UTF-8", () => {
    for (
      const text of ["", "null", "[]", "1", "\"a\"", "{", "{}}", "\ufeff{}", "{'a':1}", "{\"a\":1,}", "{\"a\":01}"]
    ) {
      assert.isUndefined(fromJsonObject(bytes(text)), text)
    }
    assert.isUndefined(fromJsonObject(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)))
    assert.deepStrictEqual(fromJsonObject(bytes(" { } ")), {})
  })
})
