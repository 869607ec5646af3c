/** `aosiq health`: whether a runtime is there, and can work. */
import { Effect } from "effect"
import { Command } from "effect/cli"
import { data, json, run } from "./Ask.ts"
import { type Health, RuntimeError } from "./Runtime.ts"

/** The command. */
export const health = Command.make(
  "health",
  { data, json },
  (options) => Effect.flatMap(run(options, (client) => client.health, said), well)
).pipe(Command.withDescription("See whether the runtime is there and can work; ends with 1 when it cannot"))

// internal

function said(health: Health): string {
  return health.status === "ready" ? "ready" : `not ready: ${health.detail}`
}

function well(health: Health) {
  return health.status === "ready"
    ? Effect.void
    : Effect.fail(new RuntimeError({ detail: `it is not ready: ${health.detail}`, remedy: "look at its log" }))
}
