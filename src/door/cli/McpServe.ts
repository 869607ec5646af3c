/** `aosiq mcp serve`: the MCP server for a program that starts it, such as an editor or a coding assistant. */
import { Config, Effect, Option, Redacted } from "effect"
import { Command, Flag } from "effect/cli"
import { Explain } from "../../operator/index.ts"
import { McpStdio, Work } from "../mcp/index.ts"
import { type About, by, folder, prices } from "./Ask.ts"
import { backends, Runtime, RuntimeError } from "./Runtime.ts"

/** The command. */
export const mcpServe = (about: About) =>
  Command.make(
    "serve",
    {
      data: folder,
      by: by(about),
      backend: Flag.Literals("backend", backends).pipe(
        Flag.withDescription("Who reasons where no process holds the folder yet: offline rules, or a model"),
        Flag.withDefault("offline")
      ),
      model: Flag.String("model").pipe(Flag.withDescription("Model of the backend"), Flag.optional),
      prices
    },
    Effect.fnUntraced(function*({ backend, by, data, model, prices }) {
      const runtime = yield* Runtime
      const token = yield* Config.option(Config.Redacted("AOSIQ_TOKEN"))
      const as: Work.As = Option.match(token, {
        onNone: () => ({ by: Option.getOrElse(by.named, () => by.user) }),
        onSome: (token) => ({ token: Redacted.value(token) })
      })
      return yield* Effect.scoped(Effect.gen(function*() {
        const client = yield* runtime.join(data, {
          backend,
          model: Option.getOrUndefined(model),
          prices: Option.getOrUndefined(prices)
        })
        // Whoever is not let in learns it now, and not by the first tool that is missing.
        yield* Effect.mapError(Work.self(client, as), (error) => new RuntimeError(Explain.explain(error)))
        yield* McpStdio.serve(client, as, about.version)
      }))
    })
  ).pipe(
    Command.withDescription("Serve MCP over standard input and output: as you, or as the caller of AOSIQ_TOKEN"),
    Command.withExamples([{ command: "aosiq mcp serve", description: "What an editor or an assistant starts" }])
  )
