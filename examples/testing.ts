/** How an actor of one's own is tested: the whole runtime in memory, and questions to ask of what was recorded. */
import { assert, describe, it } from "@effect/vitest"
import { Actor, Approvals, DeterministicActor, Dispatch, Grant, Tool } from "aosiq"
import { acts, layer, spent, waiting } from "aosiq/testing"
import { CostModel } from "aosiq"
import { Effect, Layer, Schema } from "effect"

const Archive = Tool.make("archive", {
  description: "Deletes a mailbox after copying it",
  capabilities: ["tool:archive"],
  reversible: false,
  params: Schema.Struct({ mailbox: Schema.String }),
  success: Schema.String
})

const Leaver = DeterministicActor.make("Leaver", {
  description: "Closes what somebody who left has used",
  input: Schema.String,
  output: Schema.String,
  tools: [Archive],
  run: (name) => Tool.call(Archive, { mailbox: name })
})
