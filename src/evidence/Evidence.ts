/**
 * Evidence: what a claim cites and how the citation is checked. A stamp names the row of an outcome in this session; the
 * quote must stand in what that row recorded, word for word, and every number of the claim must occur there too.
 */
import { Context, Effect, Layer, Option, Schema } from "effect"
import { Digest, Log, type Row } from "../audit/index.ts"
import type { Claims } from "../capability/index.ts"

/** One citation: where, and the words that stand there. */
export const Citation = Schema.Struct({
  /** `session/seq` of an outcome row. */
  stamp: Schema.String,
  quote: Schema.String.pipe(Schema.check(Schema.isMinLength(3)))
})
export type Citation = typeof Citation.Type

/** A statement with what it rests on. */
export const Claim = Schema.Struct({
  text: Schema.NonEmptyString,
  evidence: Schema.Array(Citation).pipe(Schema.check(Schema.isMinLength(1)))
})
export type Claim = typeof Claim.Type

/** Checks claims against the log. */
export class Evidence extends Context.Service<Evidence, {
  /** What is wrong with the claims, one sentence each; empty when all hold. */
  readonly check: (
    session: Claims.SessionId,
    claims: ReadonlyArray<Claim>
  ) => Effect.Effect<ReadonlyArray<string>, Log.LogError>
}>()("aosiq/evidence/Evidence") {}

/** The checker over a log. */
export const layer: Layer.Layer<Evidence, never, Log.Log | Digest.Digest> = Layer.effect(
  Evidence,
  Effect.gen(function*() {
    const log = yield* Log.Log
    const digest = yield* Digest.Digest

    /** The recorded text behind a stamp, or why there is none. */
    const recorded = Effect.fnUntraced(function*(
      session: Claims.SessionId,
      rows: ReadonlyArray<Row.Row>,
      stamp: string
    ): Effect.fn.Return<{ readonly text: string } | { readonly why: string }, Log.LogError> {
      const slash = stamp.lastIndexOf("/")
      if (stamp.slice(0, slash) !== session) return { why: `${stamp} is not a stamp of this session` }
      const row = rows.find(({ seq }) => String(seq) === stamp.slice(slash + 1))
      if (row?.body.kind !== "outcome") return { why: `${stamp} is not the outcome of an act` }
      if (row.body.status !== "succeeded" || row.body.result === null) {
        return { why: `${stamp} is an act that ${row.body.status}` }
      }
      const text = yield* log.payload(row.body.result)
      if (Option.isNone(text)) return { why: `the result behind ${stamp} was erased` }
      return digest.sha256(text.value) === row.body.result
        ? { text: text.value }
        : { why: `the result behind ${stamp} was altered` }
    })

    const check = Effect.fnUntraced(function*(session: Claims.SessionId, claims: ReadonlyArray<Claim>) {
      const rows = yield* log.rows(session)
      const objections: Array<string> = []
      for (const claim of claims) {
        const texts: Array<string> = []
        for (const { quote, stamp } of claim.evidence) {
          const found = yield* recorded(session, rows, stamp)
          if ("why" in found) objections.push(found.why)
          else if (!stands(quote, found.text)) objections.push(`"${quote}" does not stand in ${stamp}`)
          else texts.push(found.text)
        }
        const missing = numbers(claim.text).filter((number) => !texts.some((text) => numbers(text).includes(number)))
        if (missing.length > 0 && texts.length === claim.evidence.length) {
          objections.push(`"${claim.text}" says ${missing.join(", ")}, which its evidence does not`)
        }
      }
      return objections
    })

    return Evidence.of({ check })
  })
)

// internal

/** Results are canonical JSON: a quote stands there as a JSON string would write it, or as raw JSON. */
const stands = (quote: string, text: string): boolean =>
  text.includes(JSON.stringify(quote).slice(1, -1)) || text.includes(quote)

/** The numbers of a text, as written, thousands separators dropped. */
const numbers = (text: string): ReadonlyArray<string> =>
  (text.replace(/(\d),(?=\d{3}\b)/g, "$1").match(/\d+(?:\.\d+)?/g) ?? []).map((number) => String(Number(number)))
