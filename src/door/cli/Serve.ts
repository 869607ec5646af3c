/** `aosiq serve`: the runtime with its door by HTTP open, until it is stopped. */
import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { folder, json, prices } from "./Ask.ts"
import * as Print from "./Print.ts"
import { backends, Runtime } from "./Runtime.ts"

/** Port of the door when nobody names one. */
export const standardPort = 7070

/** Port and address of the door. */
export const place = {
  host: Flag.String("host").pipe(
    Flag.withDescription("Address to listen on; others than this machine reach it at any but 127.0.0.1"),
    Flag.withDefault("127.0.0.1")
  ),
  port: Flag.Int("port").pipe(
    Flag.filter((port) => port >= 0 && port < 65_536, (port) => `${port} is not a port`),
    Flag.withDescription("Port to listen on; 0 for any that is free"),
    Flag.withDefault(standardPort)
  )
}

/** The command. */
export const serve = Command.make(
  "serve",
  {
    data: folder,
    ...place,
    backend: Flag.Literals("backend", backends).pipe(
      Flag.withDescription("Who reasons: offline rules, or a model"),
      Flag.withDefault("offline")
    ),
    model: Flag.String("model").pipe(Flag.withDescription("Model of the backend"), Flag.optional),
    prices,
    json
  },
  Effect.fnUntraced(function*({ backend, data, host, json, model, port, prices }) {
    const runtime = yield* Runtime
    return yield* Effect.scoped(Effect.gen(function*() {
      const { url } = yield* runtime.serve(data, {
        host,
        port,
        backend,
        model: Option.getOrUndefined(model),
        prices: Option.getOrUndefined(prices)
      })
      if (json) {
        yield* Console.log(JSON.stringify({ url }))
        return yield* Effect.never
      }
      yield* Console.log(Print.plain(`AOSIQ · listening at ${url}; what there is: ${url}/docs`))
      yield* Console.log(Print.plain("callers are let in with `aosiq callers add`; Ctrl-C stops it"))
      return yield* Effect.never
    }))
  })
).pipe(
  Command.withDescription("Run the runtime and serve callers by HTTP"),
  Command.withExamples([{ command: "aosiq serve", description: "Serve callers on this machine" }])
)
