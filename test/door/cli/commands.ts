/** The command line in this process, over whatever operations a test gives it; what it writes, and how it ends. */
import { Cause, Console, Effect, Exit } from "effect"
import { CliError, Command } from "effect/cli"
import { type Client, command, Runtime, Usage, UsageError, type Where } from "../../../src/door/cli/index.ts"
import { Explain } from "../../../src/operator/index.ts"
import { Flow } from "../../../src/trust/index.ts"

/** How a command ended, and all it wrote. */
export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** A runtime of which a command may ask for these alone. */
export const runtimeOf = (parts: Partial<Runtime["Service"]>) =>
  Runtime.of({
    open: () => Effect.die("nothing is opened here"),
    start: () => Effect.die("nothing starts here"),
    serve: () => Effect.die("nothing is served here"),
    join: () => Effect.die("nobody joins here"),
    runner: () => Effect.die("nothing runs here"),
    witness: () => Effect.die("nothing is witnessed here"),
    backends: () => Effect.die("no backend is looked at here"),
    replay: () => Effect.die("nothing is replayed here"),
    policy: () => Effect.succeed({ policy: Flow.standard, cases: [], mistakes: [] }),
    verifyBundle: () => Effect.die("nothing is verified here"),
    ...parts
  })

/** Runs one command line. `open` gives the operations of wherever it goes. */
export const aosiq = (open: (where: Where) => Effect.Effect<Client>, ...args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const out: Array<string> = []
    const err: Array<string> = []
    const written = (lines: Array<string>) => (...all: ReadonlyArray<unknown>) => void lines.push(all.join(" "))
    const runtime = runtimeOf({ open })
    const exit = yield* Effect.exit(
      Command.runWith(command({ version: "0", user: "local:ada" }), { version: "0" })(args).pipe(
        Effect.provideService(Runtime, runtime),
        Effect.provideService(Console.Console, { ...console, log: written(out), error: written(err) }),
        Effect.provide(Usage.layer)
      )
    )
    if (Exit.isFailure(exit)) {
      const { detail, remedy } = Explain.explain(Cause.squash(exit.cause))
      err.push(detail, remedy)
    }
    const ran: Ran = { code: codeOf(exit), out: out.join("\n"), err: err.join("\n") }
    return ran
  })

// internal

const codeOf = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit)) return 0
  const error = Cause.squash(exit.cause)
  return CliError.isCliError(error) || error instanceof UsageError ? 2 : 1
}
