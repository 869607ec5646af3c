/**
 * Where anchors go, from the environment. All names begin with AOSIQ_ANCHOR_S3_: what the application itself has for AWS
 * is left alone unless AOSIQ_ANCHOR_S3_CREDENTIALS is `ambient`.
 */
import { Config, Effect, Option, Schema } from "effect"
import type { Options } from "./Bucket.ts"

/** What is set contradicts itself, or something is missing; no anchor goes anywhere else instead. */
export class S3ConfigError extends Schema.TaggedError<S3ConfigError>()("S3ConfigError", {
  detail: Schema.String,
  remedy: Schema.String
}) {}

/** Days that an anchor is held unless set. */
export const defaultRetentionDays = 365
/** Days that an anchor can be held: what some services take at most. */
const maxRetentionDays = 36_500

/** The options, or none when AOSIQ_ANCHOR_S3_BUCKET is not set. */
export const options: Effect.Effect<Option.Option<Options>, S3ConfigError | Config.ConfigError> = Effect.gen(
  function*() {
    const found = yield* settings
    if (Option.isNone(found.bucket)) return Option.none()
    const { accessKeyId, credentials, endpoint, secretAccessKey, sessionToken } = found
    const isAmbient = credentials === "ambient"
    if (!isAmbient && (Option.isNone(accessKeyId) || Option.isNone(secretAccessKey))) {
      return yield* new S3ConfigError({
        detail: "a bucket for anchors is named, and no credentials for it",
        remedy:
          `set ${prefix}ACCESS_KEY_ID and ${prefix}SECRET_ACCESS_KEY, of a user that may not delete there; or ${prefix}CREDENTIALS=ambient`
      })
    }
    if (found.days < 1 || found.days > maxRetentionDays) {
      return yield* new S3ConfigError({
        detail: `${prefix}RETENTION_DAYS is ${found.days}`,
        remedy: `give a number of days from 1 to ${maxRetentionDays}`
      })
    }
    if (Option.isSome(endpoint) && !/^https?:\/\//.test(endpoint.value)) {
      return yield* new S3ConfigError({
        detail: `${prefix}ENDPOINT is not an http or https URL`,
        remedy: "give an address such as https://s3.example.com"
      })
    }
    return Option.some<Options>({
      bucket: found.bucket.value,
      prefix: found.prefix === "" || found.prefix.endsWith("/") ? found.prefix : `${found.prefix}/`,
      region: found.region,
      endpoint: Option.getOrUndefined(endpoint),
      credentials: Option.isSome(accessKeyId) && Option.isSome(secretAccessKey) && !isAmbient
        ? {
          accessKeyId: accessKeyId.value,
          secretAccessKey: secretAccessKey.value,
          sessionToken: Option.getOrUndefined(sessionToken)
        }
        : "ambient",
      retention: found.mode === "none" ? "none" : { mode: found.mode, days: found.days }
    })
  }
)

// internal

const prefix = "AOSIQ_ANCHOR_S3_"

const settings = Config.all({
  bucket: Config.option(Config.NonEmptyString(`${prefix}BUCKET`)),
  prefix: Config.withDefault(Config.String(`${prefix}PREFIX`), "aosiq/"),
  region: Config.withDefault(Config.NonEmptyString(`${prefix}REGION`), "us-east-1"),
  endpoint: Config.option(Config.NonEmptyString(`${prefix}ENDPOINT`)),
  credentials: Config.withDefault(Config.Literals(["own", "ambient"], `${prefix}CREDENTIALS`), "own"),
  accessKeyId: Config.option(Config.NonEmptyString(`${prefix}ACCESS_KEY_ID`)),
  secretAccessKey: Config.option(Config.Redacted(`${prefix}SECRET_ACCESS_KEY`)),
  sessionToken: Config.option(Config.Redacted(`${prefix}SESSION_TOKEN`)),
  mode: Config.withDefault(
    Config.Literals(["COMPLIANCE", "GOVERNANCE", "none"], `${prefix}RETENTION_MODE`),
    "COMPLIANCE"
  ),
  days: Config.withDefault(Config.Int(`${prefix}RETENTION_DAYS`), defaultRetentionDays)
})
