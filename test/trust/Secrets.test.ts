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

const lower = [..."abcdefghijklmnopqrstuvwxyz"]
const upper = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
const decimal = [..."0123456789"]
const of = (units: ReadonlyArray<string>, length: number) =>
  fc.string({ unit: fc.constantFrom(...units), minLength: length, maxLength: length })
const word = (length: number) => of([...lower, ...upper, ...decimal], length)
const hex = (length: number) => of([..."0123456789abcdef"], length)

/** A secret, and the part of it that must not survive. */
type Made = readonly [secret: string, core: string]
const after = (prefix: string, core: fc.Arbitrary<string>): fc.Arbitrary<Made> =>
  core.map((text) => [prefix + text, text])
const kinds: Readonly<Record<string, fc.Arbitrary<Made>>> = {
  jwt: fc.tuple(word(40), word(43)).map(([body, signature]) => [`eyJhbGciOiJIUzI1NiJ9.${body}.${signature}`, body]),
  "connection string": fc.tuple(fc.constantFrom("postgres", "mysql", "mongodb+srv", "redis", "amqp"), word(14)).map(
    ([scheme, password]) => [`${scheme}://app:${password}@db.internal:5432/shop`, password]
  ),
  "private key": word(64).map((text) => [`-----BEGIN PRIVATE KEY-----\n${text}\n-----END PRIVATE KEY-----`, text]),
  "AWS key": after("AKIA", of([...upper, ...decimal], 16)),
  "AWS secret": after("AWS_SECRET_ACCESS_KEY=", word(40)),
  GitHub: after("ghp_", word(36)),
  GitLab: after("glpat-", word(20)),
  npm: after("npm_", word(36)),
  Slack: after("xoxb-", fc.tuple(of(decimal, 12), word(24)).map(([one, two]) => `${one}-${two}`)),
  SendGrid: fc.tuple(word(22), word(43)).map(([one, two]) => [`SG.${one}.${two}`, two]),
  Shopify: after("shpat_", hex(32)),
  Anthropic: after("sk-ant-api03-", word(93).map((text) => `1${text}AA`)),
  OpenAI: fc.tuple(word(20), word(20)).map(([one, two]) => [`sk-1${one.slice(1)}T3BlbkFJ${two}`, two]),
  Stripe: after("sk_live_", word(24).map((text) => `1${text}`)),
  Linear: after("lin_api_", word(40)),
  "Hugging Face": after("hf_", of([...lower, ...upper], 34)),
  Vault: after("hvs.", word(90)),
  Docker: after("dckr_pat_", word(27)),
  Figma: after("figd_", word(40)),
  Grafana: fc.tuple(word(32), hex(8)).map(([text, sum]) => [`glsa_${text}_${sum}`, text]),
  Databricks: after("dapi", hex(32)),
  Groq: after("gsk_", word(52)),
  Notion: after("ntn_", of(decimal, 11).chain((digits) => word(35).map((text) => digits + text))),
  Tailscale: fc.tuple(word(12), word(30)).map(([id, key]) => [`tskey-auth-${id}-${key}`, key]),
  password: after("password: ", word(12))
}
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
