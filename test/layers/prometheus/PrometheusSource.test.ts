/** A server on the loopback that speaks the wire format, and servers that do not. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { FetchHttpClient } from "effect/http"
import { layerMetrics, type Options } from "../../../layers/prometheus/index.ts"
import { pointLimit } from "../../../layers/prometheus/PrometheusSource.ts"
import { Metrics, type Signal, type Window } from "../../../src/agents/advisor/Source.ts"
import { type Answering, healthy, json, matrix, one, serve } from "./fakePrometheus.ts"

const hour = { from: 1_700_000_000_000, to: 1_700_003_600_000 }

const read = (options: Options, signals: ReadonlyArray<Signal> = [], window: Window = hour) =>
  Effect.flatMap(Metrics, (metrics) => metrics.read({ signals, window })).pipe(
    Effect.provide(Layer.provide(layerMetrics(options), FetchHttpClient.layer))
  )

const two = { "disk.used_ratio": "disk_query", "queue.depth": "queue_query" } as const

/** Reads both queries of `two` from a server that answers so. */
const readFrom = (answering: Answering, options: Partial<Options> = {}, window: Window = hour) =>
  Effect.gen(function*() {
    const server = yield* serve(answering)
    const result = yield* read({ url: server.url, queries: two, ...options }, [], window)
    return { ...result, asked: server.asked }
  })

const failWith = (answering: Answering, options: Partial<Options> = {}) => Effect.flip(readFrom(answering, options))

describe("a reading", () => {
  it.live("asks for the window and gives series in the vocabulary", () =>
    Effect.gen(function*() {
      const { asked, gaps, series } = yield* readFrom(healthy(({ params }, response) =>
        params.get("query") === "disk_query"
          ? matrix(response, [
            {
              metric: { instance: "db1:9100", mountpoint: "/data" },
              values: [[1_700_000_000, "0.5"], [1_700_000_060.25, "0.75"]]
            },
            { metric: { instance: "db2:9100", mountpoint: "/data" }, values: [[1_700_000_000, "1e-3"]] }
          ])
          : matrix(response, [{ metric: { __name__: "depth", queue: "mail" }, values: [[1_700_000_000, "7"]] }])
      ))
      assert.deepStrictEqual(gaps, [])
      assert.deepStrictEqual(series, [
        {
          signal: "disk.used_ratio",
          resource: "/data on db1:9100",
          unit: "ratio",
          origin: "disk_query",
          points: [{ at: 1_700_000_000_000, value: 0.5 }, { at: 1_700_000_060_250, value: 0.75 }]
        },
        {
          signal: "disk.used_ratio",
          resource: "/data on db2:9100",
          unit: "ratio",
          origin: "disk_query",
          points: [{ at: 1_700_000_000_000, value: 0.001 }]
        },
        {
          signal: "queue.depth",
          resource: "mail",
          unit: "count",
          origin: "queue_query",
          points: [{ at: 1_700_000_000_000, value: 7 }]
        }
      ])
      const [, first] = asked
      assert.strictEqual(first?.path, "/api/v1/query_range")
      assert.strictEqual(first?.params.get("start"), "1700000000.000")
      assert.strictEqual(first?.params.get("end"), "1700003600.000")
      assert.strictEqual(first?.params.get("step"), "60.000")
    }))

  it.live("asks only for the signals wanted, and nothing when it knows none of them", () =>
    Effect.gen(function*() {
      const server = yield* serve(healthy((_, response) => matrix(response, [])))
      const none = yield* read({ url: server.url, queries: two }, ["db.load"])
      assert.deepStrictEqual(none, { series: [], gaps: [] })
      assert.deepStrictEqual(server.asked, [])
      yield* read({ url: server.url, queries: two }, ["queue.depth", "db.load"])
      assert.deepStrictEqual(server.asked.map(({ params }) => params.get("query")), ["1", "queue_query"])
    }))
})

describe("the window of a reading", () => {
  it.live("lengthens the step of a long window", () =>
    Effect.gen(function*() {
      const month = 30 * 24 * 3600 * 1000
      const { asked } = yield* readFrom(healthy((_, response) => matrix(response, [])), {}, {
        from: hour.to - month,
        to: hour.to
      })
      const step = Number(asked[1]?.params.get("step"))
      assert.isAtMost(month / 1000 / step + 1, pointLimit)
      assert.isAtLeast(month / 1000 / step + 1, pointLimit * 0.9)
    }))

  it.live("asks for one reading where the window has no room for two", () =>
    Effect.gen(function*() {
      const { asked, series } = yield* readFrom(
        healthy((_, response) =>
          json(response, {
            status: "success",
            data: { resultType: "vector", result: [{ metric: {}, value: [1_700_000_010, "3"] }] }
          })
        ),
        {},
        { from: hour.from, to: hour.from + 10_000 }
      )
      assert.strictEqual(asked[1]?.path, "/api/v1/query")
      assert.strictEqual(asked[1]?.params.get("time"), "1700000010.000")
      assert.deepStrictEqual(series[0]?.points, [{ at: 1_700_000_010_000, value: 3 }])
      assert.strictEqual(series[0]?.resource, "all")
    }))

  it.live("reaches back as far as configured from a window without a beginning", () =>
    Effect.gen(function*() {
      const { asked } = yield* readFrom(healthy((_, response) => matrix(response, [])), { lookback: "2 hours" }, {
        to: hour.to
      })
      assert.strictEqual(asked[1]?.params.get("start"), "1699996400.000")
    }))

  it.live("refuses a window that ends before it begins, without asking", () =>
    Effect.gen(function*() {
      const { asked, gaps, series } = yield* readFrom((_, response) => one(response), {}, { from: 2, to: 1 })
      assert.deepStrictEqual(series, [])
      assert.match(gaps[0]?.detail ?? "", /ends before it begins/)
      assert.deepStrictEqual(asked, [])
    }))
})

describe("names and units of a reading", () => {
  it.live("names things by their labels, cut and printable", () =>
    Effect.gen(function*() {
      const labels = [{ instance: "a:1" }, { b: "2", a: "1", instance: "a:1" }, { queue: "x\n\u001b[31my" }, {
        queue: "q".repeat(999)
      }, {}]
      const { series } = yield* readFrom(
        healthy((_, response) => matrix(response, labels.map((metric) => ({ metric, values: [[1, "1"]] })))),
        { queries: { "queue.depth": "x" } }
      )
      assert.deepStrictEqual(series.map(({ resource }) => resource).toSpliced(3, 1), [
        "a:1",
        "a=1, b=2 on a:1",
        "x [31my",
        "all"
      ])
      assert.strictEqual(series[3]?.resource.length, 200)
    }))

  it.live("takes units from the query where it says so", () =>
    Effect.gen(function*() {
      const { series } = yield* readFrom(
        healthy((_, response) => matrix(response, [{ metric: {}, values: [[1, "1"]] }])),
        { queries: { "other:a": "x", "other:b": { promql: "y", unit: "seconds" } } }
      )
      assert.deepStrictEqual(series.map(({ unit }) => unit), ["raw", "seconds"])
    }))
})

/** The credentials that arrived at the server. */
const sent = (auth: NonNullable<Options["auth"]>) =>
  Effect.map(
    readFrom(healthy((_, response) => matrix(response, [])), { auth }),
    ({ asked }) => new Set(asked.map(({ headers }) => headers.authorization))
  )

describe("credentials", () => {
  it.live("are sent with every request", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* sent({ token: Redacted.make("t0ken") }), new Set(["Bearer t0ken"]))
      const basic = `Basic ${Buffer.from("ada:pässword").toString("base64")}`
      assert.deepStrictEqual(yield* sent({ username: "ada", password: Redacted.make("pässword") }), new Set([basic]))
    }))

  it.live("that are refused make the source unreadable, and are not quoted", () =>
    Effect.gen(function*() {
      const error = yield* failWith((_, response) => json(response, {}, 401), {
        auth: { token: Redacted.make("t0ken") }
      })
      assert.strictEqual(error.reason._tag, "Unreadable")
      assert.match(error.reason.remedy, /credentials/)
      assert.notInclude(JSON.stringify(error), "t0ken")
    }))

  it.live("in the address are refused before anything is sent", () =>
    Effect.gen(function*() {
      const server = yield* serve((_, response) => one(response))
      const error = yield* Effect.flip(read({ url: server.url.replace("//", "//ada:hunter2@") }))
      assert.strictEqual(error.reason._tag, "Unreadable")
      assert.match(error.reason.remedy, /pass them as auth/)
      assert.notInclude(JSON.stringify(error), "hunter2")
      assert.deepStrictEqual(server.asked, [])
    }))
})

describe("a source that is not there", () => {
  it.live("is unreachable when nothing listens", () =>
    Effect.gen(function*() {
      const { url } = yield* Effect.scoped(serve((_, response) => one(response)))
      const error = yield* Effect.flip(read({ url, queries: two }))
      assert.strictEqual(error.source, `prometheus:${url}`)
      assert.strictEqual(error.reason._tag, "Unreachable")
      assert.match(error.reason.remedy, /check that Prometheus runs/)
    }))

  it.live("is unreachable while it is not ready", () =>
    Effect.gen(function*() {
      const error = yield* failWith((_, response) => response.writeHead(503).end("Service Unavailable"))
      assert.strictEqual(error.reason._tag, "Unreachable")
      assert.match(error.reason.detail, /503/)
    }))

  it.live("is unreachable when it is silent, or falls silent in the middle", () =>
    Effect.gen(function*() {
      for (
        const answering of [() => {}, (_, response) => void response.writeHead(200).write("{")] satisfies Array<
          Answering
        >
      ) {
        const error = yield* failWith(answering, { timeout: "100 millis" })
        assert.strictEqual(error.reason._tag, "Unreachable")
        assert.match(error.reason.detail, /in time/)
      }
    }))

  it.live("is unreachable when it hangs up", () =>
    Effect.gen(function*() {
      const error = yield* failWith((_, response) => {
        response.writeHead(200, { "content-length": "100" })
        response.write("{", () => response.destroy())
      })
      assert.strictEqual(error.reason._tag, "Unreachable")
    }))
})

describe("a source that is something else", () => {
  it.live("is unreadable when it is something else", () =>
    Effect.gen(function*() {
      const others: ReadonlyArray<Answering> = [
        (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>Log in</html>"),
        (_, response) => json(response, { hello: "world" }),
        (_, response) => json(response, { status: "success", data: { resultType: "matrix", result: [{ values: 7 }] } }),
        (_, response) =>
          json(response, {
            status: "success",
            data: { resultType: "vector", result: [{ metric: {}, value: ["x", 1] }] }
          }),
        (_, response) => response.writeHead(404).end("not found"),
        (_, response) => response.end()
      ]
      for (const answering of others) {
        const error = yield* failWith(answering)
        assert.strictEqual(error.reason._tag, "Unreadable")
        assert.match(error.reason.remedy, /path prefix/)
      }
    }))

  it.live("is unreadable when its address is none", () =>
    Effect.gen(function*() {
      for (const url of ["", "localhost", "file:///etc/passwd"]) {
        const error = yield* Effect.flip(read({ url }))
        assert.strictEqual(error.reason._tag, "Unreadable")
        assert.match(error.reason.detail, /not an http/)
      }
    }))

  it.live("keeps the path prefix of its address", () =>
    Effect.gen(function*() {
      const server = yield* serve(healthy((_, response) => matrix(response, [])))
      yield* read({ url: `${server.url}/monitoring/?x=1`, queries: two })
      assert.strictEqual(server.asked[0]?.path, "/monitoring/api/v1/query")
    }))
})

/** The queue query is answered; the disk query fails so. */
const half = (answering: Answering): Answering =>
  healthy((asked, response) =>
    asked.params.get("query") === "disk_query"
      ? answering(asked, response)
      : matrix(response, [{ metric: { queue: "mail" }, values: [[1, "7"]] }])
  )
const gapOf = (answering: Answering, options: Partial<Options> = {}) =>
  Effect.map(readFrom(half(answering), options), ({ gaps, series }) => {
    assert.deepStrictEqual(series.map(({ signal }) => signal), ["queue.depth"])
    assert.deepStrictEqual(gaps.map(({ source }) => source), ["prometheus:disk.used_ratio"])
    return gaps[0]
  })

describe("a query that fails", () => {
  it.live("is a gap with Prometheus' own words", () =>
    Effect.gen(function*() {
      const gap = yield* gapOf((_, response) =>
        json(response, { status: "error", errorType: "bad_data", error: `parse error:\n${"x".repeat(999)}` }, 400)
      )
      assert.match(gap?.detail ?? "", /^status 400, bad_data: parse error: x+\.\.\.$/)
      assert.strictEqual(gap?.remedy, "correct the query")
    }))

  it.live("is a gap when it is too slow", () =>
    Effect.gen(function*() {
      assert.match((yield* gapOf(() => {}, { timeout: "150 millis" }))?.detail ?? "", /in time/)
      const busy = yield* gapOf((_, response) =>
        json(response, { status: "error", errorType: "timeout", error: "query timed out" }, 503)
      )
      assert.match(busy?.remedy ?? "", /simpler query/)
    }))

  it.live("is a gap when its answer is too large, and the rest of the answer is not read", () =>
    Effect.gen(function*() {
      let closed = false
      let written = 0
      const gap = yield* gapOf((_, response) => {
        response.writeHead(200, { "content-type": "application/json" })
        const more = () => {
          if (closed || written > 1 << 28) return
          written += 65_536
          response.write(" ".repeat(65_536), more)
        }
        response.on("close", () => {
          closed = true
        })
        more()
      }, { maxBytes: 1_000_000 })
      assert.match(gap?.detail ?? "", /more than 1000000 bytes/)
      assert.isBelow(written, 1 << 28)
    }))

  it.live("is a gap when its readings are no numbers, and keeps those that are", () =>
    Effect.gen(function*() {
      const { gaps, series } = yield* readFrom(half((_, response) =>
        matrix(response, [
          { metric: { mountpoint: "/" }, values: [[1, "NaN"], [2, "+Inf"], [3, "0.5"], [4, "-Inf"], [5, ""]] },
          { metric: { mountpoint: "/empty" }, values: [[1, "NaN"]] },
          { metric: { mountpoint: "/histogram" } }
        ])
      ))
      const disks = series.filter(({ signal }) => signal === "disk.used_ratio")
      assert.deepStrictEqual(disks.map(({ points, resource }) => [resource, points]), [["/", [{
        at: 3000,
        value: 0.5
      }]]])
      assert.match(gaps[0]?.detail ?? "", /^5 readings were not numbers$/)
    }))

  it.live("is a gap beside its readings when Prometheus warns that they are incomplete", () =>
    Effect.gen(function*() {
      const { gaps, series } = yield* readFrom(half((_, response) =>
        matrix(response, [{ metric: {}, values: [[1, "1"]] }], { warnings: ["a store did not answer"] })
      ))
      assert.strictEqual(series.length, 2)
      assert.match(gaps[0]?.detail ?? "", /warns: a store did not answer/)
    }))
})
