/** Links are found as a reader and as a browser see them, in a time that grows with the text. */
import { assert, describe, it } from "@effect/vitest"
import { Links } from "../../src/trust/index.ts"

describe("links", () => {
  it("are found as they stand", () => {
    assert.deepStrictEqual(Links.linksIn("see https://a.example/x?y=1, b.example/z. Mail c@d.example!"), [
      "https://a.example/x?y=1",
      "b.example/z",
      "c@d.example"
    ])
    assert.deepStrictEqual(Links.linksIn("at 10.0.0.1:80/x or evil\u3002example, v 1.2.3"), [
      "10.0.0.1:80/x",
      "evil.example"
    ])
    assert.deepStrictEqual(Links.linksIn("none. Here, 1.5 or at 9:30"), [])
  })

  it("are looked for in a time that grows with the text and no faster", () => {
    for (const part of ["a", "a.", "a@", "a-", "1.", "http:/", "a.b@", "\u200b"]) {
      const taken = (length: number) => {
        const text = part.repeat(length / part.length)
        const start = performance.now()
        Links.linksIn(text)
        return performance.now() - start
      }
      taken(20_000)
      assert.isBelow(taken(200_000), 2000, part)
    }
  })
})
