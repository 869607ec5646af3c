/** The proposals of sessions, each claim with what stands behind it: taken anew from what was recorded, whenever asked. */
import { Effect, Option, Schema } from "effect"
import type { Log } from "../audit/index.ts"
import { Claims } from "../capability/index.ts"
import type { Evidence } from "../evidence/index.ts"
import { Proposal } from "../proposal/index.ts"

/** A citation, and what became of it. */
const Cited = Schema.Struct({
  stamp: Schema.String,
  /** What it cites, in words. */
  cites: Schema.String,
  /** The act that brought it, with its arguments and result, secrets redacted, and when, epoch milliseconds. */
  act: Schema.NullOr(Schema.String),
  at: Schema.NullOr(Schema.Natural),
  args: Schema.NullOr(Schema.String),
  recorded: Schema.NullOr(Schema.String),
  /** What was taken from there; `null` when it does not hold. */
  extract: Schema.NullOr(Schema.String),
  /** Why it does not hold; empty when it does. */
  why: Schema.String
})

/** See the header. */
export const ProposalView = Schema.Struct({
  session: Claims.SessionId,
  actor: Schema.String,
  title: Schema.String,
  summary: Schema.String,
  severity: Proposal.Severity,
  confidence: Proposal.Confidence,
  claims: Schema.Array(Schema.Struct({
    text: Schema.String,
    evidence: Schema.Array(Cited),
    /** None when the claim holds. */
    objections: Schema.Array(Schema.String)
  })),
  risks: Schema.Array(Schema.String)
})
export type ProposalView = typeof ProposalView.Type

/** The proposals that a session and all below it ended with, oldest session first. */
export const of = Effect.fnUntraced(function*(
  log: Log.Log["Service"],
  evidence: Evidence.Evidence["Service"],
  session: Claims.SessionId
) {
  const sessions = yield* log.page({ within: session, hasResult: true, limit: Number.MAX_SAFE_INTEGER })
  const found: Array<ProposalView> = []
  for (const { actor, id, result } of sessions) {
    if (result === null) continue
    const text = yield* log.payload(result)
    const proposal = Option.flatMap(text, read)
    if (Option.isNone(proposal)) continue
    const verdicts = yield* evidence.examine(id, proposal.value.claims)
    found.push({ ...proposal.value, session: id, actor, claims: verdicts.map(claimView) })
  }
  return found
})

// internal

const read = Schema.decodeUnknownOption(Schema.fromJsonString(Proposal.Base))

const claimView = ({ cited, claim, objections }: Evidence.Verdict): ProposalView["claims"][number] => ({
  text: claim.text,
  objections,
  evidence: cited.map(({ citation, extract, source, why, words }) => ({
    stamp: citation.stamp,
    cites: words,
    act: source?.act ?? null,
    at: source?.at ?? null,
    args: source?.args ?? null,
    recorded: source?.recorded ?? null,
    extract,
    why
  }))
})
