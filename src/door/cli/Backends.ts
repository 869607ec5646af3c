/** `aosiq backends`: whether models can be asked from here, before anything is started. */
import { Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import type { Check } from "../../backend/index.ts"
import { MicroUsd } from "../../cost/index.ts"
import { json } from "./Ask.ts"
import * as Print from "./Print.ts"
import { backends, Runtime, RuntimeError, UsageError } from "./Runtime.ts"
import { here } from "./Where.ts"

const check = Command.make(
  "check",
  {
    backend: Flag.Literals("backend", backends).pipe(
      Flag.withDescription("Look at this one, and fail unless it is ready; may be repeated"),
      Flag.atLeast(0)
    ),
    model: Flag.String("model").pipe(Flag.withDescription("Model of the one backend that is named"), Flag.optional),
    network: Flag.Boolean("network").pipe(
      Flag.withDescription("Ask each vendor that there is a key for whether it answers; --no-network asks nobody"),
      Flag.withDefault(true)
    ),
    json
  },
  Effect.fnUntraced(function*(options) {
    const named = [...new Set(options.backend)]
    const model = Option.getOrUndefined(options.model)
    if (model !== undefined && (named.length !== 1 || named[0] === "offline")) {
      const detail = "--model is of one backend that has models"
      return yield* new UsageError({ detail, remedy: "name that backend, and no other, with --backend" })
    }
    const runtime = yield* Runtime
    const found = yield* runtime.backends({ backends: named, model, network: options.network })
    yield* Console.log(options.json ? Print.json(found, 2) : Print.plain(standings(found)))
    const unready = named.length === 0 ? [] : found.filter(({ ready }) => !ready)
    if (unready.length === 0) return
    return yield* new RuntimeError({
      detail: `not ready: ${unready.map(({ backend }) => backend).join(", ")}`,
      remedy: unready.flatMap(({ remedies }) => remedies)[0] ?? ""
    })
  })
).pipe(
  Command.withDescription(
    "Package, key, address, reachability, price and classes of each backend; nothing is generated or paid for"
  ),
  Command.withExamples([
    { command: "aosiq backends check", description: "Look at all; ends with 0 whatever there is" },
    { command: "aosiq backends check --backend ollama", description: "Ends with 1 unless it is ready" }
  ])
)

/** The command. */
export const backendsCommand = Command.make("backends").pipe(
  Command.withDescription("See which models can be asked from here"),
  Command.withSubcommands([here(check)])
)

/** How backends stand, as text. */
export const standings = (list: ReadonlyArray<Check.Standing>): string =>
  list.map((one) => [`${one.backend}  ${one.ready ? "ready" : "not ready"}`, ...lines(one)].join("\n")).join("\n\n")

// internal

const lines = (one: Check.Standing): ReadonlyArray<string> => [
  ...one.parts.map(({ name, version }) => `  package   ${name} ${version ?? "is not installed"}`),
  `  key       ${keys[one.key.state]}${one.key.variable === null ? "" : ` (${one.key.variable})`}`,
  `  endpoint  ${one.endpoint ?? "none"}`,
  `  reach     ${one.reach.state.replace("_", " ")}: ${one.reach.detail}`,
  `  price     ${price(one)}`,
  `  classes   ${one.classes.length === 0 ? "none may use it" : one.classes.join(", ")}`,
  ...one.covers.length === 0 ? [] : [`  covers    ${one.covers.join(", ")}`],
  ...one.remedies.map((remedy) => `  remedy    ${remedy}`)
]

const keys = {
  set: "set",
  missing: "missing",
  not_needed: "not needed",
  elsewhere: "in no variable; the vendor's SDK looks elsewhere, too"
} as const

const price = ({ model, price }: Check.Standing): string => {
  const of = model === null ? "" : `${model}: `
  if (price === null) return `${of}none known; it is not called in enforced mode`
  const { asOf, inputPerMillion, outputPerMillion } = price
  const [input, output] = [inputPerMillion, outputPerMillion].map(MicroUsd.format)
  return `${of}${input} in, ${output} out for a million tokens, as of ${asOf}`
}
