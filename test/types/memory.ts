/** Memory is reached by keys, with values of their own type, by tools that declare them. */
// @effect-diagnostics anyUnknownInErrorContext:off
import { Effect, Schema } from "effect"
import { DeterministicActor } from "../../src/actor/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { WorkingMemory } from "../../src/memory/index.ts"
import type { Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import { Note, texts } from "./definitions.ts"

const Today = WorkingMemory.key("notes/today", { description: "notes", schema: Schema.Array(Schema.String) })

export const reads: Tool.CapabilitiesOf<typeof Today.read> = "memory:read@notes/today"
export const name: typeof Today.write.name = "remember_notes_today"

// --- in a body ---------------------------------------------------------------

export const Keeper = DeterministicActor.make("Keeper", {
  ...texts,
  tools: [Today.read, Today.write],
  run: (text) =>
    Effect.orDie(Effect.gen(function*() {
      const notes = (yield* Tool.call(Today.read, {})) ?? []
      yield* Tool.call(Today.write, { value: [...notes, text] })
      return text
    }))
})
export const Reader = DeterministicActor.make("Reader", {
  ...texts,
  tools: [Today.read],
  // @ts-expect-error "no tool of this actor declares": "memory:write@notes/today"
  run: (text) => Effect.as(Effect.orDie(Tool.call(Today.write, { value: [text] })), text)
})
// @ts-expect-error Type 'number' is not assignable to type 'string'
export const wrong = Tool.call(Today.write, { value: [1] })

// --- in a handler ------------------------------------------------------------

export const declared = Tool.layer(
  Note,
  ({ text }, permit) => Effect.as(Effect.orDie(WorkingMemory.remember(permit, Today, [text])), text)
)
export const undeclared = Tool.layer(
  Note,
  // @ts-expect-error "the tool does not declare": "memory:read@notes/today"
  ({ text }, permit) => Effect.as(Effect.orDie(WorkingMemory.recall(permit, Today)), text)
)

// --- at dispatch -------------------------------------------------------------

declare const dispatch: Dispatch.Dispatch["Service"]
export const held = dispatch.start(Keeper, "x", {
  grant: Grant.make(["memory:read@notes/*", "memory:write@notes/*"]),
  caller: "ada"
})
export const tooLittle = dispatch.start(Keeper, "x", {
  // @ts-expect-error "memory:write@notes/today"
  grant: Grant.make(["memory:read@notes/*"]),
  caller: "ada"
})
