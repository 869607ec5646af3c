/**
 * What a server is given of ours: values as they are written in the settings, and values of variables that they name. The
 * second kind are secrets: they go to that server and nowhere else, and are taken out of whatever it says.
 */
import { Config, Effect, Option, Redacted, type Schema } from "effect"
import type { McpSettings } from "../../src/mcp/index.ts"

/** A value, and whether it is a secret. */
export interface Resolved {
  readonly value: Redacted.Redacted
  readonly isSecret: boolean
}
export type Values = Readonly<Record<string, Resolved>>

/** Looks the variables up; fails when one is not set. */
export const resolve = (
  values: Readonly<Record<string, McpSettings.Value>>
): Effect.Effect<Values, Config.ConfigError> =>
  Effect.map(
    Effect.forEach(
      Object.entries(values),
      ([name, value]): Effect.Effect<readonly [string, Resolved], Config.ConfigError> =>
        typeof value === "string"
          ? Effect.succeed([name, { value: Redacted.make(value), isSecret: false }])
          : Effect.map(Config.Redacted(value.from), (secret) => [name, { value: secret, isSecret: true }])
    ),
    (found) => Object.fromEntries(found)
  )

/** Variables of ours that are there. */
export const inherited = (
  names: ReadonlyArray<string>
): Effect.Effect<Readonly<Record<string, string>>, Config.ConfigError> =>
  Effect.map(
    Effect.forEach(names, (name) => Effect.map(Config.option(Config.String(name)), (value) => [name, value] as const)),
    (found) => Object.fromEntries(found.flatMap(([name, value]) => Option.isSome(value) ? [[name, value.value]] : []))
  )

/** The values themselves, for the server. */
export const plain = (values: Values): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(values).map(([name, { value }]) => [name, Redacted.value(value)]))

/** Takes secrets out of texts and out of all texts of a value. */
export const hider = (values: Values) => {
  const secrets = Object.values(values)
    .flatMap(({ isSecret, value }) => isSecret ? [Redacted.value(value), bare(Redacted.value(value))] : [])
    .filter((secret) => secret.length >= minSecret)
  const text = (said: string): string => secrets.reduce((rest, secret) => rest.replaceAll(secret, "[secret]"), said)
  const json = (value: Schema.Json): Schema.Json => {
    if (secrets.length === 0) return value
    if (typeof value === "string") return text(value)
    if (typeof value !== "object" || value === null) return value
    if (Array.isArray(value)) return value.map(json)
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [text(name), json(member)]))
  }
  return { text, json }
}

// internal

/** Shorter values stand in ordinary texts, too. */
const minSecret = 6

/** A credential without the word of its scheme. */
const bare = (value: string): string => value.replace(/^(?:Bearer|Basic|Token)\s+/i, "")
