/**
 * A process of its own that takes folders: `lockProgram.ts FOLDER[@INSTANT] …`, each at its instant (epoch milliseconds).
 * Says `won FOLDER`, or why it did not as JSON, and holds what it has until its input ends.
 */
import { Effect, Result } from "effect"
import { writeSync } from "node:fs"
import { acquire } from "../../../layers/pglite/Lock.ts"

const say = (line: string) => Effect.sync(() => void writeSync(1, `${line}\n`))

/** Until then, without giving up the processor: the others come at the same moment. */
const spin = (instant: number) => {
  while (Date.now() < instant) continue
}

await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  for (const order of process.argv.slice(2)) {
    const [folder = "", instant = "0"] = order.split("@")
    const wait = Number(instant) - Date.now() - 5
    if (wait > 0) yield* Effect.sleep(wait)
    spin(Number(instant))
    const result = yield* Effect.result(acquire(folder))
    yield* say(Result.isSuccess(result) ? `won ${folder}` : JSON.stringify(result.failure))
  }
  yield* say("done")
  yield* Effect.callback<void>((resume) => {
    process.stdin.on("end", () => resume(Effect.void)).resume()
  })
})))
