/** Looking at backends: what is missing is said, the vendor is asked at most once and for nothing, and no key is told. */
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Result } from "effect"
import { subject as anthropic } from "../../layers/anthropic/index.ts"
import { subject as bedrock } from "../../layers/bedrock/index.ts"
import { subject as claudeCode } from "../../layers/claude-code/index.ts"
import { subject as gemini } from "../../layers/google/index.ts"
import { NodePackages } from "../../layers/node/index.ts"
import { subject as ollama } from "../../layers/ollama/index.ts"
import { subject as openai } from "../../layers/openai/index.ts"
import { Check } from "../../src/backend/index.ts"
import { Prices } from "../../src/cost/index.ts"
import { type Answering, serve } from "./Loopback.ts"

const secret = "sk-test-1234567890abcdef"

const prices = Layer.succeed(Prices.Prices, {
  asOf: "2026-02-03",
  price: (backend, model, { input, output }) =>
    model === "unpriced"
      ? Result.fail(new Prices.UnknownModel({ backend, model, remedy: "give its price" }))
      : Result.succeed(3 * input + 15 * output)
})
const installed = Layer.succeed(Check.Packages, { version: () => Effect.succeed("1.2.3") })
const classes = [{ name: "Local", backends: ["ollama"] }, { name: "Any", backends: ["ollama", "openai", "anthropic"] }]

const look = (
  subject: Check.Subject,
  env: Record<string, string>,
  options: Partial<Check.Order> = {},
  packages: Layer.Layer<Check.Packages> = installed
) =>
  Check.look({ subject, model: "m", classes, covers: { ollama: ["clinic"] }, network: true, ...options }).pipe(
    Effect.provide(Layer.merge(prices, packages)),
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(env))
  )

const answering = (status: number, body = "{}"): Answering => (_, response) => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(body)
}

interface Vendor {
  readonly subject: Check.Subject
  readonly env: (url: string) => Record<string, string>
  readonly path: string
  /** The header that the key travels in. */
  readonly header: string | undefined
}
const vendors: ReadonlyArray<Vendor> = [
  {
    subject: anthropic,
    env: (url) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: secret }),
    path: "/v1/models/m",
    header: "x-api-key"
  },
  {
    subject: openai,
    env: (url) => ({ OPENAI_BASE_URL: url, OPENAI_API_KEY: secret }),
    path: "/models/m",
    header: "authorization"
  },
  {
    subject: gemini,
    env: (url) => ({ GOOGLE_GEMINI_BASE_URL: url, GOOGLE_API_KEY: secret }),
    path: "/v1beta/models/m",
    header: "x-goog-api-key"
  },
  {
    subject: ollama,
    env: (url) => ({ OLLAMA_HOST: url, OLLAMA_API_KEY: secret }),
    path: "/api/show",
    header: "authorization"
  },
  {
    subject: bedrock,
    env: (url) => ({ AWS_ENDPOINT_URL_BEDROCK_RUNTIME: url, AWS_BEARER_TOKEN_BEDROCK: secret }),
    path: "/",
    header: undefined
  },
  {
    subject: {
      ...claudeCode,
      program: { name: "claude", remedy: "get it", version: Effect.succeed("2.0.0") }
    },
    env: (url) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: secret }),
    path: "/v1/models/m",
    header: "x-api-key"
  }
]

for (const { env, header, path, subject } of vendors) {
  describe(subject.backend, () => {
    it.live("is ready when all is there: asked once, for nothing, with the key in a header", () =>
      Effect.gen(function*() {
        const server = yield* serve(answering(200))
        const found = yield* look(subject, env(server.url))
        assert.deepStrictEqual(server.asked.map((asked) => asked.path), [path])
        if (header !== undefined) assert.include(String(server.asked[0]?.headers[header]), secret)
        else assert.notInclude(JSON.stringify(server.asked), secret)
        assert.deepInclude(found, { ready: true, model: "m", endpoint: server.url, remedies: [] })
        assert.strictEqual(found.reach.state, "reachable")
        assert.strictEqual(found.key.state, "set")
        assert.deepStrictEqual(found.price, {
          asOf: "2026-02-03",
          inputPerMillion: 3_000_000,
          outputPerMillion: 15_000_000
        })
        assert.notInclude(JSON.stringify(found), secret)
      }))

    it.live("is not asked where the network is left out", () =>
      Effect.gen(function*() {
        const server = yield* serve(answering(200))
        const found = yield* look(subject, env(server.url), { network: false })
        assert.lengthOf(server.asked, 0)
        assert.strictEqual(found.reach.state, "not_asked")
        assert.isTrue(found.ready)
      }))

    it.live("that does not answer in time, or not at all, is unreachable", () =>
      Effect.gen(function*() {
        const silent = yield* serve(() => {})
        const late = yield* look(subject, env(silent.url), { timeoutMs: 100 })
        assert.deepStrictEqual(late.reach, { state: "unreachable", detail: "no answer in 100 ms" })
        const gone = yield* Effect.scoped(Effect.map(serve(() => {}), ({ url }) => url))
        const dead = yield* look(subject, env(gone))
        assert.deepStrictEqual(dead.reach, { state: "unreachable", detail: "no connection (ECONNREFUSED)" })
        assert.isFalse(dead.ready)
      }))

    if (header !== undefined) {
      it.live("that refuses the key, or has no such model, is not ready; its words and the key are not told", () =>
        Effect.gen(function*() {
          for (const [status, detail] of [[401, /key is not accepted/], [404, /has no model m/]] as const) {
            const server = yield* serve(answering(status, `{"error":"your key ${secret} is bad"}`))
            const found = yield* look(subject, env(server.url))
            assert.strictEqual(found.reach.state, "refused")
            assert.match(found.reach.detail, detail)
            assert.isFalse(found.ready)
            assert.notInclude(JSON.stringify(found), secret)
          }
        }))

      it.live("is not followed elsewhere with the key in hand", () =>
        Effect.gen(function*() {
          const elsewhere = yield* serve(answering(200))
          const server = yield* serve((_, response) => {
            response.writeHead(302, { location: elsewhere.url })
            response.end()
          })
          const found = yield* look(subject, env(server.url))
          assert.lengthOf(elsewhere.asked, 0)
          assert.strictEqual(found.reach.state, "refused")
        }))
    }

    if (subject.keyless === "never") {
      it.live("without a key is not asked, and names the variable", () =>
        Effect.gen(function*() {
          const server = yield* serve(answering(200))
          const bare = Object.fromEntries(Object.entries(env(server.url)).filter(([, value]) => value !== secret))
          for (const empty of [{}, Object.fromEntries(subject.keys.map((name) => [name, " "]))]) {
            const found = yield* look(subject, { ...bare, ...empty })
            assert.lengthOf(server.asked, 0)
            assert.strictEqual(found.key.state, "missing")
            assert.include(found.remedies[0], subject.keys[0] ?? "")
          }
        }))
    }
  })
}

describe("what is missing", () => {
  it.effect("of packages is told with what to install", () =>
    Effect.gen(function*() {
      const none = Layer.succeed(Check.Packages, { version: () => Effect.succeed(undefined) })
      const found = yield* look(openai, { OPENAI_API_KEY: secret }, { network: false }, none)
      assert.deepStrictEqual(found.parts, [{ name: "openai", version: null, remedy: "run npm install openai" }])
      assert.isFalse(found.ready)
    }))

  it.effect("of a price, or wrong with an address, is in the way", () =>
    Effect.gen(function*() {
      const unpriced = yield* look(openai, { OPENAI_API_KEY: secret }, { network: false, model: "unpriced" })
      assert.isNull(unpriced.price)
      assert.deepStrictEqual(unpriced.remedies, ["give its price"])
      const wrong = { OPENAI_API_KEY: secret, OPENAI_BASE_URL: "https://user:hunter22@proxy.example" }
      const refused = yield* look(openai, wrong)
      assert.isNull(refused.endpoint)
      assert.strictEqual(refused.reach.state, "not_asked")
      assert.notInclude(JSON.stringify(refused), "hunter22")
    }))

  it.effect("of classes: those that list the backend may use it, and no others", () =>
    Effect.gen(function*() {
      const named = (subject: Check.Subject) => Effect.map(look(subject, {}, { network: false }), (one) => one.classes)
      assert.deepStrictEqual(yield* named(ollama), ["Local", "Any"])
      assert.deepStrictEqual(yield* named(openai), ["Any"])
      assert.deepStrictEqual(yield* named(bedrock), [])
      assert.deepStrictEqual(Check.offline({ classes, covers: {} }, "2026-01-01").classes, [])
      assert.deepStrictEqual((yield* look(ollama, {}, { network: false })).covers, ["clinic"])
    }))

  it.effect("packages are found where Node finds them", () =>
    Effect.gen(function*() {
      const { version } = yield* Check.Packages
      assert.strictEqual(yield* version("openai"), "7.57.0")
      assert.strictEqual(yield* version("@google/genai"), "3.3.0")
      assert.isUndefined(yield* version("no-such-package-anywhere"))
    }).pipe(Effect.provide(NodePackages.layer)))
})
