import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { Person } from "../../src/approval/index.ts"

describe("the name of a person", () => {
  for (
    const other of [
      "Ada",
      "ADA",
      " ada",
      "ada\u00a0",
      "ａｄａ",
      "\u{1D41A}\u{1D41D}\u{1D41A}",
      "\u0430\u0501\u0430",
      "\u0430da",
      "local:ada",
      "oidc: ADA "
    ]
  ) {
    it(`${JSON.stringify(other)} may be ada`, () => {
      assert.isTrue(Person.isSame("ada", other))
      assert.isTrue(Person.isSame(other, "ada"))
    })
  }

  it("is composed, folded and spaced in one way", () => {
    assert.isTrue(Person.isSame("Jose\u0301  Garci\u0301a", "jos\u00e9 garc\u00eda"))
    assert.isTrue(Person.isSame("STRASSE", "straße"))
    assert.isTrue(Person.isSame("\u1e9eig", "ssig"))
    assert.strictEqual(Person.normalise("  Ada\t\u3000Lovelace "), "Ada Lovelace")
  })

  it("is another's where it is another", () => {
    for (const other of ["adam", "ad a", "grace", "ada2", "jose", "local:grace"]) {
      assert.isFalse(Person.isSame("ada", other), other)
    }
    // Two realms are two people, as far as anybody knows.
    assert.isFalse(Person.isSame("local:ada", "oidc:ada"))
    assert.isTrue(Person.isSame("LOCAL:Ada", "local:ada"))
    assert.isFalse(Person.isSame("José", "Jose"))
  })

  it("is refused where nobody could see what it is", () => {
    const hidden = [
      "",
      "  ",
      "ada\u200b",
      "a\u00adda",
      "ada\u202e",
      "ada\u0000",
      "ada\u3164",
      "ada\ud800",
      "a\u{E0061}da"
    ]
    for (const name of hidden) assert.isString(Person.fault(name), JSON.stringify(name))
    assert.match(Person.fault("\u0430da") ?? "", /alphabets/)
    assert.match(Person.fault("a".repeat(201)) ?? "", /200/)
    for (const name of ["ada", "local:ada", "Ада", "Ελένη", "山田 太郎", "Ægir O'Neill-Šimić", "a".repeat(200)]) {
      assert.isNull(Person.fault(name), name)
    }
  })

  it("is the same as itself, however it is written, and sameness goes both ways", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (a, b) => {
      for (const form of ["NFC", "NFD", "NFKC", "NFKD"] as const) assert.isTrue(Person.isSame(a, a.normalize(form)))
      assert.isTrue(Person.isSame(a, Person.normalise(a)))
      assert.strictEqual(Person.isSame(a, b), Person.isSame(b, a))
      assert.strictEqual(Person.normalise(Person.normalise(a)), Person.normalise(a))
    }))
  })
})
