/** Standard output and error of the process: what to do when nobody reads them, and what must be out before it ends. */
import { Config, Effect } from "effect"
import { RuntimeError } from "../../src/door/cli/index.ts"

/** Nobody reads the output any more, as after `| head`. */
export const readerGone = "ReaderGone"

/** Never succeeds; fails when standard output or error cannot be written any more. */
export const broken: Effect.Effect<never, typeof readerGone | RuntimeError> = Effect.callback((resume) => {
  const onError = ({ code, message }: NodeJS.ErrnoException) =>
    resume(Effect.fail(
      code === "EPIPE"
        ? readerGone
        : new RuntimeError({ detail: `the output cannot be written: ${message}`, remedy: "direct it elsewhere" })
    ))
  // The listeners stay: an error that nobody listens to ends the process with a trace.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", onError)
})

/** Whether standard error shows colours, and nobody asked for none. */
export const colours: Effect.Effect<boolean> = Effect.gen(function*() {
  const unwanted = yield* Config.String("NO_COLOR").pipe(Config.withDefault(""))
  const terminal = yield* Config.String("TERM").pipe(Config.withDefault(""))
  return process.stderr.isTTY && unwanted === "" && terminal !== "dumb"
}).pipe(Effect.orElseSucceed(() => false))

/** Calls `done` once everything written so far is out, or cannot get out. */
export const flushed = (done: () => void): void => {
  process.stdout.write("", () => process.stderr.write("", () => done()))
}
