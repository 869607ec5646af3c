/** The command line. Every command works on a data folder, in this process or in the one that holds it. */
import { Config, DateTime, Effect, Option, Path } from "effect"
import { Command, Flag } from "effect/cli"
import { MicroUsd } from "../../cost/index.ts"
import { approvals } from "./Approvals.ts"
import { type About, data, folder, json, prices, run } from "./Ask.ts"
import { audit, verify } from "./Audit.ts"
import { backendsCommand } from "./Backends.ts"
import { callers } from "./Callers.ts"
import { deadLetters } from "./DeadLetters.ts"
import { diagnose } from "./Diagnose.ts"
import { endorse } from "./Endorse.ts"
import { endorsements } from "./Endorsements.ts"
import * as Files from "./Files.ts"
import * as Given from "./Given.ts"
import { health } from "./Health.ts"
import { init } from "./Init.ts"
import { mcp } from "./Mcp.ts"
import { policy } from "./Policy.ts"
import * as Print from "./Print.ts"
import { proposal } from "./Proposals.ts"
import { runner } from "./Runner.ts"
import { backends, type Fallback, UsageError } from "./Runtime.ts"
import { schedules } from "./Schedules.ts"
import { serve } from "./Serve.ts"
import { agents, sessions } from "./Sessions.ts"
import { record, replay } from "./Tapes.ts"
import { unknown } from "./Unknown.ts"
import { flags, here } from "./Where.ts"
import { witness } from "./Witness.ts"

export type { About } from "./Ask.ts"

/** The whole command, ready to be given arguments. Another command is another line here, under the heading where it belongs. */
export const command = (about: About) =>
  Command.make("aosiq").pipe(
    Command.withDescription("A governed runtime for agents and jobs: capabilities, approvals, audit, cost."),
    Command.withSubcommands([
      {
        group: "run it",
        commands: [here(init(about)), here(start), here(serve(about)), here(runner), here(witness)]
      },
      {
        group: "sessions",
        commands: [
          agents,
          sessions(about),
          approvals(about),
          endorse(about),
          endorsements(about),
          unknown(about),
          proposal,
          schedules(about),
          deadLetters(about)
        ]
      },
      { group: "the record", commands: [audit, here(verify), cost, record, here(replay)] },
      { group: "the installation", commands: [health, callers(about), policy, mcp(about), backendsCommand] }
    ]),
    Command.withGlobalFlags(flags),
    Command.withExamples([
      { command: "aosiq init my-project", description: "A typed project to begin with" },
      { command: "aosiq start", description: "Diagnose this host, and wait for your word on what it proposes" },
      {
        command: "AOSIQ_TOKEN=… aosiq sessions --remote https://aosiq.example",
        description: "Any command about sessions, the record and the installation, at a runtime elsewhere"
      }
    ])
  )

// internal

const start = Command.make(
  "start",
  {
    data: folder,
    json,
    once: Flag.Boolean("once").pipe(Flag.withDescription("End after printing"), Flag.withDefault(false)),
    case: Flag.String("case").pipe(
      Flag.withDescription("Diagnose a recorded case instead of this host"),
      Flag.withMetavar("DIR"),
      Flag.optional
    ),
    logs: Flag.String("logs").pipe(
      Flag.withDescription("Log file, folder or glob; may be repeated"),
      Flag.withMetavar("PATH"),
      Flag.atLeast(0)
    ),
    config: Flag.String("config").pipe(
      Flag.withDescription("Configuration snapshot to compare with --baseline"),
      Flag.withMetavar("FILE"),
      Flag.optional
    ),
    baseline: Flag.String("baseline").pipe(
      Flag.withDescription("What the configuration should be"),
      Flag.withMetavar("FILE"),
      Flag.optional
    ),
    prometheus: Flag.String("prometheus").pipe(
      Flag.withDescription("Prometheus server to read metrics from"),
      Flag.withMetavar("URL"),
      Flag.optional
    ),
    postgres: Flag.Redacted("postgres").pipe(
      Flag.withDescription("PostgreSQL server to diagnose (AOSIQ_POSTGRES)"),
      Flag.withMetavar("URL"),
      Flag.withFallbackConfig(Config.Redacted("AOSIQ_POSTGRES")),
      Flag.optional
    ),
    backend: Flag.Literals("backend", backends).pipe(
      Flag.withDescription("Who reasons: offline rules, or a model"),
      Flag.withDefault("offline")
    ),
    model: Flag.String("model").pipe(Flag.withDescription("Model of the backend"), Flag.optional),
    fallback: Flag.String("fallback").pipe(
      Flag.withDescription("Who reasons when the backend cannot; may be repeated, in order"),
      Flag.withMetavar("NAME[/MODEL]"),
      Flag.atLeast(0)
    ),
    budget: Given.usd("budget").pipe(
      Flag.withDescription("Ceiling in US dollars (default: 1)"),
      Flag.withMetavar("USD"),
      Flag.withDefault(MicroUsd.fromUsd(1))
    ),
    prices,
    symptom: Flag.String("symptom").pipe(Flag.withDescription("What was noticed, in words"), Flag.optional),
    ticket: Flag.String("ticket").pipe(
      Flag.withDescription("Where to save the proposal once approved (default: aosiq-tickets/TIME.md)"),
      Flag.withMetavar("FILE"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function*(options) {
    yield* fitting(options)
    const fallbacks = yield* Effect.forEach(options.fallback, fallbackOf)
    const path = yield* Path.Path
    const now = DateTime.formatIso(yield* DateTime.now).slice(0, 19).replaceAll(":", "")
    const ticket = path.resolve(Option.getOrElse(options.ticket, () => path.join("aosiq-tickets", `${now}.md`)))
    yield* Files.writableTicket(ticket, options.data)
    const mode = { folder: options.data, once: options.once, json: options.json }
    return yield* Effect.scoped(diagnose(mode, {
      symptom: Option.getOrUndefined(options.symptom),
      caseFolder: Option.getOrUndefined(options.case),
      logs: options.logs,
      config: Option.getOrUndefined(options.config),
      baseline: Option.getOrUndefined(options.baseline),
      prometheus: Option.getOrUndefined(options.prometheus),
      postgres: Option.getOrUndefined(options.postgres),
      backend: options.backend,
      model: Option.getOrUndefined(options.model),
      fallbacks,
      ticket,
      budgetMicroUsd: options.budget,
      prices: Option.getOrUndefined(options.prices)
    }))
  })
).pipe(
  Command.withDescription("Start the runtime and diagnose this host, or a recorded case"),
  Command.withExamples([
    { command: "aosiq start", description: "Diagnose this host" },
    { command: "aosiq start --case ./incident --once --json", description: "Diagnose a recorded case, for a program" }
  ])
)

/** Flags that contradict each other are refused before anything starts. */
const fitting = Effect.fnUntraced(function*(options: {
  readonly case: Option.Option<string>
  readonly logs: ReadonlyArray<string>
  readonly config: Option.Option<string>
  readonly baseline: Option.Option<string>
  readonly prometheus: Option.Option<string>
  readonly backend: string
  readonly model: Option.Option<string>
}) {
  const refuse = (detail: string, remedy: string) => Effect.fail(new UsageError({ detail, remedy }))
  const { baseline, config, prometheus } = options
  if (Option.isSome(config) !== Option.isSome(baseline)) {
    return yield* refuse("--config and --baseline go together", "give both, or neither")
  }
  const isLive = options.logs.length > 0 || Option.isSome(config) || Option.isSome(prometheus)
  if (Option.isSome(options.case) && isLive) {
    return yield* refuse(
      "--case is read alone, without --logs, --config or --prometheus",
      "put what belongs to the case into its folder"
    )
  }
  if (options.backend === "offline" && Option.isSome(options.model)) {
    return yield* refuse("the offline backend has no model", "name the backend of the model with --backend")
  }
})

/** A backend by its name, with a model of it behind a slash or not. */
const fallbackOf = (text: string): Effect.Effect<Fallback, UsageError> => {
  const at = text.indexOf("/")
  const [name, model] = at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
  const backend = backends.find((known) => known === name)
  const isOdd = model === "" || (backend === "offline" && model !== undefined)
  return backend === undefined || isOdd
    ? Effect.fail(
      new UsageError({
        detail: `--fallback ${text} names no backend, or not a model of it`,
        remedy: `name one of ${backends.join(", ")}, such as anthropic or anthropic/MODEL`
      })
    )
    : Effect.succeed({ backend, model })
}

const cost = Command.make(
  "cost",
  { data, json },
  (options) => run(options, (client) => client.cost_summary(), Print.costs)
).pipe(
  Command.withDescription("What was spent, and on whose account")
)
