/** The command line. Every command works on a data folder, in this process or in the one that holds it. */
import { Config, Console, DateTime, Effect, Option, Path, Schema, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { Claims } from "../../capability/index.ts"
import type { Operations } from "../../operator/index.ts"
import { approvals } from "./Approvals.ts"
import { type About, by, data, json, maxBudgetUsd, prices, reason, run } from "./Ask.ts"
import { backendsCommand } from "./Backends.ts"
import { callers } from "./Callers.ts"
import { deadLetters } from "./DeadLetters.ts"
import { diagnose } from "./Diagnose.ts"
import { endorse } from "./Endorse.ts"
import { endorsements } from "./Endorsements.ts"
import * as Files from "./Files.ts"
import { findings } from "./Findings.ts"
import { fork } from "./Fork.ts"
import { mcp } from "./Mcp.ts"
import { policy } from "./Policy.ts"
import * as Print from "./Print.ts"
import { proposal } from "./Proposals.ts"
import { backends, type Client, type Fallback, Runtime, RuntimeError, UsageError } from "./Runtime.ts"
import { schedules } from "./Schedules.ts"
import { serve } from "./Serve.ts"
import { record, replay } from "./Tapes.ts"
import { unknown } from "./Unknown.ts"
import { witness } from "./Witness.ts"

export type { About } from "./Ask.ts"

/** The whole command, ready to be given arguments. */
export const command = (about: About) =>
  Command.make("aosiq").pipe(
    Command.withDescription("A governed runtime for agents and jobs: capabilities, approvals, audit, cost."),
    Command.withSubcommands([
      start,
      serve(about),
      runner,
      callers(about),
      approvals(about),
      endorse(about),
      endorsements(about),
      policy,
      unknown(about),
      sessions(about),
      proposal,
      schedules(about),
      deadLetters(about),
      mcp(about),
      audit,
      verify,
      cost,
      backendsCommand,
      record,
      replay,
      witness
    ])
  )

// internal

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
    budget: Flag.Finite("budget").pipe(
      Flag.filter((usd) => usd >= 0 && usd <= maxBudgetUsd, (usd) => `${usd} is not between 0 and ${maxBudgetUsd}`),
      Flag.withDescription("Ceiling in US dollars"),
      Flag.withDefault(1)
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
      budgetMicroUsd: Math.round(options.budget * 1_000_000),
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

const runner = Command.make(
  "runner",
  {
    data,
    database: Flag.Redacted("database").pipe(
      Flag.withDescription("PostgreSQL database that all runners share (AOSIQ_DATABASE)"),
      Flag.withMetavar("URL"),
      Flag.withFallbackConfig(Config.Redacted("AOSIQ_DATABASE"))
    ),
    host: Flag.String("host").pipe(
      Flag.withDescription("Where the other runners reach this one"),
      Flag.withDefault("127.0.0.1")
    ),
    port: Flag.Int("port").pipe(
      Flag.filter((port) => port > 0 && port < 65_536, (port) => `${port} is not a port`),
      Flag.withDescription("Port that the other runners reach it at"),
      Flag.withDefault(34_431)
    ),
    listen: Flag.String("listen").pipe(
      Flag.withDescription("Address to listen on, when it is not --host"),
      Flag.withMetavar("HOST"),
      Flag.optional
    )
  },
  Effect.fnUntraced(function*({ data, database, host, listen, port }) {
    const runtime = yield* Runtime
    const place = { host, port, listenHost: Option.getOrUndefined(listen) }
    return yield* Effect.scoped(Effect.gen(function*() {
      yield* runtime.runner(data, database, place)
      yield* Console.log(Print.plain(`AOSIQ · runner at ${host}:${port}; operators reach it through ${data}`))
      yield* Console.log("Ctrl-C stops it; its sessions go on in the other runners")
      return yield* Effect.never
    }))
  })
).pipe(
  Command.withDescription("Run sessions as one of many runners over one PostgreSQL"),
  Command.withExamples([
    {
      command: "aosiq runner --database postgres://aosiq@db/aosiq --host 10.0.0.7",
      description: "A runner that others reach at 10.0.0.7; start as many as wanted, all with the same keys"
    }
  ])
)

const sessionId = Argument.String("session").pipe(
  Argument.withSchema(Claims.SessionId),
  Argument.withDescription("Session, as in `aosiq sessions`")
)

/** What each order to a session does, as its help says, and what is said when it was done. */
const controls = {
  pause: {
    description: "Stop a session's whole tree between two acts, until it is resumed",
    done: (id: string) => `${id} is paused: what was under way comes to its end, and nothing else begins`
  },
  resume: {
    description: "Let a paused session go on from where it stopped",
    done: (id: string) => `${id} goes on`
  },
  cancel: {
    description: "End a session and all below it; there is no way back",
    done: (id: string) =>
      `${id} is cancelled, and all below it: what was under way comes to its end, nothing else begins`
  }
} as const

const control = (about: About, action: keyof typeof controls) =>
  Command.make(action, { session: sessionId, by: by(about), reason, data, json }, (options) =>
    run(
      options,
      (client) => client.session_control({ session: options.session, action, reason: options.reason }),
      ({ id }) => controls[action].done(id)
    )).pipe(Command.withDescription(controls[action].description))

const listSessions = (options: { readonly data: string; readonly json: boolean }) =>
  run(options, (client) => client.sessions_list({}), Print.sessions)

const sessions = (about: About) =>
  Command.make("sessions", { data, json }, listSessions).pipe(
    Command.withDescription("List sessions; pause, resume, cancel, fork or revoke one"),
    Command.withSubcommands([
      Command.make("list", { data, json }, listSessions).pipe(Command.withDescription("List sessions, oldest first")),
      control(about, "pause"),
      control(about, "resume"),
      control(about, "cancel"),
      fork(about),
      Command.make("revoke", { session: sessionId, by: by(about), reason, data, json }, (options) =>
        run(
          options,
          (client) => client.session_revoke({ session: options.session, reason: options.reason }),
          ({ id }) => `the token of ${id} is revoked, and with it every token below: none of their acts runs any more`
        )).pipe(Command.withDescription("Revoke a session's token and every token below it"))
    ])
  )

const cost = Command.make(
  "cost",
  { data, json },
  (options) => run(options, (client) => client.cost_summary(), Print.costs)
).pipe(
  Command.withDescription("What was spent, and on whose account")
)

const audit = Command.make("audit").pipe(
  Command.withDescription("Verify and export the log"),
  Command.withSubcommands([
    findings,
    Command.make(
      "verify",
      { data, json },
      (options) => Effect.flatMap(run(options, (client) => client.audit_verify(), Print.report), broken)
    ).pipe(
      Command.withDescription("Verify every chain against its anchors, and both against the witnesses")
    ),
    Command.make(
      "alerts",
      { data, json },
      (options) => run(options, (client) => client.alerts_list(), Print.alerts)
    ).pipe(
      Command.withDescription("What keeps the record from being as safe as it was meant to be")
    ),
    Command.make(
      "keys",
      { data, json },
      (options) => run(options, (client) => client.audit_keys(), (keys) => keys.join("\n"))
    ).pipe(
      Command.withDescription("Print the public keys to verify bundles with: publish them where auditors look")
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
            const lines = yield* Stream.runCollect(client.audit_export({ payloads: options.payloads }))
            yield* Files.writeNew(options.file, lines.join(""))
            return { file: options.file, lines: lines.length, keys: lines.flatMap(keyIn) }
          }),
          Print.exported
        )
    ).pipe(Command.withDescription("Export a bundle that verifies without any database"))
  ])
)

const decodeKey = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Struct({ key: Schema.String })))

/** The public key that a line of a bundle encloses. */
const keyIn = (line: string): ReadonlyArray<string> => Option.toArray(Option.map(decodeKey(line), ({ key }) => key))

const verify = Command.make(
  "verify",
  {
    bundle: Argument.String("bundle").pipe(Argument.withDescription("Bundle written by `aosiq audit export`")),
    key: Flag.String("key").pipe(
      Flag.withDescription("Public key to trust, name+id+base64; may be repeated"),
      Flag.atLeast(0)
    ),
    witness: Flag.String("witness").pipe(
      Flag.withDescription("Key of a witness to believe, name+id+base64; may be repeated"),
      Flag.withMetavar("KEY"),
      Flag.atLeast(0)
    ),
    seen: Flag.String("seen").pipe(
      Flag.withDescription("Checkpoint kept elsewhere, which the bundle must lead to; may be repeated"),
      Flag.withMetavar("FILE"),
      Flag.atLeast(0)
    ),
    json
  },
  Effect.fnUntraced(function*(options) {
    const runtime = yield* Runtime
    const { bundle, key: keys, seen, witness: witnesses } = options
    const report = yield* runtime.verifyBundle(bundle, { keys, witnesses, seen })
    yield* Console.log(options.json ? JSON.stringify(report, null, 2) : Print.plain(Print.report(report)))
    return yield* broken(report)
  })
).pipe(Command.withDescription("Verify a bundle; needs no database and no trust in its maker"))

const broken = (report: Operations.Report) =>
  report.ok
    ? Effect.void
    : Effect.fail(new RuntimeError(Print.verdict(report)))
