/**
 * A policy on labels out of a file, YAML or JSON. It is read once, where the runtime is built, and as a whole: a file with a
 * word that is not understood is no policy, and nothing is started.
 */
import { Config, Effect, FileSystem, Layer, Option, Schema } from "effect"
import { parse as parseYaml } from "yaml"
import { Flowing } from "../../src/governor/index.ts"
import { Flow } from "../../src/trust/index.ts"

/** The file cannot be read, or is no policy; nothing was started. */
export class PolicyFileError extends Schema.TaggedError<PolicyFileError>()("PolicyFileError", {
  file: Schema.String,
  detail: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return `${this.file}: ${this.detail}; ${this.remedy}`
  }
}

/** The variable that names the file. */
export const variable = "AOSIQ_POLICY"

/** Reads a policy as it is written in a file of that name. */
export const parse = (file: string, text: string): Effect.Effect<Flow.Policy, PolicyFileError> =>
  Effect.try({ try: (): unknown => parseYaml(text), catch: (error) => unfit(file, String(error)) }).pipe(
    Effect.flatMap((value) => Effect.mapError(decode(value), ({ message }) => unfit(file, message))),
    Effect.flatMap((policy) => {
      const names = [...policy.rules, ...policy.endorsed ?? []].map(({ name }) => name)
      const twice = names.find((name, at) => names.indexOf(name) !== at)
      if (twice !== undefined) return Effect.fail(unfit(file, `two are called ${JSON.stringify(twice)}`))
      const idle = policy.rules.find(({ sinks, tools }) => sinks === undefined && tools === undefined)
      return idle === undefined
        ? Effect.succeed(policy)
        : Effect.fail(unfit(file, `the rule ${JSON.stringify(idle.name)} names neither tools nor sinks`))
    })
  )

/** Reads a file. */
export const read = (file: string): Effect.Effect<Flow.Policy, PolicyFileError, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) =>
    Effect.flatMap(
      Effect.mapError(fs.readFileString(file), ({ reason }) => unfit(file, `it cannot be read (${reason._tag})`)),
      (text) => parse(file, text)
    ))

/** The policy of the file that the environment names; where it names none, the one in force. */
export const layerConfig = Layer.effect(
  Flowing.Current,
  Effect.gen(function*() {
    const file = yield* Config.option(Config.String(variable))
    return Option.isSome(file) ? yield* read(file.value) : yield* Flowing.Current
  })
)

// internal

const decode = Schema.decodeUnknownEffect(Flow.Policy, { onExcessProperty: "error" })
const unfit = (file: string, detail: string) =>
  new PolicyFileError({ file, detail, remedy: "see docs/guide/labels.md for what a policy says" })
