/** Secrets of every kind that redaction knows, made up by the hundred. */
import fc from "fast-check"

export const lower = [..."abcdefghijklmnopqrstuvwxyz"]
export const upper = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
export const decimal = [..."0123456789"]
export const of = (units: ReadonlyArray<string>, length: number) =>
  fc.string({ unit: fc.constantFrom(...units), minLength: length, maxLength: length })
export const word = (length: number) => of([...lower, ...upper, ...decimal], length)
export const hex = (length: number) => of([..."0123456789abcdef"], length)

/** A secret, and the part of it that must not survive. */
export type Made = readonly [secret: string, core: string]
const after = (prefix: string, core: fc.Arbitrary<string>): fc.Arbitrary<Made> =>
  core.map((text) => [prefix + text, text])
export const kinds: Readonly<Record<string, fc.Arbitrary<Made>>> = {
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
