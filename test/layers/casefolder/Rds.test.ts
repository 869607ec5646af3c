/** The recorded incidents of Amazon RDS that lie beside this repository, where they do. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Console, Effect, Layer, Schema, Stream } from "effect"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import * as CaseFolder from "../../../layers/casefolder/index.ts"
import * as Source from "../../../src/agents/advisor/Source.ts"

const data = `${import.meta.dirname}/../../../../shared/data/incidents-opensre-rds`
const cases = existsSync(data) ? readdirSync(data).filter((name) => /^\d{3}-/.test(name)) : []

const readAll = (name: string) =>
  Effect.gen(function*() {
    const metrics = yield* Source.Metrics.use((service) => service.read({ signals: [], window: {} }))
    const logs = yield* Source.Logs.use((service) => Stream.runCollect(service.read({ window: {} })))
    const settings = yield* Source.Settings.use((service) => service.read)
    const request = yield* CaseFolder.request(`${data}/${name}`)
    return { metrics, logs, settings, request }
  }).pipe(Effect.provide(
    Layer.provideMerge(CaseFolder.layer({ directory: `${data}/${name}` }), NodeServices.layer)
  ))

const Alert = Schema.fromJsonString(Schema.Struct({
  commonLabels: Schema.Struct({ alertname: Schema.String }),
  commonAnnotations: Schema.Struct({ rds_failure_mode: Schema.String })
}))

const latest = (series: ReadonlyArray<Source.Series>, signal: Source.Signal, resource?: string) =>
  series.find((one) => one.signal === signal && (resource === undefined || one.resource === resource))
    ?.points.at(-1)?.value

if (cases.length === 0) {
  it.effect("recorded incidents of RDS are not here", () => Console.log(`not tested: no recorded incidents in ${data}`))
}

describe.skipIf(cases.length === 0)("recorded incidents of RDS", () => {
  for (const name of cases) {
    it.effect(`${name} is read whole and without its answer`, () =>
      Effect.gen(function*() {
        const found = yield* readAll(name)
        const { series } = found.metrics
        assert.isAbove(series.length, 20)
        assert.deepStrictEqual(found.metrics.gaps, [])
        assert.isTrue(found.logs.every((item) => "message" in item && item.at !== null))
        assert.isDefined(latest(series, "cpu.utilisation"))
        assert.isTrue(series.every((one) => one.unit !== "raw" && one.resource !== ""))
        assert.isTrue(
          series.filter((one) => one.unit === "ratio").flatMap((one) => one.points)
            .every((point) => point.value >= 0 && point.value <= 1)
        )
        yield* Schema.decodeUnknownEffect(Schema.Array(Source.Series))(series)

        assert.notMatch(found.request.title, /^\[/)
        const alert = yield* Schema.decodeUnknownEffect(Alert)(readFileSync(`${data}/${name}/alert.json`, "utf8"))
        assert.notInclude(JSON.stringify(found), alert.commonLabels.alertname)
        // "healthy" is a word of its own, and a signal may be called what a fault is called.
        const mode = alert.commonAnnotations.rds_failure_mode
        if (mode.includes("_")) assert.notInclude(JSON.stringify([found.request, found.logs]), mode)
      }))
  }

  it.effect("an exhausted pool reads as its recording says", () =>
    Effect.gen(function*() {
      const { logs, metrics: { series }, request } = yield* readAll("002-connection-exhaustion")
      assert.strictEqual(latest(series, "db.connections", "payments-prod"), 494)
      assert.strictEqual(latest(series, "cpu.utilisation", "payments-prod"), 0.5)
      assert.strictEqual(latest(series, "db.load_by_wait", "Client:ClientRead"), 5.8)
      assert.strictEqual(latest(series, "db.load_by_user", "api_service"), 5.9)
      const statement = "BEGIN; SELECT * FROM invoices WHERE account_id = $1"
      assert.strictEqual(latest(series, "db.load_by_wait", `Client:ClientRead @ ${statement}`), 5.8)
      assert.deepStrictEqual(logs.map((item) => "message" in item ? item.level : item), ["info", "error"])
      assert.strictEqual(request.title, "Connection Exhaustion On payments-prod")
      assert.strictEqual(request.resource, "payments-prod")
    }))

  it.effect("a metric that was not recorded is not made up", () =>
    Effect.gen(function*() {
      const { metrics: { series } } = yield* readAll("008-storage-full-missing-metric")
      assert.isUndefined(latest(series, "disk.free_bytes"))
    }))
})
