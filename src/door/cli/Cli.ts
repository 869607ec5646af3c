/** The command line. Every command works on a data folder, in this process or in the one that holds it. */
import { Config, Console, DateTime, Effect, FileSystem, Option, Path, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { Explain, type Operations } from "../../operator/index.ts"
import { diagnose } from "./Diagnose.ts"
import * as Print from "./Print.ts"
import { type Client, Runtime, RuntimeError } from "./Runtime.ts"

/** The program's name and version, and who sits at the keyboard. */
export interface About {
  readonly version: string
  readonly user: string
}

/** The whole command, ready to be given arguments. */
export const command = (about: About) =>
  Command.make("aosiq").pipe(
    Command.withDescription("A governed runtime for agents and jobs: capabilities, approvals, audit, cost."),
    Command.withSubcommands([start, approvals(about), sessions, audit, verify, cost])
  )

// internal

const data = Flag.String("data").pipe(
  Flag.withDescription("Data folder (AOSIQ_DATA)"),
  Flag.withMetavar("DIR"),
  Flag.withFallbackConfig(Config.String("AOSIQ_DATA")),
  Flag.withDefault(".aosiq")
)
const json = Flag.Boolean("json").pipe(Flag.withDescription("Print JSON for programs"), Flag.withDefault(false))

const start = Command.make(
  "start",
  {
    data,
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
    backend: Flag.Literals("backend", ["offline", "anthropic"]).pipe(
      Flag.withDescription("Who reasons: offline rules, or a model"),
      Flag.withDefault("offline")
    ),
    model: Flag.String("model").pipe(Flag.withDescription("Model of the backend"), Flag.optional),
    budget: Flag.Finite("budget").pipe(Flag.withDescription("Ceiling in US dollars"), Flag.withDefault(1)),
    symptom: Flag.String("symptom").pipe(Flag.withDescription("What was noticed, in words"), Flag.optional),
    ticket: Flag.String("ticket").pipe(
      Flag.withDescription("Where to save the proposal once approved (default: aosiq-tickets/TIME.md)"),
      Flag.withMetavar("FILE"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function*(options) {
    const path = yield* Path.Path
    const now = DateTime.formatIso(yield* DateTime.now).slice(0, 19).replaceAll(":", "")
    const ticket = path.resolve(Option.getOrElse(options.ticket, () => path.join("aosiq-tickets", `${now}.md`)))
    if (!path.relative(path.resolve(options.data), ticket).startsWith("..")) {
      return yield* new RuntimeError({
        detail: `${ticket} lies inside the data folder`,
        remedy: "choose a file outside it with --ticket"
      })
    }
    if (Option.isSome(options.config) !== Option.isSome(options.baseline)) {
      return yield* new RuntimeError({ detail: "--config and --baseline go together", remedy: "give both, or neither" })
    }
    const mode = { folder: options.data, once: options.once, json: options.json }
    return yield* Effect.scoped(diagnose(mode, {
      request: {
        title: Option.getOrElse(options.symptom, () => "Is anything wrong, and what should people do about it?"),
        description: ""
      },
      caseFolder: Option.getOrUndefined(options.case),
      logs: options.logs,
      config: Option.getOrUndefined(options.config),
      baseline: Option.getOrUndefined(options.baseline),
      prometheus: Option.getOrUndefined(options.prometheus),
      postgres: Option.getOrUndefined(options.postgres),
      backend: options.backend,
      model: Option.getOrUndefined(options.model),
      ticket,
      budgetMicroUsd: Math.round(options.budget * 1_000_000)
    }))
  })
).pipe(
  Command.withDescription("Start the runtime and diagnose this host, or a recorded case"),
  Command.withExamples([
    { command: "aosiq start", description: "Diagnose this host" },
    { command: "aosiq start --case ./incident --once --json", description: "Diagnose a recorded case, for a program" }
  ])
)

/** Runs an operation and prints its result. */
const run = <A, E, R>(
  options: { readonly data: string; readonly json: boolean },
  ask: (client: Client) => Effect.Effect<A, E, R>,
  print: (value: A) => string
) =>
  Effect.scoped(Effect.gen(function*() {
    const runtime = yield* Runtime
    const client = yield* runtime.open(options.data)
    const value = yield* Effect.mapError(ask(client), (error) => new RuntimeError(Explain.explain(error)))
    yield* Console.log(options.json ? JSON.stringify(value, null, 2) : print(value))
    return value
  }))

const ticketId = Argument.String("ticket").pipe(Argument.withDescription("Ticket, as in `aosiq approvals list`"))

const approvals = (about: About) => {
  const by = Flag.String("by").pipe(Flag.withDescription("Who decides"), Flag.withDefault(about.user))
  const reason = Flag.String("reason").pipe(Flag.withDescription("Why; the actor sees it"), Flag.withDefault(""))
  const decide = (name: string, approve: boolean, description: string) =>
    Command.make(name, { ticket: ticketId, by, reason, data, json }, (options) =>
      run(
        options,
        (client) => client.approval_decide({ ticket: options.ticket, approve, reason: options.reason, by: options.by }),
        ({ run, ticket }) => `ticket ${ticket.id} ${ticket.state} by ${options.by}${run === null ? "" : `\n${ranOn(run)}`}`
      )).pipe(Command.withDescription(description))
  return Command.make("approvals").pipe(
    Command.withDescription("See and decide what waits for a person"),
    Command.withSubcommands([
      Command.make("list", { data, json }, (options) =>
        run(options, (client) => client.approvals_list(), Print.tickets)).pipe(
          Command.withDescription("List tickets")
        ),
      Command.make("show", { ticket: ticketId, data, json }, (options) =>
        run(
          options,
          (client) =>
            Effect.flatMap(client.approvals_list(), (list) => {
              const found = list.find(({ id }) => id === options.ticket)
              return found === undefined
                ? Effect.fail(new RuntimeError({
                  detail: `there is no ticket ${options.ticket}`,
                  remedy: "see: aosiq approvals list"
                }))
                : Effect.succeed(found)
            }),
          Print.ticket
        )).pipe(Command.withDescription("Show all that a ticket stands for")),
      decide("approve", true, "Approve: the act runs, once"),
      decide("deny", false, "Deny: the act does not run, and is not asked again in its session")
    ])
  )
}

const ranOn = (view: Operations.RunView): string => {
  switch (view.status) {
    case "succeeded":
      return `session ${view.session} went on and succeeded`
    case "waiting":
      return `session ${view.session} went on and waits for ticket ${view.detail}`
    case "failed":
      return `session ${view.session} went on and ended: ${view.detail}`
  }
}

const sessions = Command.make("sessions", { data, json }, (options) =>
  run(options, (client) => client.sessions_list(), Print.sessions)).pipe(
    Command.withDescription("List sessions")
  )

const cost = Command.make("cost", { data, json }, (options) =>
  run(options, (client) => client.cost_summary(), Print.costs)).pipe(
    Command.withDescription("What was spent, and on whose account")
  )

const audit = Command.make("audit").pipe(
  Command.withDescription("Verify and export the log"),
  Command.withSubcommands([
    Command.make("verify", { data, json }, (options) =>
      Effect.flatMap(run(options, (client) => client.audit_verify(), Print.report), broken)).pipe(
        Command.withDescription("Verify every chain against its anchors")
      ),
    Command.make(
      "export",
      {
        file: Argument.String("file").pipe(Argument.withDescription("Bundle to write")),
        payloads: Flag.Boolean("payloads").pipe(
          Flag.withDescription("With the texts that rows name"),
          Flag.withDefault(true)
        ),
        data,
        json
      },
      (options) =>
        run(
          options,
          Effect.fnUntraced(function*(client: Client) {
            const fs = yield* FileSystem.FileSystem
            const lines = yield* Stream.runCollect(client.audit_export({ payloads: options.payloads }))
            yield* fs.writeFileString(options.file, lines.join(""), { flag: "wx" })
            return { file: options.file, lines: lines.length }
          }),
          ({ file, lines }) => `${lines} lines written to ${file}; verify with: aosiq verify ${file}`
        )
    ).pipe(Command.withDescription("Export a bundle that verifies without any database"))
  ])
)

const verify = Command.make(
  "verify",
  {
    bundle: Argument.String("bundle").pipe(Argument.withDescription("Bundle written by `aosiq audit export`")),
    key: Flag.String("key").pipe(
      Flag.withDescription("Public key to trust, name+id+base64; may be repeated"),
      Flag.atLeast(0)
    ),
    json
  },
  Effect.fnUntraced(function*(options) {
    const runtime = yield* Runtime
    const report = yield* runtime.verifyBundle(options.bundle, options.key)
    yield* Console.log(options.json ? JSON.stringify(report, null, 2) : Print.report(report))
    return yield* broken(report)
  })
).pipe(Command.withDescription("Verify a bundle; needs no database and no trust in its maker"))

const broken = (report: Operations.Report) =>
  report.ok
    ? Effect.void
    : Effect.fail(new RuntimeError({ detail: "the chain does not verify", remedy: "look at the findings above" }))
