/** How help, version and wrong command lines are shown: what was asked for on standard output, what is wrong beside it. */
import { Console, Effect, type Layer, Option } from "effect"
import { CliOutput, type HelpDoc } from "effect/cli"

/** A sentence about each mistake and where to look it up, instead of the whole help. */
export const layer: Layer.Layer<never> = CliOutput.layerPresenter({
  present: Effect.fnUntraced(function*(event) {
    if (event._tag === "Help") {
      return yield* CliOutput.defaultPresenter.present({ ...event, helpDoc: shortened(event.helpDoc) })
    }
    if (event._tag !== "InvalidInvocation") return yield* CliOutput.defaultPresenter.present(event)
    const formatter = yield* CliOutput.Formatter
    for (const error of event.errors) yield* Console.error(`error: ${formatter.formatCliError(error)}`)
    return yield* Console.error(`remedy: see ${event.commandPath.join(" ")} --help`)
  })
})

// internal

/** Flags of every command whose choices would make every line of the help as long as they are. */
const short: { readonly [name: string]: readonly [type: string, description: string] } = {
  completions: ["SHELL", "Print a completion script: bash, zsh, fish or powershell"],
  "log-level": ["LEVEL", "What is logged at least: all, trace, debug, info, warn, error, fatal or none"],
  wizard: ["", "Put a command together by answering questions"]
}

const shortened = (doc: HelpDoc.HelpDoc): HelpDoc.HelpDoc => ({
  ...doc,
  globalFlags: (doc.globalFlags ?? []).map((flag) => {
    const said = short[flag.name]
    return said === undefined
      ? flag
      : { ...flag, type: said[0] === "" ? flag.type : said[0], description: Option.some(said[1]) }
  })
})
