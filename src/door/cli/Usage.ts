/** How help, version and wrong command lines are shown: what was asked for on standard output, what is wrong beside it. */
import { Console, Effect, type Layer } from "effect"
import { CliOutput } from "effect/cli"

/** A sentence about each mistake and where to look it up, instead of the whole help. */
export const layer: Layer.Layer<never> = CliOutput.layerPresenter({
  present: Effect.fnUntraced(function*(event) {
    if (event._tag !== "InvalidInvocation") return yield* CliOutput.defaultPresenter.present(event)
    const formatter = yield* CliOutput.Formatter
    for (const error of event.errors) yield* Console.error(`error: ${formatter.formatCliError(error)}`)
    return yield* Console.error(`remedy: see ${event.commandPath.join(" ")} --help`)
  })
})
