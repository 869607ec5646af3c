/** Tools of another program over the Model Context Protocol: an operator approves what they are, and a person each write. */
import {
  Actor,
  ActorError,
  Approvals,
  Bridge,
  Claims,
  DeterministicActor,
  Dispatch,
  Grant,
  Mcp,
  McpSettings,
  Tool
} from "aosiq"
import { Memory } from "aosiq/layers/presets"
import { Effect, Layer, Schema } from "effect"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const folder = mkdtempSync(join(tmpdir(), "aosiq-example-"))
const file = join(folder, "notes.jsonl")

const settings = Layer.succeed(McpSettings.Current, {
  version: 1,
  servers: {
    notes: {
      command: process.execPath,
      args: ["node_modules/@modelcontextprotocol/server-memory/dist/index.js"],
      env: { MEMORY_FILE_PATH: file },
      tools: { read_graph: { readOnly: true }, create_entities: {} }
    }
  }
})

/** What `aosiq mcp approve notes --all` does. */
const approveAll = Effect.gen(function*() {
  const bridge = yield* Bridge
  for (const { definition, standing, tool } of yield* bridge.shelf("notes")) {
    if (standing !== "new" || definition === null) continue
    yield* bridge.approve({ server: "notes", tool, definition: definition.hash, by: "ada", reason: "read it" })
    console.log(`approved: ${tool}`)
  }
})

/** The actor, made of its tools as they are approved; made anew when others are. */
const following = Mcp.following(
  ["notes@read_graph", "notes@create_entities"],
  (read, create) =>
    Actor.layer(DeterministicActor.make("Keeper", {
      description: "Notes what it is told, and says what is noted",
      input: Schema.String,
      output: Schema.Json,
      tools: [read, create],
      run: (name) =>
        Effect.gen(function*() {
          yield* Tool.call(create, { entities: [{ name, entityType: "errand", observations: ["today"] }] })
          return (yield* Tool.call(read, {})).structured
        }).pipe(
          Effect.catchTag(
            "McpError",
            ({ message }) => new ActorError({ actor: "Keeper", detail: message, abandoned: false })
          )
        )
    }))
)

const program = Effect.gen(function*() {
  const dispatch = yield* Dispatch.Dispatch
  const approvals = yield* Approvals.Approvals
  const session = Claims.SessionId.make("ses_errands")
  const grant = Grant.make(["mcp:notes@read_graph", "mcp:notes@create_entities"])
  yield* dispatch.open({ session, actor: "Keeper", input: "buy milk", grant, caller: "ada" })
  const asked = yield* dispatch.resume(session)
  console.log(`${asked._tag}; noted so far: ${existsSync(file)}`)
  for (const { id, shown } of yield* approvals.list) {
    console.log(`a person reads: ${shown.act} ${shown.args}`)
    yield* approvals.decide({ ticket: id, by: "bob", approve: true, reason: "fine" })
  }
  const ended = yield* dispatch.resume(session)
  console.log(ended._tag === "Succeeded" ? JSON.stringify(ended.output) : ended._tag)
})

const app = Effect.andThen(approveAll, Effect.provide(program, following))
await Effect.runPromise(Effect.provide(app, Memory.layer().pipe(Layer.provide(settings))))
rmSync(folder, { recursive: true })
