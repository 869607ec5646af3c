/**
 * The MCP servers of an installation, out of a file, YAML or JSON. It is read once, where the runtime is built, and as a
 * whole: a file with a word that is not understood lets no server in, and nothing is started.
 */
import { Config, Effect, FileSystem, Layer, Option, Schema } from "effect"
import { parse as parseYaml } from "yaml"
import { McpSettings } from "../../src/mcp/index.ts"

/** The file cannot be read, or says nothing that is understood; nothing was started. */
export class McpFileError extends Schema.TaggedError<McpFileError>()("McpFileError", {
  file: Schema.String,
  detail: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return `${this.file}: ${this.detail}; ${this.remedy}`
  }
}

/** The variable that names the file. */
export const variable = "AOSIQ_MCP"

/** Reads settings as they are written in a file of that name. */
export const parse = (file: string, text: string): Effect.Effect<McpSettings.Settings, McpFileError> =>
  Effect.try({ try: (): unknown => parseYaml(text), catch: () => unfit(file, "it is no YAML") }).pipe(
    Effect.flatMap((value) => Effect.mapError(decode(value), ({ message }) => unfit(file, message))),
    Effect.flatMap((settings) => {
      const lent = Object.entries(settings.servers).find(([, server]) =>
        "command" in server && server.inherit?.some((name) => name.startsWith("AOSIQ_")) === true
      )
      return lent === undefined
        ? Effect.succeed(settings)
        : Effect.fail(unfit(file, `${lent[0]} would inherit a variable of the runtime's own (AOSIQ_…)`))
    })
  )

/** Reads a file. */
export const read = (file: string): Effect.Effect<McpSettings.Settings, McpFileError, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) =>
    Effect.flatMap(
      Effect.mapError(fs.readFileString(file), ({ reason }) => unfit(file, `it cannot be read (${reason._tag})`)),
      (text) => parse(file, text)
    ))

/** The servers of the file that the environment names; where it names none, the ones in force. */
export const layerConfig = Layer.effect(
  McpSettings.Current,
  Effect.gen(function*() {
    const file = yield* Config.option(Config.String(variable))
    return Option.isSome(file) ? yield* read(file.value) : yield* McpSettings.Current
  })
)

// internal

const decode = Schema.decodeUnknownEffect(McpSettings.Settings, { onExcessProperty: "error" })
const unfit = (file: string, detail: string) =>
  new McpFileError({ file, detail, remedy: "see docs/guide/mcp.md for what it says" })
