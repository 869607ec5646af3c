/**
 * Evidence: how claims are checked. A stamp names the row of an outcome of this session that succeeded and read something
 * of the world; what a model answered, remembered or computed from its own words is none. Each citation's extractor is run
 * again on what that row recorded, as a model is shown it, and every number of the claim must be borne out by what the
 * extractors took.
 */
import { Context, Effect, Layer, Option, Result, Schema } from "effect"
import { Chain, Digest, Lineage, Log, type Row } from "../audit/index.ts"
import type { Claims } from "../capability/index.ts"
import { Redact } from "../trust/index.ts"
import type { Citation, Claim } from "./Claim.ts"
import * as Extract from "./Extract.ts"
import { isAmount, unsupported } from "./Figures.ts"

export { Citation, Claim } from "./Claim.ts"

/** What became of one citation. */
export interface Cited {
  readonly citation: Citation
  /** What it cites, in words. */
  readonly words: string
  /** The act whose result it cites, and when it was recorded, epoch milliseconds; `null` where there is none to cite. */
  readonly source:
    | { readonly act: string; readonly at: number; readonly args: string; readonly recorded: string }
    | null
  /** What the extractor took; `null` when the citation does not hold. */
  readonly extract: string | null
  /** Why it does not hold; empty when it does. */
  readonly why: string
}

/** What became of one claim. */
export interface Verdict {
  readonly claim: Claim
  readonly cited: ReadonlyArray<Cited>
  /** Every objection, one sentence each; none when the claim holds. */
  readonly objections: ReadonlyArray<string>
}

/** Which results may be cited; all of the session unless it says otherwise. */
export interface Bounds {
  /** The stamps that whoever claims was shown: others are not there yet, or not for it. */
  readonly shown?: ReadonlySet<string> | undefined
}

/** Checks claims against the log. */
export class Evidence extends Context.Service<Evidence, {
  /** What is wrong with the claims, one sentence each; empty when all hold. */
  readonly check: (
    session: Claims.SessionId,
    claims: ReadonlyArray<Claim>,
    bounds?: Bounds
  ) => Effect.Effect<ReadonlyArray<string>, Log.LogError>
  /** The same claim by claim, with what stands behind each. */
  readonly examine: (
    session: Claims.SessionId,
    claims: ReadonlyArray<Claim>,
    bounds?: Bounds
  ) => Effect.Effect<ReadonlyArray<Verdict>, Log.LogError>
}>()("aosiq/evidence/Evidence") {}

/** Whether acts with these capabilities read something of the world: not those that ask models, remember, or only compute. */
export const isGathering = (capabilities: ReadonlyArray<string>): boolean =>
  capabilities.some((name) => !name.startsWith("backend:") && !name.startsWith("memory:"))

/** The checker over a log. */
export const layer: Layer.Layer<Evidence, never, Log.Log | Digest.Digest> = Layer.effect(
  Evidence,
  Effect.gen(function*() {
    const log = yield* Log.Log
    const digest = yield* Digest.Digest

    /** A payload as a value, if it is what was recorded. */
    const payload = Effect.fnUntraced(function*(hash: Digest.Hash) {
      const text = yield* log.payload(hash)
      if (Option.isNone(text)) return Result.fail("erased")
      const json = digest.sha256(text.value) === hash ? readJson(text.value) : Option.none()
      return Option.isSome(json) ? Result.succeed(json.value) : Result.fail("altered")
    })

    /** What is recorded behind a stamp, or why there is nothing to cite. */
    const recorded = Effect.fnUntraced(function*(
      past: ReadonlyMap<string, ReadonlyArray<Row.Row>>,
      stamp: string,
      shown: Bounds["shown"]
    ): Effect.fn.Return<Source | Nothing, Log.LogError> {
      const slash = stamp.lastIndexOf("/")
      const rows = past.get(stamp.slice(0, slash))
      if (rows === undefined) return { why: `${stamp} is not a stamp of this session` }
      const row = rows.find(({ seq }) => String(seq) === stamp.slice(slash + 1))
      const body = row?.body
      if (row === undefined || (body?.kind !== "outcome" && !isAnswer(body))) {
        return { why: `${stamp} is not the outcome of an act` }
      }
      if (shown !== undefined && !shown.has(stamp)) return { why: `${stamp} is not a result that was shown here` }
      if (body.kind === "outcome" && body.status !== "succeeded") {
        return { why: `${stamp} is an act that ${body.status}` }
      }
      if (body.result === null) return { why: `${stamp} has no result` }
      const intent = rows.find(({ seq }) => seq === body.intent)
      if (!isWhole(digest, row) || intent?.body.kind !== "intent" || !isWhole(digest, intent)) {
        return { why: `the row of ${stamp} was altered` }
      }
      if (body.kind === "outcome" && body.usage !== undefined) return { why: `${stamp} is a model's own answer` }
      if (!isGathering(intent.body.capabilities)) {
        return { why: `${stamp} is no evidence: ${body.act} reads nothing but what this session has` }
      }
      const result = yield* payload(body.result)
      if (Result.isFailure(result)) return { why: `the result behind ${stamp} was ${result.failure}` }
      const value = Redact.json(result.success)
      const args = yield* payload(intent.body.args)
      const asked = Result.getOrElse(args, (): Schema.Json => null)
      return {
        act: body.act,
        at: row.at,
        result: { value, text: digest.canonical(value) },
        asked: { value: asked, text: digest.canonical(asked) }
      }
    })

    const cite = (citation: Citation, source: Source | Nothing): Taken => {
      const words = Extract.words(citation)
      if ("why" in source) return { cited: { citation, words, source: null, extract: null, why: source.why } }
      const { act, asked, at, result } = source
      const from = { act, at, args: Redact.redact(asked.text), recorded: result.text }
      const taken = Extract.take(citation, result, digest.canonical)
      return Result.isFailure(taken)
        ? { cited: { citation, words, source: from, extract: null, why: taken.failure } }
        : {
          cited: { citation, words, source: from, extract: taken.success.said, why: "" },
          taken: taken.success,
          isEcho: isEcho(citation, asked)
        }
    }

    const examine = Effect.fnUntraced(function*(
      session: Claims.SessionId,
      claims: ReadonlyArray<Claim>,
      { shown }: Bounds = {}
    ) {
      const own = claims.length === 0 ? [] : yield* log.rows(session)
      const before = yield* Lineage.before(log, own)
      const past = new Map<string, ReadonlyArray<Row.Row>>([
        ...before.map(({ rows, session }) => [session, rows] as const),
        [session, own]
      ])
      const known = new Map<string, Source | Nothing>()
      const verdicts: Array<Verdict> = []
      for (const claim of claims) {
        const all: Array<Taken> = []
        for (const citation of claim.evidence) {
          const source = known.get(citation.stamp) ?? (yield* recorded(past, citation.stamp, shown))
          known.set(citation.stamp, source)
          all.push(cite(citation, source))
        }
        verdicts.push({ claim, cited: all.map(({ cited }) => cited), objections: objections(claim, all) })
      }
      return verdicts
    })

    return Evidence.of({
      examine,
      check: (session, claims, bounds) =>
        Effect.map(examine(session, claims, bounds), (verdicts) => [
          ...new Set(verdicts.flatMap((verdict) => verdict.objections))
        ])
    })
  })
)

// internal

/** There is nothing to cite. */
interface Nothing {
  readonly why: string
}

/** A result, and what its act was asked with. */
interface Source {
  readonly act: string
  readonly at: number
  readonly result: Extract.Recorded
  readonly asked: Extract.Recorded
}

interface Taken {
  readonly cited: Cited
  readonly taken?: Extract.Extract
  /** Whether it says again what the act was asked with: that is the actor's own word. */
  readonly isEcho?: boolean
}

const objections = (claim: Claim, all: ReadonlyArray<Taken>): ReadonlyArray<string> => {
  if (all.length === 0) return [`"${claim.text}" cites nothing`]
  const broken = all.flatMap(({ cited }) => cited.why === "" ? [] : [cited.why])
  if (broken.length > 0) return broken
  const found = all.flatMap(({ isEcho, taken }) => taken === undefined || isEcho === true ? [] : [taken])
  if (found.length === 0) return [`"${claim.text}" cites only what its acts were asked with, not what they found`]
  const taken = all.flatMap(({ taken }) => taken ?? [])
  const texts = taken.flatMap(({ texts }) => texts)
  const missing = unsupported(
    claim.text,
    found.flatMap(({ texts }) => texts),
    found.flatMap(({ amounts }) => amounts)
  ).filter((figure) => isAmount(figure) || unsupported(figure, texts).length > 0)
  return missing.length === 0
    ? []
    : [`"${claim.text}" says ${missing.join(", ")}, which is not in what it cites: cite it, or leave it out`]
}

const isEcho = (citation: Citation, asked: Extract.Recorded): boolean => {
  if ("quote" in citation && citation.quote !== undefined) return Extract.standsIn(citation.quote, asked)
  const path = "path" in citation && !("count" in citation) ? citation.path : undefined
  if (path === undefined) return false
  const value = "equals" in citation ? citation.equals : "number" in citation ? citation.number : undefined
  return value !== undefined && Extract.find(asked.value, `/${Extract.fieldOf(path)}`) === value
}

/** A result that somebody gave for an act whose outcome was lost. */
const isAnswer = (body: Row.Body | undefined): body is typeof Row.Settled.Type =>
  body?.kind === "settled" && body.choice === "done"

const isWhole = (digest: Digest.Digest["Service"], { hash, prev, ...content }: Row.Row): boolean =>
  Chain.hash(digest, prev, content) === hash

const readJson = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Json))
