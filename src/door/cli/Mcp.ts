/** The commands about MCP servers and the definitions of their tools. */
import { Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { McpViews } from "../../mcp/index.ts"
import { type About, by, data, json, reason, run } from "./Ask.ts"
import { mcpServe } from "./McpServe.ts"
import * as Print from "./Print.ts"
import * as PrintMcp from "./PrintMcp.ts"
import { type Client, RuntimeError, UsageError } from "./Runtime.ts"
import { here } from "./Where.ts"

/** `aosiq mcp`. */
export const mcp = (about: About) =>
  Command.make("mcp").pipe(
    Command.withDescription("Serve MCP; see MCP servers (AOSIQ_MCP), and approve the definitions of their tools"),
    Command.withSubcommands([
      here(mcpServe(about)),
      Command.make(
        "list",
        { data, json },
        (options) => run(options, (client) => client.mcp_servers(), PrintMcp.servers)
      ).pipe(
        Command.withDescription("List the servers that are let in, and how they stand; none is started")
      ),
      Command.make(
        "tools",
        { server, tool: Argument.optional(tool), data, json },
        (options) =>
          run(
            options,
            (client) => shown(client, options.server, Option.getOrUndefined(options.tool)),
            (tools) => Option.isSome(options.tool) ? tools.map(PrintMcp.tool).join("\n\n") : PrintMcp.tools(tools)
          )
      ).pipe(Command.withDescription("List what a server has, or show one definition to the letter")),
      approve(about),
      Command.make("withdraw", { server, tool, by: by(about), reason, data, json }, (options) =>
        run(
          options,
          (client) =>
            Effect.as(
              client.mcp_withdraw({ server: options.server, tool: options.tool, reason: options.reason }),
              { server: options.server, tool: options.tool, standing: "withdrawn" as const }
            ),
          ({ server, tool }) => `${server} ${tool} is approved no longer: no call of it begins`
        )).pipe(Command.withDescription("Take an approval back"))
    ])
  )

// internal

const server = Argument.String("server").pipe(
  Argument.withSchema(Schema.NonEmptyString),
  Argument.withDescription("Server, as in `aosiq mcp list`")
)
const tool = Argument.String("tool").pipe(
  Argument.withSchema(Schema.NonEmptyString),
  Argument.withDescription("Tool, as in `aosiq mcp tools SERVER`")
)

const shown = (client: Client, server: string, tool: string | undefined) =>
  Effect.flatMap(client.mcp_tools({ server }), (tools) => {
    const found = tool === undefined ? tools : tools.filter((one) => one.tool === tool)
    return tool !== undefined && found.length === 0
      ? Effect.fail(
        new RuntimeError({ detail: `${server} has no tool ${tool}`, remedy: `see aosiq mcp tools ${server}` })
      )
      : Effect.succeed(found)
  })

interface Word {
  readonly definition: Option.Option<string>
  readonly reason: string
}

/** Approves what was shown, and nothing else. */
const approved = Effect.fnUntraced(function*(
  client: Client,
  { definition, detail, server, tool }: McpViews.ToolView,
  { definition: expected, reason }: Word
) {
  const remedy = `read it with aosiq mcp tools ${server} ${Print.word(tool)}`
  if (definition === null) {
    return yield* new RuntimeError({ detail: `${tool} cannot be governed: ${detail}`, remedy })
  }
  const { hash } = definition
  if (Option.isSome(expected) && expected.value !== hash) {
    return yield* new RuntimeError({ detail: `${tool} is ${hash}, not ${expected.value}`, remedy })
  }
  return yield* client.mcp_approve({ server, tool, definition: hash, reason })
})

const approve = (about: About) =>
  Command.make(
    "approve",
    {
      server,
      tool: Argument.optional(tool),
      all: Flag.Boolean("all").pipe(
        Flag.withDescription("Every tool of the server that nobody has approved as it is, instead of one"),
        Flag.withDefault(false)
      ),
      definition: Flag.String("definition").pipe(
        Flag.withDescription("Hash of the definition that you have read: another is not approved"),
        Flag.withMetavar("HASH"),
        Flag.optional
      ),
      by: by(about),
      reason,
      data,
      json
    },
    (options) =>
      run(
        options,
        Effect.fnUntraced(function*(client: Client) {
          const name = Option.getOrUndefined(options.tool)
          if ((name === undefined) !== options.all) {
            return yield* new UsageError({
              detail: "one tool is approved, or all",
              remedy: "name the tool, or give --all"
            })
          }
          const views = yield* shown(client, options.server, name)
          const wanted = name === undefined ? views.filter(McpViews.isWaiting) : views
          return yield* Effect.forEach(wanted, (view) => approved(client, view, options))
        }),
        (views, who) =>
          views.length === 0
            ? "nothing waits for an approval"
            : views.map(({ definition, server, tool }) =>
              `${server} ${tool} is approved as ${definition?.hash.slice(0, 12)} by ${who}`
            ).join("\n")
      )
  ).pipe(
    Command.withDescription("Approve the definition of a tool as it is now: name, description, schemas, annotations"),
    Command.withExamples([{
      command: "aosiq mcp approve files write_file --reason \"read it\"",
      description: "Approve one tool"
    }])
  )
