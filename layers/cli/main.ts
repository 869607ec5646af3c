/** The program `aosiq`. Exit codes: 0 done, 1 it failed and said why, 2 the command line was wrong. */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Cause, Config, Console, Effect, Exit, Layer, Logger } from "effect"
import { CliError, Command } from "effect/cli"
import { readFileSync } from "node:fs"
import { command } from "../../src/door/cli/index.ts"
import { Explain } from "../../src/operator/index.ts"
import * as Local from "./Local.ts"

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  readonly version: string
}

/** Prints what went wrong and what would help; a trace only when it was asked for. */
const report = (cause: Cause.Cause<unknown>) =>
  Effect.gen(function*() {
    const isDebugging = yield* Config.Boolean("AOSIQ_DEBUG").pipe(Config.withDefault(false), Effect.orElseSucceed(() => true))
    if (isDebugging) return yield* Console.error(Cause.pretty(cause))
    const { detail, remedy } = Explain.explain(Cause.squash(cause))
    yield* Console.error(`error: ${detail}`)
    if (remedy !== "") yield* Console.error(`remedy: ${remedy}`)
    if (Cause.hasDies(cause)) yield* Console.error("this is a defect; AOSIQ_DEBUG=1 prints where it happened")
  })

Command.run(command({ version, user: Local.user() }), { version }).pipe(
  Effect.provide(Layer.mergeAll(Local.layer, NodeServices.layer)),
  Effect.provideService(Logger.LogToStderr, true),
  Effect.tapCause((cause) =>
    Cause.hasInterruptsOnly(cause) || isUsage(Cause.squash(cause)) ? Effect.void : report(cause)
  ),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    teardown: (exit, onExit) => onExit(codeOf(exit))
  })
)

// internal

function isUsage(error: unknown): boolean {
  return CliError.isCliError(error)
}

function codeOf(exit: Exit.Exit<unknown, unknown>): number {
  if (Exit.isSuccess(exit)) return 0
  if (Cause.hasInterruptsOnly(exit.cause)) return 130
  return isUsage(Cause.squash(exit.cause)) ? 2 : 1
}
