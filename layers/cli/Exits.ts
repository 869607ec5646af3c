/** How the program ends, as a number for whoever started it. */
import { Cause, Exit } from "effect"
import { CliError } from "effect/cli"
import { UsageError } from "../../src/door/cli/index.ts"
import { readerGone } from "./Output.ts"

/** The codes; `docs/guide/cli.md` says what each means. */
export const codes = { done: 0, failed: 1, usage: 2, SIGINT: 130, unread: 141, SIGTERM: 143 } as const

/** The code of an end that no signal brought about. */
export const codeOf = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit)) return codes.done
  if (Cause.hasInterruptsOnly(exit.cause)) return codes.SIGINT
  const error = Cause.squash(exit.cause)
  if (error === readerGone) return codes.unread
  return CliError.isCliError(error) || error instanceof UsageError ? codes.usage : codes.failed
}
