/**
 * Measurements of a system, past and present, from the Prometheus HTTP API.
 *
 * A reading first asks the server for the number one: if that fails, the source is unreachable or unreadable. After
 * that, what one query cannot give is a gap and the others are kept. Answers are bounded in size and time. Nothing is
 * retried.
 */
import { ByteSize, Clock, Duration, Effect, Layer, type Redacted, Result, Schema, Stream } from "effect"
import { HttpClient, HttpClientRequest, type HttpClientResponse } from "effect/http"
import {
  type Gap,
  Metrics,
  type Series,
  Signal,
  SourceError,
  Unreachable,
  Unreadable,
  type Window
} from "../../src/agents/advisor/Source.ts"
import { defaultQueries, type Queries, type Query, unitOf } from "./Queries.ts"
import * as Wire from "./Wire.ts"

/** Where Prometheus is and how it is asked; all but the address has a default. */
export interface Options {
  /** Its address, with the path prefix if it has one, without credentials. */
  readonly url: string
  readonly auth?:
    | { readonly username: string; readonly password: Redacted.Redacted }
    | { readonly token: Redacted.Redacted }
  /** Replaces the default queries; spread `defaultQueries` to add to them. */
  readonly queries?: Queries
  /** Between two readings of a series; default 1 minute. Longer windows get a longer step: see `pointLimit`. */
  readonly step?: Duration.Input
  /** How far a window without a beginning reaches back; default 1 hour. */
  readonly lookback?: Duration.Input
  /** Of each request; default 10 seconds. */
  readonly timeout?: Duration.Input
  /** Of each answer, in bytes; default 8 MiB. */
  readonly maxBytes?: number
}

/** Readings of one series at most. */
export const pointLimit = 1000

/**
 * `Metrics` of what Prometheus knows. Fails with `Unreachable` when it does not answer or is not ready, with
 * `Unreadable` when what answers is not Prometheus or refuses the credentials.
 */
export const layerMetrics = (options: Options): Layer.Layer<Metrics, never, HttpClient.HttpClient> =>
  Layer.effect(
    Metrics,
    Effect.gen(function*() {
      const client = yield* HttpClient.HttpClient
      const known = Object.entries(options.queries ?? defaultQueries).filter(isKnown)

      const read = Effect.fn("PrometheusSource.read")(
        function*(query: { readonly signals: ReadonlyArray<Signal>; readonly window: Window }) {
          const range = yield* rangeOf(query.window, options)
          if (range.from > range.to) return { series: [], gaps: [emptyWindow] }
          const wanted = known.filter(([signal]) => query.signals.length === 0 || query.signals.includes(signal))
          if (wanted.length === 0) return { series: [], gaps: [] }

          const base = yield* baseOf(options.url)
          const get = ask(client, base, options)
          yield* Effect.mapError(get("query", { query: "1" }), (reason) =>
            new SourceError({ source: `prometheus:${base}`, reason }))
          const answers = yield* Effect.forEach(wanted, ([signal, query]) =>
            one(get, signal, query, range), {
            concurrency: 4
          })
          return { series: answers.flatMap(({ series }) => series), gaps: answers.flatMap(({ gaps }) => gaps) }
        }
      )
      return Metrics.of({ read })
    })
  )

// internal

type Reason = Unreachable | Unreadable
type Get = (
  path: "query" | "query_range",
  params: Readonly<Record<string, string>>
) => Effect.Effect<Wire.Answer, Reason>

const isKnown = (entry: [string, Query | undefined]): entry is [Signal, Query] =>
  Schema.is(Signal)(entry[0]) && entry[1] !== undefined

const gap = (signal: string, detail: string, remedy: string): Gap => ({
  source: `prometheus:${signal}`,
  detail,
  remedy
})

const emptyWindow = gap("window", "the window ends before it begins", "ask for a window that is not empty")

interface Range {
  readonly from: number
  readonly to: number
  readonly stepMs: number
}

const rangeOf = (window: Window, options: Options): Effect.Effect<Range> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const to = window.to ?? now
    const from = window.from ?? to - Duration.toMillis(options.lookback ?? "1 hour")
    const wished = Duration.toMillis(options.step ?? "1 minute")
    return { from, to, stepMs: Math.max(1, wished, Math.ceil((to - from) / (pointLimit - 1))) }
  })

const badAddress = (detail: string, remedy: string) =>
  Effect.fail(new SourceError({ source: "prometheus", reason: new Unreadable({ detail, remedy }) }))

/** The address without a trailing slash; one with credentials would end up in messages and is refused. */
const baseOf = (text: string): Effect.Effect<string, SourceError> => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    return badAddress("the address is not an http or https URL", "give an address such as http://localhost:9090")
  }
  return url.username === "" && url.password === ""
    ? Effect.succeed(`${url.origin}${url.pathname.replace(/\/+$/, "")}`)
    : badAddress("the address holds credentials", "leave them out of the address and pass them as auth")
}

const seconds = (millis: number): string => (millis / 1000).toFixed(3)

/** One query as series, or as the gap it left. A window shorter than a step has room for one reading, at its end. */
const one = (get: Get, signal: Signal, query: Query, { from, stepMs, to }: Range) =>
  Effect.gen(function*() {
    const { promql, unit } = typeof query === "string" ? { promql: query, unit: unitOf(signal) } : query
    const asked = to - from < stepMs
      ? get("query", { query: promql, time: seconds(to) })
      : get("query_range", { query: promql, start: seconds(from), end: seconds(to), step: seconds(stepMs) })
    const result = yield* Effect.result(asked)
    if (Result.isFailure(result)) {
      return { series: [], gaps: [gap(signal, result.failure.detail, result.failure.remedy)] }
    }

    const { samples, warnings } = result.success
    const series = samples.filter(({ points }) => points.length > 0).map(({ labels, points }): Series => ({
      signal,
      resource: resourceOf(labels),
      unit,
      origin: promql,
      points
    }))
    const dropped = samples.reduce((sum, sample) => sum + sample.dropped, 0)
    return {
      series,
      gaps: [
        ...warnings.map((text) => gap(signal, `Prometheus warns: ${text}`, "look at the sources of this Prometheus")),
        ...(dropped > 0
          ? [gap(signal, `${dropped} readings were not numbers`, "guard the query against a division by zero")]
          : [])
      ]
    }
  })

/** The labels that are left, the machine last: `/data on db1:9100`, `a=1, b=2 on db1:9100`, or the machine alone. */
const resourceOf = (labels: Readonly<Record<string, string>>): string => {
  const { instance, ...rest } = labels
  const named = Object.entries(rest).filter(([name]) => name !== "__name__").toSorted(([a], [b]) => (a < b ? -1 : 1))
  const thing = named.length === 1 ? named[0]?.[1] : named.map(([name, value]) => `${name}=${value}`).join(", ")
  return Wire.quotable([thing, instance].filter((part) => part !== undefined && part !== "").join(" on ")) || "all"
}

const authorise = (auth: Options["auth"]) => (request: HttpClientRequest.HttpClientRequest) => {
  if (auth === undefined) return request
  return "token" in auth
    ? HttpClientRequest.bearerToken(request, auth.token)
    : HttpClientRequest.basicAuth(request, auth.username, auth.password)
}

const ask = (client: HttpClient.HttpClient, base: string, options: Options): Get => (path, params) =>
  HttpClientRequest.get(`${base}/api/v1/${path}`, { urlParams: params }).pipe(
    HttpClientRequest.acceptJson,
    authorise(options.auth),
    client.execute,
    Effect.mapError((error) => noAnswer(`no answer (${error.reason._tag})`)),
    Effect.flatMap((response) =>
      Effect.flatMap(bodyOf(response, options.maxBytes ?? 8 * 1024 * 1024), (body) => judge(response, body))
    ),
    Effect.timeoutOrElse({
      duration: options.timeout ?? "10 seconds",
      orElse: () => Effect.fail(noAnswer("no answer in time"))
    })
  )

const noAnswer = (detail: string): Unreachable =>
  new Unreachable({ detail, remedy: "check that Prometheus runs at this address, or give it more time" })

const bodyOf = (
  response: HttpClientResponse.HttpClientResponse,
  maxBytes: number
): Effect.Effect<string, Reason> => {
  const tooLarge = new Unreadable({
    detail: `the answer has more than ${maxBytes} bytes`,
    remedy: "ask for a shorter window, a longer step or fewer series"
  })
  const chunks: Stream.Stream<Uint8Array, Reason> = Stream.mapError(
    response.stream,
    () => noAnswer("the answer broke off")
  )
  return chunks.pipe(
    Stream.limitBytes(ByteSize.bytes(maxBytes), (): Stream.Stream<never, Reason> => Stream.fail(tooLarge)),
    Stream.decodeText(),
    Stream.mkString
  )
}

const judge = ({ headers, status }: HttpClientResponse.HttpClientResponse, body: string) => {
  const type = Wire.quotable(headers["content-type"] ?? "no content type")
  return status >= 200 && status < 300
    ? Effect.mapError(Wire.answer(body), (): Reason =>
      new Unreadable({
        detail: `the answer (${type}) is not one of the Prometheus API`,
        remedy: "check that the address is that of a Prometheus server, path prefix included"
      }))
    : Effect.flatMap(
      Effect.result(Wire.refusal(body)),
      (refusal) => Effect.fail(refused(status, Result.isSuccess(refusal) ? refusal.success : undefined))
    )
}

const refused = (status: number, refusal: Wire.Refusal | undefined): Reason => {
  const detail = refusal === undefined ? `status ${status}` : `status ${status}, ${refusal.kind}: ${refusal.text}`
  if (status === 401 || status === 403) {
    return new Unreadable({ detail, remedy: "pass credentials that may read as auth" })
  }
  if (status === 429 || status >= 500) {
    return new Unreachable({ detail, remedy: "try again when Prometheus is ready, or with a simpler query" })
  }
  return refusal === undefined
    ? new Unreadable({ detail, remedy: "check that the address is that of a Prometheus server, path prefix included" })
    : new Unreadable({ detail, remedy: "correct the query" })
}
