/** No text closes the envelope that it stands in, whatever it holds, and the mark is the same for the same place only. */
import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import fc from "fast-check"
import { Spotlight } from "../../src/trust/index.ts"
import { digest } from "../audit/worlds.ts"
import { hostileTo, isHeld } from "./envelopes.ts"

const place = { token: "header.payload.signature", path: "/act-1-0" }
const mark = Spotlight.mark(digest, place)

describe("an envelope", () => {
  it("is closed by nothing inside it: a hundred thousand texts", () => {
    fc.assert(
      fc.property(fc.array(hostileTo(mark), { maxLength: 8 }), fc.boolean(), (pieces, isMarked) => {
        const text = pieces.join("")
        if (!isHeld(text, mark, isMarked)) assert.fail(JSON.stringify(text))
      }),
      { numRuns: 100_000, seed: 5 }
    )
  }, 60_000)

  it("leaves a text without its mark as it is", () => {
    const text = "a < b, </data-x> and \"c\"\n"
    const opened = Spotlight.unwrap(Spotlight.wrap(text, { mark, source: "look" }))
    assert.deepStrictEqual(Option.getOrUndefined(opened), { source: "look", text })
  })

  it("names its source in one word, whatever that is", () => {
    assert.include(Spotlight.wrap("x", { mark, source: "a\">\n<b" }), "source=\"a____b\"")
  })

  it("shows every space where the words are to be marked as data", () => {
    assert.notInclude(Spotlight.wrap("do this now", { mark, source: "a", isMarked: true }), "do this")
  })

  it("is not opened when it is not one", () => {
    const one = Spotlight.wrap("x", { mark, source: "a" })
    for (const text of ["", "x", one.slice(1), one.slice(0, -1), `${one}x`, one + one]) {
      assert.isTrue(Option.isNone(Spotlight.unwrap(text)), text)
    }
  })
})

describe("a mark", () => {
  it("is the same in every run of the session, and another at every other place and token", () => {
    assert.match(mark, /^[0-9a-f]{32}$/)
    assert.strictEqual(Spotlight.mark(digest, { ...place }), mark)
    const others = [{ ...place, path: "/act-1-1" }, { ...place, token: "header.payload.other" }]
    for (const other of others) assert.notStrictEqual(Spotlight.mark(digest, other), mark)
  })

  it("is left out where two recordings are compared", () => {
    const other = Spotlight.mark(digest, { ...place, token: "another" })
    const [one, two] = [mark, other].map((each) => Spotlight.wrap("x", { mark: each, source: "a" }))
    assert.notStrictEqual(one, two)
    assert.strictEqual(Spotlight.anonymous(one ?? ""), Spotlight.anonymous(two ?? ""))
  })
})
