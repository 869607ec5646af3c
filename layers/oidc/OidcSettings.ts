/**
 * The issuers that an installation trusts, out of a file, YAML or JSON, or out of two variables for one issuer without
 * groups. They are read once, where the runtime is built, and as a whole: a word that is not understood starts nothing.
 */
import { Config, Effect, FileSystem, Option, Schema } from "effect"
import { parse as parseYaml } from "yaml"
import { Issuers } from "../../src/session/index.ts"

/** The settings cannot be read, or say nothing that is understood; nothing was started. */
export class OidcSettingsError extends Schema.TaggedError<OidcSettingsError>()("OidcSettingsError", {
  file: Schema.String,
  detail: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return `${this.file}: ${this.detail}; ${this.remedy}`
  }
}

/** The variable that names the file; and those that name one issuer, and what its tokens are made out to. */
export const variable = "AOSIQ_OIDC"
export const issuerVariable = "AOSIQ_OIDC_ISSUER"
export const audienceVariable = "AOSIQ_OIDC_AUDIENCE"

/** Nobody but the installation itself. */
export const none: Issuers.Settings = { version: 1, issuers: [] }

/** Reads settings as they are written in a file of that name. */
export const parse = (file: string, text: string): Effect.Effect<Issuers.Settings, OidcSettingsError> =>
  Effect.try({ try: (): unknown => parseYaml(text), catch: () => unfit(file, "it is no YAML") }).pipe(
    Effect.flatMap((value) => Effect.mapError(decode(value), ({ message }) => unfit(file, message))),
    Effect.flatMap((settings) => {
      const fault = faultIn(settings)
      return fault === null ? Effect.succeed(settings) : Effect.fail(unfit(file, fault))
    })
  )

/** Reads a file. */
export const read = (file: string): Effect.Effect<Issuers.Settings, OidcSettingsError, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) =>
    Effect.flatMap(
      Effect.mapError(fs.readFileString(file), ({ reason }) => unfit(file, `it cannot be read (${reason._tag})`)),
      (text) => parse(file, text)
    ))

/** The issuers that the environment names. */
export const fromConfig = Effect.gen(function*() {
  const file = yield* Config.option(Config.String(variable))
  const issuer = Option.getOrNull(yield* Config.option(Config.String(issuerVariable)))
  const audience = Option.getOrNull(yield* Config.option(Config.String(audienceVariable)))
  if (Option.isSome(file)) {
    if (issuer === null && audience === null) return yield* read(file.value)
    return yield* unfit(variable, `it is set, and so is ${issuerVariable} or ${audienceVariable}`)
  }
  if (issuer === null && audience === null) return none
  if (issuer === null) return yield* unfit(audienceVariable, `it is set, and ${issuerVariable} is not`)
  if (audience === null) return yield* unfit(issuerVariable, `it is set, and ${audienceVariable} is not`)
  return yield* parse(issuerVariable, JSON.stringify({ version: 1, issuers: [{ issuer, audience }] }))
})

/** Whether something may be fetched: by TLS, or from this machine. */
export const isSafe = (text: string): boolean => {
  const url = URL.parse(text)
  if (url === null || url.username !== "" || url.password !== "" || url.hash !== "") return false
  return url.protocol === "https:" || (url.protocol === "http:" && loopback.has(url.hostname))
}

// internal

const loopback: ReadonlySet<string> = new Set(["127.0.0.1", "[::1]", "localhost"])

const decode = Schema.decodeUnknownEffect(Issuers.Settings, { onExcessProperty: "error" })
const unfit = (file: string, detail: string) =>
  new OidcSettingsError({ file, detail, remedy: "see docs/guide/callers.md for what it says" })

const faultIn = ({ issuers }: Issuers.Settings): string | null => {
  const names = issuers.map(({ issuer }) => issuer)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) return `${twice} is named twice`
  const bare = names.find((name) => !isSafe(name) || URL.parse(name)?.search !== "")
  if (bare !== undefined) return `the issuer ${bare} is no address with https (or http on this machine) and no query`
  const lost = issuers.find(({ jwksUri }) => jwksUri !== undefined && !isSafe(jwksUri))
  return lost === undefined ? null : `the jwksUri of ${lost.issuer} is no address with https (or http on this machine)`
}
