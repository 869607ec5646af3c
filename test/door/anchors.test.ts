import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { startFauxqs } from "fauxqs"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { vi } from "vitest"
import { folder, run } from "./program.ts"

vi.setConfig({ testTimeout: 240_000 })

const service = Effect.acquireRelease(
  Effect.promise(() => startFauxqs({ port: 0, host: "127.0.0.1", logger: false })),
  (server) => Effect.promise(() => server.stop())
)

describe("aosiq start, with a bucket for its anchors", () => {
  it.live("keeps them there alone, with credentials of its own, and says that nothing holds them", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      const server = yield* service
      server.createBucket("anchors")
      const bucket = {
        AOSIQ_ANCHOR_S3_BUCKET: "anchors",
        AOSIQ_ANCHOR_S3_ENDPOINT: `http://127.0.0.1:${server.port}`,
        AWS_ACCESS_KEY_ID: "ambient",
        AWS_SECRET_ACCESS_KEY: "ambient"
      }
      const refused = yield* run({ cwd, env: bucket }, "start", "--once")
      assert.strictEqual(refused.code, 1)
      assert.include(refused.err, "error: a bucket for anchors is named, and no credentials for it")
      assert.include(refused.err, "remedy: set AOSIQ_ANCHOR_S3_ACCESS_KEY_ID")

      const own = { ...bucket, AOSIQ_ANCHOR_S3_ACCESS_KEY_ID: "own", AOSIQ_ANCHOR_S3_SECRET_ACCESS_KEY: "secret" }
      const started = yield* run({ cwd, env: own }, "start", "--once")
      assert.strictEqual(started.code, 0, started.err)
      assert.match(started.out, /chain verified: \d+ rows of \d+ sessions, \d anchors?/)
      assert.include(started.out, "not checked: anchors that somebody may remove or overwrite where they are kept")
      assert.include(started.err, "anchors_unlocked (s3://anchors/aosiq/)")
      assert.notInclude(started.err, "secret")
      assert.isFalse(existsSync(join(cwd, ".aosiq", "anchors")))

      // The service goes away: work goes on, and operators are told.
      yield* Effect.promise(() => server.stop())
      const later = yield* run({ cwd, env: own }, "start", "--once")
      assert.include(later.out, "save_ticket")
      const alerts = yield* run({ cwd, env: own }, "audit", "alerts")
      assert.include(alerts.out, "OPEN anchors_unreachable (anchors)")
    }).pipe(Effect.scoped))
})
