/**
 * What a backend needs before it can be made: its vendor's package or program, a key, and options that can work. What is
 * missing is said with what to install or set; nothing was called.
 */
import { Config, Effect, Option, Redacted, Schema } from "effect"

/** The vendor's package is not installed, or cannot be loaded. */
export class MissingPackage extends Schema.TaggedError<MissingPackage>()("MissingPackage", {
  name: Schema.String,
  remedy: Schema.String
}) {}
/** The vendor's program is not there, or does not start. */
export class MissingProgram extends Schema.TaggedError<MissingProgram>()("MissingProgram", {
  name: Schema.String,
  remedy: Schema.String
}) {}
/** There is no key to call with. */
export class MissingKey extends Schema.TaggedError<MissingKey>()("MissingKey", {
  variable: Schema.String,
  remedy: Schema.String
}) {}
/** An option cannot be used. */
export class BadOption extends Schema.TaggedError<BadOption>()("BadOption", {
  option: Schema.String,
  detail: Schema.String,
  remedy: Schema.String
}) {}

/** The backend was not made; nothing was called. */
export class SetupError extends Schema.TaggedError<SetupError>()("BackendSetupError", {
  backend: Schema.String,
  reason: Schema.Union([MissingPackage, MissingProgram, MissingKey, BadOption])
}) {
  override get message(): string {
    const reason = this.reason
    switch (reason._tag) {
      case "MissingPackage":
      case "MissingProgram":
        return `${this.backend}: ${reason.name} cannot be loaded; ${reason.remedy}`
      case "MissingKey":
        return `${this.backend}: there is no ${reason.variable}; ${reason.remedy}`
      case "BadOption":
        return `${this.backend}: ${reason.option} ${reason.detail}; ${reason.remedy}`
    }
  }
}

/** Which model, and how it is called; all but the model has a default. */
export interface Options {
  /** The vendor's name of the model. */
  readonly model: string
  /** The address of the API or of a gateway to it, without credentials; otherwise the vendor's variable, or its own. */
  readonly baseUrl?: string
  /** The most tokens one answer may have, thoughts included; default `defaultMaxOutputTokens`. */
  readonly maxOutputTokens?: number
  /** Of each attempt: until a whole answer is there, or the next piece of a streamed one; default `defaultTimeoutMs`. */
  readonly timeoutMs?: number
  /** Bytes of one answer at most, streamed or not; default `defaultMaxAnswerBytes`. */
  readonly maxAnswerBytes?: number
}

/** Options that were looked at. */
export interface Settings {
  readonly model: string
  readonly baseUrl: string
  readonly maxOutputTokens: number
  readonly timeoutMs: number
  readonly maxAnswerBytes: number
}

/** Tokens of one answer at most, unless set. */
export const defaultMaxOutputTokens = 8192
/** Milliseconds of one attempt at most, unless set. */
export const defaultTimeoutMs = 300_000
/** Bytes of one answer at most, unless set. */
export const defaultMaxAnswerBytes = 16 * 1024 * 1024

/** The options with their defaults. */
export const settings = (
  backend: string,
  options: Options,
  defaults: {
    readonly baseUrl: string
    /** The vendor's variable for the address. */
    readonly baseUrlVariable: string
    readonly model: string
  }
): Effect.Effect<Settings, SetupError> =>
  Effect.gen(function*() {
    if (options.model.trim() === "") {
      return yield* bad(backend, "model", "is empty", `name a model, such as ${defaults.model}`)
    }
    const baseUrl = options.baseUrl ?? (yield* variable(defaults.baseUrlVariable)) ?? defaults.baseUrl
    return {
      model: options.model,
      baseUrl: yield* address(backend, baseUrl, defaults.baseUrl),
      maxOutputTokens: yield* whole(backend, "maxOutputTokens", options.maxOutputTokens ?? defaultMaxOutputTokens),
      timeoutMs: yield* whole(backend, "timeoutMs", options.timeoutMs ?? defaultTimeoutMs),
      maxAnswerBytes: yield* whole(backend, "maxAnswerBytes", options.maxAnswerBytes ?? defaultMaxAnswerBytes)
    }
  })

/** Where the vendor is asked: the address of the settings. */
export const endpoint = (...parts: Parameters<typeof settings>): Effect.Effect<string, SetupError> =>
  Effect.map(settings(...parts), ({ baseUrl }) => baseUrl)

/** Loads the package of a vendor. */
export const load = <A>(backend: string, name: string, from: () => Promise<A>): Effect.Effect<A, SetupError> =>
  Effect.tryPromise({
    try: from,
    catch: () => new SetupError({ backend, reason: new MissingPackage({ name, remedy: `run npm install ${name}` }) })
  })

/** The key: given, or of the first of the variables that is set. One without a visible character is none. */
export const key = (
  backend: string,
  [variable, ...others]: readonly [string, ...Array<string>],
  given: Redacted.Redacted | undefined
): Effect.Effect<Redacted.Redacted, SetupError> => {
  const missing = new SetupError({
    backend,
    reason: new MissingKey({ variable, remedy: `set ${variable}, or pass apiKey` })
  })
  const found = given === undefined
    ? Effect.mapError(
      others.reduce((first, other) => Config.orElse(first, () => Config.Redacted(other)), Config.Redacted(variable)),
      () => missing
    )
    : Effect.succeed(given)
  return Effect.filterOrFail(found, (one) => Redacted.value(one).trim() !== "", () => missing)
}

/** A variable of the configuration, where it is set to something. */
export const variable = (name: string): Effect.Effect<string | undefined> =>
  Effect.map(
    Effect.option(Config.String(name)),
    (value) => Option.isSome(value) && value.value.trim() !== "" ? value.value : undefined
  )

/** The refusal of an option. */
export const bad = (
  backend: string,
  option: string,
  detail: string,
  remedy: string
): Effect.Effect<never, SetupError> =>
  Effect.fail(new SetupError({ backend, reason: new BadOption({ option, detail, remedy }) }))

/** A number of things, of which there must be some. */
export const whole = (backend: string, option: string, value: number): Effect.Effect<number, SetupError> =>
  Number.isSafeInteger(value) && value > 0
    ? Effect.succeed(value)
    : bad(backend, option, "is not a whole number above 0", "give one, or leave it out")

/** The address without a trailing slash; one with credentials would end up in messages and is refused. */
export const address = (backend: string, text: string, such: string): Effect.Effect<string, SetupError> => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    return bad(backend, "baseUrl", "is not an http or https URL", `give one such as ${such}, or leave it out`)
  }
  return url.username === "" && url.password === "" && url.search === ""
    ? Effect.succeed(`${url.origin}${url.pathname.replace(/\/+$/, "")}`)
    : bad(backend, "baseUrl", "holds credentials or parameters", "leave them out of the address")
}
