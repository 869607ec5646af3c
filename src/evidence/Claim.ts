/**
 * A claim: a statement and what it rests on. A citation names the stamp of an outcome and an extractor, which the verifier
 * runs again on what was recorded: words that stand there, a value at a path, a number with its unit, a count.
 *
 * Paths are JSON Pointers into the result (`/items/0/name`, empty for the whole). Source: RFC 6901.
 */
import { Schema } from "effect"

const stamp = Schema.String.annotate({ description: "the stamp that stood beside the result: session/row" })
const path = Schema.String.annotate({ description: "JSON Pointer into the result, such as /items/0/name" })
const quoted = Schema.String.pipe(Schema.check(Schema.isMinLength(3)))

/** Words that stand in the result, whatever the white space between them; no word and no number of it is cut. */
export const Quote = Schema.Struct({ stamp, quote: quoted })
export type Quote = typeof Quote.Type

/** The value at a path. */
export const Value = Schema.Struct({ stamp, path, equals: Schema.Json })
export type Value = typeof Value.Type

/**
 * A number that may be converted and rounded. It is read at `path`, a number or a text that is nothing but one with its
 * unit, or in `quote`, words with one number.
 *
 * - The unit of the record stands behind the number there, at `unitAt`, or at the end of the field's name (`_ms`).
 *   Without any of these no other unit can be stated; a share is also per cent.
 * - Without `digits` the number is the record's. With them it is the record's, converted and then rounded to so many
 *   significant digits, halves away from zero.
 */
export const Measure = Schema.Struct({
  stamp,
  number: Schema.Finite,
  path: Schema.optionalKey(path),
  quote: Schema.optionalKey(quoted),
  /** What the number is in, where that is said: `ms`, `GB`, `%`, `/s`. */
  unit: Schema.optionalKey(Schema.NonEmptyString),
  unitAt: Schema.optionalKey(path),
  digits: Schema.optionalKey(Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 2, maximum: 12 }))))
})
export type Measure = typeof Measure.Type

/** How many lines of a text, elements of a list or members of an object there are, or contain some words. */
export const Count = Schema.Struct({
  stamp,
  count: Schema.Natural,
  of: Schema.Literals(["lines", "elements"]),
  path: Schema.optionalKey(path),
  containing: Schema.optionalKey(Schema.NonEmptyString)
})
export type Count = typeof Count.Type

/** What a claim cites, and how it is taken from there again. */
export const Citation = Schema.Union([Count, Measure, Value, Quote])
export type Citation = typeof Citation.Type

/** A statement with what it rests on. */
export const Claim = Schema.Struct({
  text: Schema.NonEmptyString,
  evidence: Schema.Array(Citation).pipe(Schema.check(Schema.isMinLength(1)))
})
export type Claim = typeof Claim.Type
