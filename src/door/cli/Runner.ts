/** `aosiq runner`: one of many runners over one database, until it is stopped. */
import { Config, Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { folder, json } from "./Ask.ts"
import * as Print from "./Print.ts"
import { Runtime } from "./Runtime.ts"

/** The command. */
export const runner = Command.make(
  "runner",
  {
    data: folder,
    database: Flag.Redacted("database").pipe(
      Flag.withDescription("PostgreSQL database that all runners share (AOSIQ_DATABASE)"),
      Flag.withMetavar("URL"),
      Flag.withFallbackConfig(Config.Redacted("AOSIQ_DATABASE"))
    ),
    host: Flag.String("host").pipe(
      Flag.withDescription("Where the other runners reach this one (default: 127.0.0.1)"),
      Flag.withDefault("127.0.0.1")
    ),
    port: Flag.Int("port").pipe(
      Flag.filter((port) => port > 0 && port < 65_536, () => "1 to 65535"),
      Flag.withDescription("Port that the other runners reach it at (default: 34431)"),
      Flag.withDefault(34_431)
    ),
    listen: Flag.String("listen").pipe(
      Flag.withDescription("Address to listen on, when it is not --host"),
      Flag.withMetavar("HOST"),
      Flag.optional
    ),
    health: Flag.String("health").pipe(
      Flag.filterMap(
        listening,
        () => "HOST:PORT, or a PORT of this machine"
      ),
      Flag.withDescription("Answer /v1/health and /v1/ready there (default: nowhere)"),
      Flag.withMetavar("[HOST:]PORT"),
      Flag.optional
    ),
    json
  },
  Effect.fnUntraced(function*({ data, database, health, host, json, listen, port }) {
    const runtime = yield* Runtime
    const place = { host, port, listenHost: Option.getOrUndefined(listen) }
    return yield* Effect.scoped(Effect.gen(function*() {
      const up = yield* runtime.runner(data, { database, place, health: Option.getOrUndefined(health) })
      if (json) {
        yield* Console.log(Print.json({ host, port, data, health: up.health }))
        return yield* Effect.never
      }
      yield* Console.log(Print.plain(`AOSIQ · runner at ${host}:${port}; operators reach it through ${data}`))
      if (up.health !== null) yield* Console.log(`whether it can work: ${up.health}/v1/ready`)
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

// internal

/** Of a port alone, this machine. */
function listening(text: string) {
  const [, host = "127.0.0.1", port = ""] = /^(?:([\w.-]+|\[[\da-fA-F:.]+\]):)?(\d{1,5})$/.exec(text) ?? []
  return port === "" || Number(port) > 65_535
    ? Option.none()
    : Option.some({ host: host.replace(/^\[|\]$/g, ""), port: Number(port) })
}
