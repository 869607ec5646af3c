/** The tools and actors that the promises of this folder are made about. */
import { Effect, Schema } from "effect"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { Tool } from "../../src/tool/index.ts"

export const Read = Tool.make("read_file", {
  description: "reads a file",
  capabilities: ["tool:read_file"],
  params: Schema.Struct({ path: Schema.String }),
  success: Schema.String
})

export const Note = Tool.make("take_note", {
  description: "writes a note",
  capabilities: ["memory:write@notes/today"],
  params: Schema.Struct({ text: Schema.String }),
  success: Schema.String
})

export const Deploy = Tool.make("deploy", {
  description: "ships a version",
  capabilities: ["tool:deploy"],
  reversible: false,
  params: Schema.Struct({ version: Schema.String }),
  success: Schema.String
})

/** What is the same in every actor below. */
export const texts = { description: "an actor", input: Schema.String, output: Schema.String }

export const Reader = DeterministicActor.make("Reader", {
  ...texts,
  tools: [Read],
  run: (path) => Tool.call(Read, { path })
})

export const Shipper = DeterministicActor.make("Shipper", {
  ...texts,
  tools: [Reader.tool, Deploy],
  run: (version) => Effect.andThen(Effect.orDie(Actor.spawn(Reader, "notes")), Tool.call(Deploy, { version }))
})

export const notes = Grant.make(["tool:read_file", "memory:write@notes/*"])
