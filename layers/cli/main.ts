/** The program `aosiq`. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Config, Console, Effect, Layer, Logger } from "effect"
import { CliError, Command } from "effect/cli"
import { readFileSync } from "node:fs"
import { command, paint, plain, Usage } from "../../src/door/cli/index.ts"
import { Explain } from "../../src/operator/index.ts"
import { codeOf, codes } from "./Exits.ts"
import * as Local from "./Local.ts"
import * as Output from "./Output.ts"

// The package names itself, so that the file is found from the sources and from what was compiled of them.
const { dependencies, devDependencies, version } = JSON.parse(
  readFileSync(new URL(import.meta.resolve("aosiq/package.json")), "utf8")
) as {
  readonly version: string
  readonly dependencies: { readonly [name: string]: string }
  readonly devDependencies: { readonly [name: string]: string }
}
const about = { version, user: Local.user(), packages: { ...devDependencies, ...dependencies } }

/** How long a signal waits for the runtime to close; it would lose nothing, as little as by being killed. */
const closing = "10 seconds"

let signalled: number | undefined
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    signalled = codes[signal]
    Effect.runFork(Effect.delay(Effect.sync(() => process.exit(codes[signal])), closing))
  })
}

/** Prints what went wrong and what would help; a trace only when it was asked for. */
const report = (cause: Cause.Cause<unknown>) =>
  Effect.gen(function*() {
    const isDebugging = yield* Config.Boolean("AOSIQ_DEBUG").pipe(
      Config.withDefault(false),
      Effect.orElseSucceed(() => true)
    )
    if (isDebugging) return yield* Console.error(Cause.pretty(cause))
    const { detail, remedy } = Explain.explain(Cause.squash(cause))
    const colours = yield* Output.colours
    yield* Console.error(paint(colours, plain(`error: ${detail}`)))
    if (remedy !== "") yield* Console.error(paint(colours, plain(`remedy: ${remedy}`)))
    if (Cause.hasDies(cause)) yield* Console.error("this is a defect; AOSIQ_DEBUG=1 prints where it happened")
  })

Command.run(command(about), { version }).pipe(
  Effect.provide(Layer.mergeAll(Local.layer, NodeServices.layer, Usage.layer)),
  Effect.provideService(Logger.LogToStderr, true),
  Effect.raceFirst(Output.broken),
  Effect.tapCause((cause) => isQuiet(cause) ? Effect.void : report(cause)),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    teardown: (exit, onExit) => {
      const code = signalled ?? codeOf(exit)
      // Whatever a vendor left open must not keep the process.
      Output.flushed(() => code === 0 ? process.exit(0) : onExit(code))
    }
  })
)

// internal

/** Whether everything was said already, or there is nobody to say it to. */
function isQuiet(cause: Cause.Cause<unknown>): boolean {
  const error = Cause.squash(cause)
  return Cause.hasInterruptsOnly(cause) || CliError.isCliError(error) || error === Output.readerGone
}
