/**
 * The backend `claude-code`: models through the Claude Code that the user has installed. Of the program nothing is used but
 * its way to the model: its tools, settings, servers, instructions and memory are off, it may ask the vendor once a run, and
 * the tools it offers are definitions that it cannot run.
 */
import { Config, Effect, Option, Redacted } from "effect"
import { AnthropicStructuredOutput } from "effect/ai"
import { constants } from "node:fs"
import { access } from "node:fs/promises"
import { delimiter, isAbsolute, join } from "node:path"
import { type Backend, type Fetch, Setup, Vendor } from "../../src/backend/index.ts"
import * as Events from "./Events.ts"
import * as Program from "./Program.ts"
import * as Refusals from "./Refusals.ts"
import * as Request from "./Request.ts"
import * as Tools from "./Tools.ts"

/** Which model, and how it is called; all but the model has a default. */
export interface Options extends Setup.Options {
  /** The program, by its path or by its name on the path; default `claude`. */
  readonly program?: string
  /** A key of the vendor's; otherwise `ANTHROPIC_API_KEY` of the configuration. */
  readonly apiKey?: Redacted.Redacted
  /** A token of a subscription, as `claude setup-token` gives one; otherwise `CLAUDE_CODE_OAUTH_TOKEN`. */
  readonly subscription?: Redacted.Redacted
}

/** The program, unless set. */
export const programName = "claude"
/** The variables that may hold a key or a token; the first that is set counts. */
export const keyVariables = ["ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN"] as const
/** The variable that may hold another address. */
export const urlVariable = "ANTHROPIC_BASE_URL"
/** How to get the program. */
export const install = "run npm install -g @anthropic-ai/claude-code"
/** Where the program asks, unless set. */
export const vendorUrl = "https://api.anthropic.com"

/** A backend over the model; fails when the program, a key or an option is amiss. The program is not started yet. */
export const make = (options: Options): Effect.Effect<Backend.Backend<"claude-code">, Setup.SetupError> =>
  Effect.gen(function*() {
    const settings = yield* Setup.settings("claude-code", options, {
      baseUrl: vendorUrl,
      baseUrlVariable: urlVariable,
      model: "claude-sonnet-5"
    })
    const [variable, secret] = yield* keyOf(options)
    const program = yield* programOf(options.program ?? programName)
    const secrets = [Redacted.value(secret)]
    const environment = {
      ...(yield* inherited),
      ...fixed,
      [variable]: Redacted.value(secret),
      ...(settings.baseUrl === vendorUrl ? {} : { ANTHROPIC_BASE_URL: settings.baseUrl }),
      API_TIMEOUT_MS: String(settings.timeoutMs),
      CLAUDE_CODE_MAX_OUTPUT_TOKENS: String(settings.maxOutputTokens)
    }
    const asked = (body: Request.Body, terms: Fetch.Terms) =>
      Effect.gen(function*() {
        const served = body.tools.length === 0 ? undefined : yield* Effect.mapError(
          Tools.serve(body.tools),
          (error): Vendor.Thrown => ({ error })
        )
        const home = yield* Program.home({ [files.system]: body.system, [files.servers]: serversOf(served) })
        const args = argumentsOf(settings.model, body, home)
        const lines = yield* Program.run({ program, args, input: body.input, environment, home }, terms)
        return yield* Vendor.promised(() => begun(lines))
      })
    const languageModel = yield* Vendor.languageModel<Request.Body, Events.State>({
      ...settings,
      name: "claude-code",
      module: "ClaudeCode",
      url: settings.baseUrl,
      secrets,
      streams: [],
      body: Request.of,
      whole: (body, call) => Effect.flatMap(asked(body, call), (lines) => Vendor.promised(() => all(lines))),
      answer: (value) => Events.folded(Array.isArray(value) ? value : [], secrets),
      events: asked,
      start: () => Events.start(secrets),
      next: Events.next,
      refused: (refusal) => Refusals.of(refusal, secrets),
      thrown: (error) => Refusals.thrown(error, secrets)
    }, AnthropicStructuredOutput.toCodecAnthropic)
    return {
      name: "claude-code",
      model: settings.model,
      notice: null,
      maxOutputTokens: settings.maxOutputTokens,
      languageModel
    }
  })

/** Where the program is; one that is named without a path is looked for on the path. */
export const programOf = (name: string): Effect.Effect<string, Setup.SetupError> =>
  Effect.gen(function*() {
    const path = yield* Effect.orElseSucceed(Config.String("PATH"), () => "")
    const places = isAbsolute(name) ? [name] : path.split(delimiter).map((folder) => join(folder, name))
    for (const place of places) {
      if (yield* Effect.scoped(Effect.isSuccess(Vendor.promised(() => access(place, constants.X_OK))))) return place
    }
    return yield* new Setup.SetupError({
      backend: "claude-code",
      reason: new Setup.MissingProgram({
        name,
        remedy: `${install}, or pass program`
      })
    })
  })

// internal

/** Of the environment the program is given what it needs to reach the vendor; the rest is not its business. */
const inherited = Effect.map(
  Effect.all(
    ["PATH", "LANG", "TMPDIR", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"].map((
      name
    ) =>
      Effect.map(
        Effect.option(Config.String(name)),
        (value) => Option.isSome(value) ? [[name, value.value]] as const : []
      )
    )
  ),
  (found): Record<string, string> => Object.fromEntries(found.flat())
)

/** One attempt a run, nothing beside the question, nothing of its own between conversation and model. */
const fixed = {
  CLAUDE_CODE_MAX_RETRIES: "0",
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  DISABLE_AUTOUPDATER: "1",
  DISABLE_AUTO_COMPACT: "1",
  DISABLE_TELEMETRY: "1",
  DISABLE_ERROR_REPORTING: "1"
}

const files = { system: "system.txt", servers: "servers.json" } as const

const serversOf = (served: Tools.Served | undefined): string =>
  JSON.stringify({
    mcpServers: served === undefined
      ? {}
      : { [Tools.serverName]: { type: "http", url: served.url, headers: { Authorization: served.authorization } } }
  })

/**
 * A budget that the first answer uses up: the program would go on by itself where an answer is cut at its limit, and each
 * further question would be paid for.
 */
const oneQuestion = ["--max-turns", "1", "--max-budget-usd", "0.000001"]

const argumentsOf = (model: string, { schema, tools }: Request.Body, home: string): ReadonlyArray<string> =>
  [
    ["--print"],
    ["--input-format", "stream-json"],
    ["--output-format", "stream-json", "--verbose", "--include-partial-messages"],
    ["--model", model],
    // Both are files: what stands on a command line can be read by everyone on the machine.
    ["--system-prompt-file", join(home, files.system)],
    ["--strict-mcp-config", "--mcp-config", join(home, files.servers)],
    ["--tools", ""],
    ["--setting-sources", ""],
    ["--permission-mode", "dontAsk"],
    ["--no-session-persistence", "--disable-slash-commands"],
    oneQuestion,
    schema === undefined ? [] : ["--json-schema", schema],
    tools.length === 0 ? [] : ["--allowedTools", tools.map(({ name }) => `${Tools.prefix}${name}`).join(",")]
  ].flat()

type Lines = AsyncGenerator<Record<string, unknown>>

/** Reads on until the answer begins. A last word before that is a refusal, of the kind that was told before it. */
const begun = (lines: Lines, told?: unknown): Promise<Lines> =>
  lines.next().then(({ done, value }) => {
    if (done === true) return lines
    if (!Events.isTelling(value)) return begun(lines, value["error"] ?? told)
    return value["type"] === "result" ? Promise.reject(Refusals.refusal(value, told)) : after(value, lines)
  })

async function* after(first: Record<string, unknown>, rest: Lines): Lines {
  yield first
  yield* rest
}

/** The lines of a whole answer: its last word ends it, and how the program ended after that is its own affair. */
const all = async (lines: Lines): Promise<ReadonlyArray<unknown>> => {
  const read: Array<unknown> = []
  for await (const line of lines) {
    read.push(line)
    if (Events.isLast(line)) break
  }
  return read
}

const keyOf = ({ apiKey, subscription }: Options) => {
  const [keyVariable, tokenVariable] = keyVariables
  if (apiKey === undefined && subscription !== undefined) return Effect.succeed([tokenVariable, subscription] as const)
  const token = Effect.map(
    Setup.key("claude-code", [tokenVariable], undefined),
    (found) => [tokenVariable, found] as const
  )
  const key = Effect.map(Setup.key("claude-code", [keyVariable], apiKey), (found) => [keyVariable, found] as const)
  return apiKey !== undefined ? key : Effect.catch(key, (missing) => Effect.mapError(token, () => orToken(missing)))
}

const orToken = ({ backend, reason }: Setup.SetupError): Setup.SetupError =>
  new Setup.SetupError({
    backend,
    reason: reason._tag === "MissingKey"
      ? new Setup.MissingKey({
        variable: reason.variable,
        remedy: `set it, or CLAUDE_CODE_OAUTH_TOKEN as claude setup-token gives it, or pass apiKey`
      })
      : reason
  })
