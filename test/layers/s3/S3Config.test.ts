import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Option, Redacted } from "effect"
import { S3Config } from "../../../layers/s3/index.ts"

const read = (env: Readonly<Record<string, string>>) =>
  Effect.provideService(S3Config.options, ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))
const named = { AOSIQ_ANCHOR_S3_BUCKET: "anchors" }
const own = { ...named, AOSIQ_ANCHOR_S3_ACCESS_KEY_ID: "id", AOSIQ_ANCHOR_S3_SECRET_ACCESS_KEY: "secret" }

describe("S3Config", () => {
  it.effect("names no bucket unless one is set, whatever the process has for AWS", () =>
    Effect.gen(function*() {
      assert.isTrue(Option.isNone(yield* read({ AWS_ACCESS_KEY_ID: "ambient", AWS_REGION: "eu-west-1" })))
      assert.isTrue(Option.isNone(yield* read({ AOSIQ_ANCHOR_S3_REGION: "eu-west-1" })))
    }))

  it.effect("holds each anchor for a year, in compliance mode, unless told otherwise", () =>
    Effect.gen(function*() {
      const options = Option.getOrThrow(yield* read(own))
      assert.deepInclude(options, {
        bucket: "anchors",
        prefix: "aosiq/",
        region: "us-east-1",
        endpoint: undefined,
        retention: { mode: "COMPLIANCE", days: 365 }
      })
      const { credentials } = options
      assert.isTrue(credentials !== "ambient" && Redacted.value(credentials.secretAccessKey) === "secret")
      assert.notInclude(JSON.stringify(options), ":\"secret\"")
      const other = Option.getOrThrow(
        yield* read({
          ...own,
          AOSIQ_ANCHOR_S3_PREFIX: "log",
          AOSIQ_ANCHOR_S3_REGION: "eu-central-1",
          AOSIQ_ANCHOR_S3_ENDPOINT: "https://s3.example.com",
          AOSIQ_ANCHOR_S3_RETENTION_MODE: "GOVERNANCE",
          AOSIQ_ANCHOR_S3_RETENTION_DAYS: "3650"
        })
      )
      assert.deepInclude(other, {
        prefix: "log/",
        region: "eu-central-1",
        endpoint: "https://s3.example.com",
        retention: { mode: "GOVERNANCE", days: 3650 }
      })
      const none = Option.getOrThrow(yield* read({ ...own, AOSIQ_ANCHOR_S3_RETENTION_MODE: "none" }))
      assert.strictEqual(none.retention, "none")
    }))

  it.effect("does not fall back to the process's own credentials, but on request", () =>
    Effect.gen(function*() {
      const ambient = { AWS_ACCESS_KEY_ID: "ambient", AWS_SECRET_ACCESS_KEY: "ambient" }
      for (const env of [named, { ...named, ...ambient }, { ...named, AOSIQ_ANCHOR_S3_ACCESS_KEY_ID: "id" }]) {
        const error = yield* Effect.flip(read(env))
        assert.strictEqual(error._tag, "S3ConfigError")
        assert.include(error._tag === "S3ConfigError" ? error.remedy : "", "AOSIQ_ANCHOR_S3_ACCESS_KEY_ID")
      }
      const asked = Option.getOrThrow(yield* read({ ...own, AOSIQ_ANCHOR_S3_CREDENTIALS: "ambient" }))
      assert.strictEqual(asked.credentials, "ambient")
    }))

  it.effect("refuses what makes no sense", () =>
    Effect.gen(function*() {
      const bad = [
        { AOSIQ_ANCHOR_S3_RETENTION_DAYS: "0" },
        { AOSIQ_ANCHOR_S3_RETENTION_DAYS: "-1" },
        { AOSIQ_ANCHOR_S3_RETENTION_DAYS: "99999999" },
        { AOSIQ_ANCHOR_S3_RETENTION_DAYS: "soon" },
        { AOSIQ_ANCHOR_S3_RETENTION_MODE: "compliance?" },
        { AOSIQ_ANCHOR_S3_ENDPOINT: "s3.example.com" },
        { AOSIQ_ANCHOR_S3_CREDENTIALS: "borrowed" }
      ]
      for (const env of bad) yield* Effect.flip(read({ ...own, ...env }))
    }))
})
