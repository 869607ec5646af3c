import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { stand, unsupported } from "../../src/evidence/Figures.ts"

const noon = String(Date.UTC(2026, 2, 26, 12, 5, 9, 250))

describe("figures that the evidence bears out", () => {
  const borneOut: ReadonlyArray<readonly [sentence: string, evidence: string]> = [
    ["no figures at all", ""],
    ["57 errors", "57× error"],
    ["3× slower", "a factor of 3"],
    ["2 of 5 volumes are full", "2 of 5 volumes"],
    ["two ways: 1,234 and 1234", "1234"],
    ["10000 lines", "10,000 lines"],
    ["1,234,567.5 bytes", "1234567.5"],
    ["ports 80 and 443", "80,443"],
    ["reached 200.", "100,200,300"],
    ["95.3%", "0.953"],
    ["95%", "used_percent\n95"],
    ["a share of 0.95", "95%"],
    ["-5 °C", "-5"],
    ["−5 °C", "-5"],
    ["fell by 5", "-5"],
    [".5 s", "0.5"],
    ["0.50 s", "0.5"],
    ["1e-7", "0.0000001"],
    ["$3.50 of €4", "3.5 of 4"],
    ["~12ms", "12"],
    ["16-core, 5GB, 99th percentile", "16 5 99"],
    ["10ms-20ms", "between 10 and 20"],
    ["5–10 s", "5 to 10"],
    ["24/7", "24 hours, 7 days"],
    ["CPU:95%", "95 %"],
    ["(**12**)", "12"],
    ["HTTP 503!", "status 503"],
    ["p95 of web-03", "p95 web-03"],
    ["P95", "p95"],
    ["10.0.0.1 refused", "10.0.0.1:5432"],
    ["on 2026-03-26", noon],
    ["at 12:05", noon],
    ["at 12:05:09Z", noon],
    ["2026-03-26T12:05:09.250Z", noon],
    ["2026-03-26 12:05:09", noon],
    ["at 12:05:09", "2026-03-26T12:05:09.250Z started"]
  ]
  for (const [sentence, evidence] of borneOut) {
    it(`"${sentence}" by "${evidence.replace("\n", " ")}"`, () =>
      assert.deepStrictEqual(unsupported(sentence, [evidence]), []))
  }

  it("may stand in different results", () => assert.deepStrictEqual(unsupported("7 of 9", ["7", "9"]), []))
})

describe("figures that it does not", () => {
  const unborne: ReadonlyArray<readonly [sentence: string, evidence: string, figure: string]> = [
    ["57 errors", "no errors", "57"],
    ["57 errors", "57.3", "57"],
    ["57.3 errors", "57", "57.3"],
    ["5 errors", "55", "5"],
    ["-5 °C", "5", "-5"],
    ["95%", "0.94", "95%"],
    ["1,234", "1 and 234 of 1235", "1,234"],
    ["web-03 is down", "web-02 is down 03 times", "web-03"],
    ["db3", "db 3", "db3"],
    ["p95 is slow", "95", "p95"],
    ["10.0.1.1 refused", "10.0.0.1:5432", "10.0.1.1"],
    ["version 1.2.3", "version 1.2.4", "1.2.3"],
    ["at 12:06", noon, "12:06"],
    ["on 2026-03-27", noon, "2026-03-27"],
    ["2026-03-26T12:05:08Z", noon, "2026-03-26T12:05:08"],
    ["3f2a", "3 f 2 a", "3f2a"],
    ["5 to 11", "5 to 10", "11"]
  ]
  for (const [sentence, evidence, figure] of unborne) {
    it(`"${sentence}" by "${evidence}"`, () => assert.deepStrictEqual(unsupported(sentence, [evidence]), [figure]))
  }
})

describe("words stand", () => {
  const cases: ReadonlyArray<readonly [words: string, text: string, stands: boolean]> = [
    ["active", "is active now", true],
    ["active", "is inactive now", false],
    ["active", "inactive, then active", true],
    ["healthy", "unhealthy", false],
    ["went to 9", "went to 95%", false],
    ["5%", "95%", false],
    ["5 ms", "-5 ms", false],
    ["1", "1,234", false],
    ["234", "1,234", false],
    ["0.5", "10.5", false],
    ["5", "0.5", false],
    ["5. Then", "5. Then", true],
    ["03", "web-03", true],
    ["load", "db_load_by_user", true],
    ["错误", "发生错误了", true],
    ["größer", "vergrößert", false]
  ]
  for (const [words, text, stands] of cases) {
    it(`${stands ? "" : "not "}"${words}" in "${text}"`, () => assert.strictEqual(stand(words, text), stands))
  }

  it("when they are cut out between spaces, whatever the text", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^\S{1,8}$/), { minLength: 1, maxLength: 8 }), fc.nat(), (parts, at) => {
        const first = at % parts.length
        assert.isTrue(stand(parts.slice(first).join(" "), parts.join(" ")))
        assert.deepStrictEqual(unsupported(parts.join(" "), [parts.join(" ")]), [])
      }),
      { numRuns: 500, seed: 3 }
    )
  })

  it("in a time that does not grow with how often they almost do", () => {
    const [words, text] = ["a".repeat(1000), "a".repeat(2_000_000)]
    assert.isFalse(stand(words, text))
  })
})
