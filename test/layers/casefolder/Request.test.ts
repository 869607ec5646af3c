import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import * as CaseFolder from "../../../layers/casefolder/index.ts"
import * as Folder from "../logfiles/Folder.ts"

const requestOf = (alert: unknown) =>
  Effect.flatMap(Folder.make({ "alert.json": JSON.stringify(alert) }), CaseFolder.request)

describe("the request of a case", () => {
  it.effect("is not taken from a link", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* Folder.make({ "answer.json": `{"title":"POISON"}` })
      yield* fs.symlink(`${folder}/answer.json`, `${folder}/alert.json`)
      const error = yield* Effect.flip(CaseFolder.request(folder))
      assert.match(error.reason.detail, /alert\.json is a link and was not followed/)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("is what the operator was told, and nothing that labels the fault", () =>
    Effect.gen(function*() {
      const request = yield* requestOf({
        title: "[synthetic-rds] [P1] Disk [data] full",
        state: "alerting",
        startsAt: "2026-03-26T11:58:00Z",
        failure_mode: "POISON",
        commonLabels: { alertname: "POISON", severity: "critical" },
        commonAnnotations: {
          summary: "Space is short.",
          error: "no space left on device",
          suspected_symptom: "writes fail",
          db_instance_identifier: "shop",
          cloudwatch_region: "eu-west-1",
          rds_failure_mode: "POISON",
          context_sources: "POISON"
        }
      })
      assert.deepStrictEqual(request, {
        title: "Disk [data] full",
        description: "Space is short.\nError: no space left on device\nSuspected symptom: writes fail\n" +
          "Where: shop, eu-west-1",
        at: Date.UTC(2026, 2, 26, 11, 58),
        resource: "shop"
      })
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("leaves out what was not said", () =>
    Effect.gen(function*() {
      const bare = yield* requestOf({ title: "Check", commonAnnotations: { summary: "All well.", error: "" } })
      assert.deepStrictEqual(bare, { title: "Check", description: "All well." })
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("is refused when there is none, or none that can be read", () =>
    Effect.gen(function*() {
      const folder = yield* Folder.make({ "app.log": "x" })
      const missing = yield* Effect.flip(CaseFolder.request(folder))
      assert.strictEqual(missing.source, `${folder}/alert.json`)
      assert.strictEqual(missing.reason._tag, "Unreachable")
      const shapeless = yield* Effect.flip(requestOf({ headline: "x" }))
      assert.match(shapeless.reason.detail, /is not an alert, at title/)
    }).pipe(Effect.provide(NodeServices.layer)))
})
