/** `aosiq witness`: be a witness of other people's logs. */
import { Config, Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import * as Print from "./Print.ts"
import { Runtime, UsageError } from "./Runtime.ts"

/** The command. */
export const witness = Command.make(
  "witness",
  {
    data: Flag.String("data").pipe(
      Flag.withDescription("The witness's own folder (AOSIQ_WITNESS_DATA)"),
      Flag.withMetavar("DIR"),
      Flag.withFallbackConfig(Config.String("AOSIQ_WITNESS_DATA")),
      Flag.withDefault(".aosiq-witness")
    ),
    name: Flag.String("name").pipe(
      Flag.withDescription(
        "The witness's name, such as witness.example/w1; wanted the first time (AOSIQ_WITNESS_NAME)"
      ),
      Flag.withFallbackConfig(Config.String("AOSIQ_WITNESS_NAME")),
      Flag.optional
    ),
    log: Flag.String("log").pipe(
      Flag.withDescription("Key of a log to sign for, as `aosiq audit keys` prints it; may be repeated"),
      Flag.withMetavar("KEY"),
      Flag.atLeast(0)
    ),
    host: Flag.String("host").pipe(
      Flag.withDescription("Address to listen on (default: 127.0.0.1, which this machine alone reaches)"),
      Flag.withDefault("127.0.0.1")
    ),
    port: Flag.Int("port").pipe(
      Flag.filter((port) => port >= 0 && port <= 65_535, () => "0 to 65535"),
      Flag.withDescription("Port to listen on (default: 8917); 0 for any that is free"),
      Flag.withDefault(8917)
    ),
    json: Flag.Boolean("json").pipe(Flag.withDescription("Print JSON for programs"), Flag.withDefault(false))
  },
  Effect.fnUntraced(function*(options) {
    if (options.log.length === 0) {
      return yield* new UsageError({
        detail: "a witness signs for the logs that it knows, and none is named",
        remedy: "give the key of a log with --log, as `aosiq audit keys` prints it there"
      })
    }
    const { data: folder, host, log: logs, port } = options
    const name = Option.getOrUndefined(options.name)
    const runtime = yield* Runtime
    return yield* Effect.scoped(Effect.gen(function*() {
      const running = yield* runtime.witness({ folder, name, logs, host, port })
      const words = [
        `witness ${running.key}`,
        `answers at ${running.url}; a log asks it with`,
        `  AOSIQ_WITNESSES=${running.key}@${running.url}`
      ]
      yield* Console.log(options.json ? Print.json(running) : Print.plain(words.join("\n")))
      return yield* Effect.never
    }))
  })
).pipe(
  Command.withDescription("Be a witness: sign checkpoints of logs that only ever grow"),
  Command.withExamples([
    { command: "aosiq witness --name witness.example/w1 --log KEY", description: "Sign for one log" }
  ])
)
