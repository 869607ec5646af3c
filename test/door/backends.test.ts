/**
 * `aosiq start --backend`: the same diagnosis on the wire format of each vendor, with what the vendor was asked and what it
 * cost; and what a user reads when a key is wrong or missing.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { execFile } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { models } from "../../layers/cli/Backends.ts"
import { serve } from "../backend/Loopback.ts"
import type { Said, Wire } from "../backend/Wire.ts"
import { wire as anthropic } from "../layers/anthropic/wire.ts"
import { wire as bedrock } from "../layers/bedrock/wire.ts"
import { fakeClaude } from "../layers/claude-code/fakeClaude.ts"
import { wire as claudeCode } from "../layers/claude-code/wire.ts"
import { wire as google } from "../layers/google/wire.ts"
import { wire as ollama } from "../layers/ollama/wire.ts"
import { wire as openai } from "../layers/openai/wire.ts"

/** Milliseconds for a start of the program, database and all, on a busy machine. */
const limit = 240_000

const home = join(import.meta.dirname, "../..")

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Starts the program on a case that holds nothing; gives its exit code and what it wrote. */
const start = (
  args: ReadonlyArray<string>,
  environment: Record<string, string>
): Effect.Effect<Outcome, never, Scope.Scope> =>
  Effect.gen(function*() {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "aosiq-start-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true }))
    )
    const all = ["start", "--once", "--json", "--data", join(folder, "data"), "--case", folder, ...args]
    return yield* Effect.callback<Outcome>((resume) => {
      execFile(
        process.execPath,
        ["layers/cli/bin.mjs", ...all],
        { cwd: home, env: { ...process.env, ...environment } },
        (error, stdout, stderr) =>
          resume(Effect.succeed({ code: error === null ? 0 : Number(error.code), stdout, stderr }))
      )
    })
  })

/** How a user tells the program where each vendor is, and with which key. */
const vendors: ReadonlyArray<readonly [Wire, (url: string, claude: string) => Record<string, string>]> = [
  [anthropic, (url) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: anthropic.key ?? "" })],
  [bedrock, (url) => ({
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: url,
    AWS_REGION: "eu-west-1",
    AWS_ACCESS_KEY_ID: "AKIATEST",
    AWS_SECRET_ACCESS_KEY: bedrock.key ?? ""
  })],
  [claudeCode, (url, claude) => ({
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: claudeCode.key ?? "",
    PATH: [dirname(claude), process.env["PATH"]].join(delimiter)
  })],
  [google, (url) => ({ GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: google.key ?? "" })],
  [ollama, (url) => ({ OLLAMA_HOST: url })],
  [openai, (url) => ({ OPENAI_BASE_URL: url, OPENAI_API_KEY: openai.key ?? "" })]
]

const looking: Said = {
  calls: [
    { id: "call_a", name: "spawn_ThresholdEvaluation", params: { signals: [], window: {} } },
    { id: "call_b", name: "spawn_LogQuery", params: { contains: null, window: {} } },
    { id: "call_c", name: "spawn_ConfigIntrospection", params: {} }
  ]
}
const concluding: Said = {
  calls: [{
    id: "call_d",
    name: "conclude",
    params: {
      title: "Nothing to see",
      summary: "The case holds nothing.",
      severity: "info",
      confidence: 0.5,
      claims: [],
      risks: [],
      outcome: "inconclusive",
      missing: ["everything"]
    }
  }]
}

describe("a diagnosis", () => {
  for (const [wire, environment] of vendors) {
    it.live(`on ${wire.name} looks, concludes, and costs what was used`, () =>
      Effect.gen(function*() {
        const asked: Array<Effect.Success<ReturnType<Wire["question"]>>> = []
        const server = yield* serve((question, response, attempt) => {
          void Effect.runPromise(wire.question(question)).then((read) => {
            asked.push(read)
            const { body, headers, status } = wire.whole(attempt === 1 ? looking : concluding)
            response.writeHead(status, headers)
            response.end(body)
          })
        })
        const claude = yield* fakeClaude
        const { stderr, stdout } = yield* start(["--backend", wire.name], environment(server.url, claude))
        assert.notStrictEqual(stdout, "", stderr)
        const outcome = JSON.parse(stdout)
        assert.strictEqual(outcome.advice?.title, "Nothing to see", stderr)
        assert.deepInclude(outcome, { backend: wire.name, status: "waiting", notice: null })
        assert.isTrue(outcome.audit.ok)
        if (wire.name === "ollama") assert.strictEqual(outcome.costMicroUsd, 0)
        else assert.isAbove(outcome.costMicroUsd, 0)
        assert.lengthOf(asked, 2)
        const [first, second] = asked
        assert.includeMembers(first?.tools.map(({ name }) => name) ?? [], ["spawn_LogQuery", "conclude"])
        assert.deepStrictEqual(second?.calls.map(({ name }) => name), looking.calls?.map(({ name }) => name))
        assert.isTrue(second?.calls.every(({ result }) => result.includes("stamp")), JSON.stringify(second?.calls))
      }), limit)
  }
})

describe("a backend of the command line", () => {
  for (const [args, model] of [[[], models.openai], [["--model", "gpt-5-mini"], "gpt-5-mini"]] as const) {
    it.live(
      `asks ${args.length === 0 ? "a model of its own" : "the model that was named"}`,
      () =>
        Effect.gen(function*() {
          const server = yield* serve((_, response) => {
            const { body, headers, status } = openai.refuse("unauthorized", "go away")
            response.writeHead(status, headers)
            response.end(body)
          })
          const environment = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: openai.key ?? "" }
          const { code, stderr } = yield* start(["--backend", "openai", ...args], environment)
          assert.strictEqual(code, 1)
          assert.include(stderr, `openai/${model}: Unauthorized: go away; check the key and what it may do`)
          assert.strictEqual(server.asked[0]?.body["model"], model)
          assert.lengthOf(server.asked, 1)
        }),
      limit
    )
  }

  it.live("is not asked for a model without a price, and is with a price of one's own", () =>
    Effect.gen(function*() {
      const server = yield* serve((_, response, attempt) => {
        const { body, headers, status } = openai.whole(attempt === 1 ? looking : concluding)
        response.writeHead(status, headers)
        response.end(body)
      })
      const environment = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: openai.key ?? "" }
      const named = ["--backend", "openai", "--model", "unheard-of"]
      const refused = yield* start(named, environment)
      assert.strictEqual(refused.code, 1)
      assert.include(refused.stderr, "nobody has a price for openai/unheard-of")
      assert.lengthOf(server.asked, 0)
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "aosiq-prices-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      const file = join(folder, "prices.json")
      const price = { backend: "openai", model: "unheard-of", inputUsdPerMillion: 1, outputUsdPerMillion: 2 }
      writeFileSync(file, JSON.stringify({ asOf: "2026-11-01", prices: [price] }))
      const { stdout } = yield* start([...named, "--prices", file], environment)
      // Two answers of ten tokens in and five out.
      assert.strictEqual(JSON.parse(stdout).costMicroUsd, 40)
      assert.lengthOf(server.asked, 2)
    }), limit)

  it.live("is stopped where the budget ends, and the program says what there is by then", () =>
    Effect.gen(function*() {
      const server = yield* serve(({ path }, response) => {
        const { counter } = openai
        const isCount = counter !== undefined && counter.path.test(path)
        const { body, headers, status } = isCount ? counter.reply(900_000) : openai.whole(looking)
        response.writeHead(status, headers)
        response.end(body)
      })
      const environment = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: openai.key ?? "" }
      const { code, stderr, stdout } = yield* start(["--backend", "openai", "--budget", "0.01"], environment)
      assert.strictEqual(code, 1)
      const partial = { actor: "OperationalAdvice", steps: 0, said: "", evidence: [], draft: null }
      assert.deepInclude(JSON.parse(stdout), { status: "failed", stop: "budget", partial, costMicroUsd: 0 })
      assert.include(stderr, "its budget has ended")
      assert.include(stderr, "remedy: start it again with a higher --budget")
      assert.deepStrictEqual(server.asked.map(({ path }) => path), ["/responses/input_tokens"])
    }), limit)

  it.live(
    "that cannot answer is followed by the next of the plan, and the outcome says whose answer it is",
    () =>
      Effect.gen(function*() {
        const server = yield* serve((_, response) => {
          const { body, headers, status } = openai.refuse("overloaded", "come back later")
          response.writeHead(status, { ...headers, "retry-after": "0" })
          response.end(body)
        })
        const environment = {
          OPENAI_BASE_URL: server.url,
          OPENAI_API_KEY: openai.key ?? "",
          GEMINI_API_KEY: "",
          GOOGLE_API_KEY: ""
        }
        const plan = ["--backend", "openai", "--fallback", "gemini", "--fallback", "offline"]
        const { code, stderr, stdout } = yield* start(plan, environment)
        assert.strictEqual(code, 0, stderr)
        assert.isAbove(server.asked.length, 0)
        assert.include(stderr, "left out of the plan: gemini: there is no GEMINI_API_KEY")
        const outcome = JSON.parse(stdout)
        assert.deepInclude(outcome, {
          backend: "offline",
          notice: "offline baseline: these are rules, not a model",
          costMicroUsd: 0
        })
        const wrong = yield* start(["--fallback", "nobody"], {})
        assert.strictEqual(wrong.code, 2)
      }),
    limit
  )

  it.live("without a key is not started, and says what to set", () =>
    Effect.gen(function*() {
      const { code, stderr } = yield* start(["--backend", "gemini"], { GEMINI_API_KEY: "", GOOGLE_API_KEY: "" })
      assert.strictEqual(code, 1)
      assert.include(stderr, "error: gemini: there is no GEMINI_API_KEY\n")
      assert.include(stderr, "remedy: set GEMINI_API_KEY, or pass apiKey")
    }), limit)
})
