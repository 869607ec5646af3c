/**
 * Generated secrets of every kind, against ours and against a rule set that others keep; where each was found; and how much
 * of ordinary text is touched. Every secret here was made up.
 */
import { assert, describe, it } from "@effect/vitest"
import { lintSource } from "@secretlint/core"
import { creator } from "@secretlint/secretlint-rule-preset-recommend"
import fc from "fast-check"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Redact } from "../../src/trust/index.ts"
import { kinds } from "./secrets.ts"

const contexts: ReadonlyArray<(secret: string) => string> = [
  (secret) => secret,
  (secret) => `2026-01-01 it said: ${secret}\nand went on`,
  (secret) => JSON.stringify({ a: { b: [secret] } }),
  (secret) => `<p>${secret}</p>`
]

describe("a secret", () => {
  for (const [kind, arbitrary] of Object.entries(kinds)) {
    it(`of ${kind} never survives, and is found where it stands`, () => {
      fc.assert(
        fc.property(arbitrary, fc.constantFrom(...contexts), ([secret, core], wrap) => {
          const text = wrap(secret)
          assert.notInclude(Redact.redact(text), core)
          const [first] = Redact.find(text)
          assert.isTrue(first !== undefined && first.start <= text.indexOf(core) && first.end > text.indexOf(core))
          assert.notInclude(JSON.stringify(Redact.json({ text, inner: [text] })), core)
        }),
        { numRuns: 200, seed: 3 }
      )
    })
  }

  it("that the kept rule set reports is one that is taken out", async () => {
    const config = { rules: [{ id: "@secretlint/secretlint-rule-preset-recommend", rule: creator }] }
    const judge = async (content: string) => {
      const source = { filePath: "/a.txt", content, ext: ".txt", contentType: "text" as const }
      const { messages } = await lintSource({ source, options: { config } })
      return messages.length
    }
    const texts = Object.entries(kinds).flatMap(([kind, arbitrary]) =>
      fc.sample(arbitrary, { numRuns: 10, seed: 9 }).map(([secret]) => ({ kind, text: `value ${secret} end` }))
    )
    const judged = await Promise.all(
      texts.map(async ({ kind, text }) => ({ kind, before: await judge(text), left: await judge(Redact.redact(text)) }))
    )
    const reported = judged.reduce((sum, { before }) => sum + before, 0)
    const survived = judged.filter(({ left }) => left > 0).map(({ kind }) => kind)
    assert.isAbove(reported, 100)
    assert.deepStrictEqual(survived, [])
  })
})

describe("findings", () => {
  it("are what is replaced, and nothing else", () => {
    const piece = fc.oneof(
      ...Object.values(kinds).map((kind) => kind.map(([secret]) => secret)),
      fc.string({ maxLength: 40 }),
      fc.constantFrom("api_key=", "password: ", "\"", " ", "\n", "Bearer ", "[redacted:jwt]")
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join("")
        let rebuilt = ""
        let at = 0
        for (const { end, rule, start } of Redact.find(text)) {
          assert.isTrue(start >= at && end > start)
          rebuilt += `${text.slice(at, start)}[redacted:${rule}]`
          at = end
        }
        assert.strictEqual(rebuilt + text.slice(at), Redact.redact(text))
      }),
      { numRuns: 3000, seed: 21 }
    )
  })
})

const runbooks = join(import.meta.dirname, "../../../shared/data/docs-runbooks")
describe.skipIf(!existsSync(runbooks))("ordinary runbooks", () => {
  it("lose fewer than three in a thousand characters", () => {
    let [all, taken] = [0, 0]
    for (
      const name of readdirSync(runbooks, { recursive: true, encoding: "utf8" }).filter((one) => one.endsWith(".md"))
    ) {
      const text = readFileSync(join(runbooks, name), "utf8")
      all += text.length
      for (const { end, start } of Redact.find(text)) taken += end - start
    }
    assert.isAbove(all, 1_000_000)
    assert.isBelow(taken / all, 0.003)
  })
})
