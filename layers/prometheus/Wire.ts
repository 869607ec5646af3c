/**
 * The answers of the Prometheus HTTP API, version 1, as values.
 *
 * Everything here was written by another program: sizes are bounded before it is parsed, texts are cut and printable,
 * and readings that are not numbers are counted instead of kept.
 * Source: prometheus.io/docs/prometheus/latest/querying/api.
 */
import { Effect, Schema } from "effect"
import type { Point } from "../../src/agents/advisor/Source.ts"

/** What a query measured of one thing: its labels, and its readings, oldest first. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly points: ReadonlyArray<Point>
  /** Readings that were NaN or infinite. */
  readonly dropped: number
}

/** An answer to a query; `warnings` say that it may be incomplete. */
export interface Answer {
  readonly samples: ReadonlyArray<Sample>
  readonly warnings: ReadonlyArray<string>
}

/** Prometheus' own refusal of a query. */
export interface Refusal {
  readonly kind: string
  readonly text: string
}

/** Seconds and a number written as text, `NaN`, `+Inf` and `-Inf` among them. */
const Reading = Schema.Tuple([Schema.Finite, Schema.String])
const labels = Schema.Record(Schema.String, Schema.String)

const Success = Schema.Struct({
  status: Schema.Literal("success"),
  data: Schema.Union([
    // A native histogram has `histograms` instead of `values`: it is no reading of one number.
    Schema.Struct({
      resultType: Schema.Literal("matrix"),
      result: Schema.Array(Schema.Struct({ metric: labels, values: Schema.optionalKey(Schema.Array(Reading)) }))
    }),
    Schema.Struct({
      resultType: Schema.Literal("vector"),
      result: Schema.Array(Schema.Struct({ metric: labels, value: Schema.optionalKey(Reading) }))
    }),
    Schema.Struct({ resultType: Schema.Literal("scalar"), result: Reading })
  ]),
  warnings: Schema.optionalKey(Schema.Array(Schema.String))
})

const Failure = Schema.Struct({
  status: Schema.Literal("error"),
  errorType: Schema.String,
  error: Schema.String
})

const parseSuccess = Schema.decodeEffect(Schema.fromJsonString(Success))
const parseFailure = Schema.decodeEffect(Schema.fromJsonString(Failure))

/** Characters of a foreign text that are quoted. */
export const textLength = 200

/** A foreign text on one line, printable and of at most `textLength` characters. */
export const quotable = (text: string): string => {
  // oxlint-disable-next-line no-control-regex -- Control characters are exactly what is replaced.
  const line = text.replaceAll(/[\s\u0000-\u001f\u007f]+/g, " ").trim()
  return line.length > textLength ? `${line.slice(0, textLength - 3)}...` : line
}

/** Reads the body of a successful answer. */
export const answer = (body: string): Effect.Effect<Answer, Schema.SchemaError> =>
  Effect.map(parseSuccess(body), ({ data, warnings = [] }) => ({
    samples: samplesOf(data),
    warnings: warnings.map(quotable)
  }))

/** Reads the body of a refusal. */
export const refusal = (body: string): Effect.Effect<Refusal, Schema.SchemaError> =>
  Effect.map(parseFailure(body), ({ error, errorType }) => ({ kind: quotable(errorType), text: quotable(error) }))

// internal

const sample = (labels: Readonly<Record<string, string>>, readings: ReadonlyArray<typeof Reading.Type>): Sample => {
  // `Number("+Inf")` is NaN, which is as well: neither is a reading.
  const points = readings.map(([seconds, text]): Point => ({
    at: Math.round(seconds * 1000),
    value: text === "" ? Number.NaN : Number(text)
  }))
  const finite = points.filter(({ value }) => Number.isFinite(value))
  return { labels, points: finite, dropped: points.length - finite.length }
}

const samplesOf = (data: typeof Success.Type["data"]): ReadonlyArray<Sample> => {
  switch (data.resultType) {
    case "matrix":
      return data.result.map(({ metric, values = [] }) => sample(metric, values))
    case "vector":
      return data.result.map(({ metric, value }) => sample(metric, value === undefined ? [] : [value]))
    case "scalar":
      return [sample({}, [data.result])]
  }
}
