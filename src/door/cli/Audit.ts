/** `aosiq audit` and `aosiq verify`: the log, and what proves it. */
import { Console, Effect, Option, Schema, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { Claims } from "../../capability/index.ts"
import { Operations } from "../../operator/index.ts"
import { data, json, run, say } from "./Ask.ts"
import * as Files from "./Files.ts"
import { findings } from "./Findings.ts"
import * as Given from "./Given.ts"
import * as Print from "./Print.ts"
import * as PrintSessions from "./PrintSessions.ts"
import { type Client, Runtime, RuntimeError } from "./Runtime.ts"

const query = Command.make(
  "query",
  {
    since: Given.since.pipe(
      Flag.withDescription("From then on: 2030-01-31T12:00Z, or \"2 hours\" ago (default: \"24 hours\")"),
      Flag.withDefault("24 hours")
    ),
    session: Flag.String("session").pipe(
      Flag.withSchema(Claims.SessionId),
      Flag.withDescription("Of this session"),
      Flag.optional
    ),
    caller: Flag.String("caller").pipe(
      Flag.withSchema(Schema.NonEmptyString),
      Flag.withDescription("Of sessions that this one asked for"),
      Flag.withMetavar("NAME"),
      Flag.optional
    ),
    kind: Flag.String("kind").pipe(
      Flag.withSchema(Schema.NonEmptyString),
      Flag.withDescription("Of this kind, such as refusal, decided or ended"),
      Flag.optional
    ),
    limit: Flag.Int("limit").pipe(
      Flag.filter((limit) => limit > 0 && limit <= Operations.maxRows, () => `1 to ${Operations.maxRows}`),
      Flag.withDescription(`How many rows at most, the oldest first (default: ${Operations.maxRows})`),
      Flag.withDefault(Operations.maxRows)
    ),
    data,
    json
  },
  Effect.fnUntraced(function*({ caller, kind, limit, session, since, ...mode }) {
    const asked = {
      since: yield* Given.sinceOf(since),
      limit,
      ...Option.isSome(session) ? { session: session.value } : {},
      ...Option.isSome(caller) ? { caller: caller.value } : {},
      ...Option.isSome(kind) ? { kind: kind.value } : {}
    }
    return yield* run(mode, (client) => client.audit_query(asked), PrintSessions.rows)
  })
).pipe(
  Command.withDescription("List rows of the log by time, session, caller and kind"),
  Command.withExamples([
    { command: "aosiq audit query --kind refusal --since \"2 hours\"", description: "What was refused lately" }
  ])
)

const exporting = Command.make(
  "export",
  {
    file: Argument.String("file").pipe(Argument.withDescription("Bundle to write")),
    payloads: Flag.Boolean("payloads").pipe(
      Flag.withDescription("With the texts that rows name (default); --no-payloads leaves them out"),
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

/** The command with its subcommands. */
export const audit = Command.make("audit").pipe(
  Command.withDescription("Query, verify and export the log"),
  Command.withSubcommands([
    query,
    findings,
    Command.make(
      "verify",
      { data, json },
      (options) => Effect.flatMap(run(options, (client) => client.audit_verify(), Print.report), whole)
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
    exporting
  ])
)

/** `aosiq verify`. */
export const verify = Command.make(
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
    yield* options.json ? Console.log(Print.json(report, 2)) : say(Print.report(report))
    return yield* whole(report)
  })
).pipe(Command.withDescription("Verify a bundle; needs no database and no trust in its maker"))

// internal

const decodeKey = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Struct({ key: Schema.String })))

/** The public key that a line of a bundle encloses. */
function keyIn(line: string): ReadonlyArray<string> {
  return Option.toArray(Option.map(decodeKey(line), ({ key }) => key))
}

/** The command failed when the chain does not verify. */
function whole(report: Operations.Report) {
  return report.ok ? Effect.void : Effect.fail(new RuntimeError(Print.verdict(report)))
}
