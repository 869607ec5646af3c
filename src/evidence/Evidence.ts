/**
 * Evidence: what a claim cites and how the citation is checked. A stamp names the row of an outcome in this session, not
 * of a model's own answer; the quote must stand in what that row recorded, word for word, and every number of the claim
 * must occur there too.
 */
import { Context, Effect, Layer, Option, Schema } from "effect"
import { Digest, Log, type Row } from "../audit/index.ts"
import type { Claims } from "../capability/index.ts"
import { stand, unsupported } from "./Figures.ts"

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

    /** What is recorded behind a stamp, or why there is nothing to cite. */
    const recorded = Effect.fnUntraced(function*(
      session: Claims.SessionId,
      rows: ReadonlyArray<Row.Row>,
      stamp: string
    ): Effect.fn.Return<Recorded | { readonly why: string }, Log.LogError> {
      const slash = stamp.lastIndexOf("/")
      if (stamp.slice(0, slash) !== session) return { why: `${stamp} is not a stamp of this session` }
      const row = rows.find(({ seq }) => String(seq) === stamp.slice(slash + 1))
      if (row?.body.kind !== "outcome") return { why: `${stamp} is not the outcome of an act` }
      if (row.body.status !== "succeeded" || row.body.result === null) {
        return { why: `${stamp} is an act that ${row.body.status}` }
      }
      // Only models are called by tokens: what one said before, or counted, is no evidence for what it says now.
      if (row.body.usage !== undefined) return { why: `${stamp} is a model's own answer` }
      const text = yield* log.payload(row.body.result)
      if (Option.isNone(text)) return { why: `the result behind ${stamp} was erased` }
      const json = readJson(text.value)
      return digest.sha256(text.value) === row.body.result && Option.isSome(json)
        ? { raw: text.value, said: strings(json.value) }
        : { why: `the result behind ${stamp} was altered` }
    })

    const check = Effect.fnUntraced(function*(session: Claims.SessionId, claims: ReadonlyArray<Claim>) {
      const rows = yield* log.rows(session)
      const known = new Map<string, Recorded | { readonly why: string }>()
      const objections: Array<string> = []
      for (const claim of claims) {
        if (claim.evidence.length === 0) objections.push(`"${claim.text}" cites nothing`)
        const cited: Array<Recorded> = []
        for (const { quote, stamp } of claim.evidence) {
          const found = known.get(stamp) ?? (yield* recorded(session, rows, stamp))
          known.set(stamp, found)
          if ("why" in found) objections.push(found.why)
          else if (!stands(quote, found)) objections.push(`"${quote}" does not stand in ${stamp}`)
          else cited.push(found)
        }
        if (cited.length < claim.evidence.length) continue
        const missing = unsupported(claim.text, cited.map(({ said }) => said.join("\n")))
        if (missing.length > 0) {
          objections.push(`"${claim.text}" says ${missing.join(", ")}, which its evidence does not`)
        }
      }
      return objections
    })

    return Evidence.of({ check })
  })
)

// internal

/** A result as it was recorded, and the texts in it: names, strings and numbers. */
interface Recorded {
  readonly raw: string
  readonly said: ReadonlyArray<string>
}

/** A quote stands in one of the texts, or is a piece of the JSON itself. */
const stands = (quote: string, { raw, said }: Recorded): boolean =>
  said.some((text) => stand(quote, text)) || stand(quote, raw)

const readJson = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))

const strings = (value: unknown): ReadonlyArray<string> =>
  typeof value !== "object" || value === null
    ? [String(value)]
    : Array.isArray(value)
    ? value.flatMap(strings)
    : Object.entries(value).flatMap(([name, inner]) => [name, ...strings(inner)])
