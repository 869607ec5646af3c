/** What the diagnostic actors brought back, with the stamps to cite it by, and the questions rules ask of it. */
import type { Evidence } from "../../evidence/index.ts"
import type { Proposal } from "../../proposal/index.ts"
import type { RuledOut, Scenario } from "./Advice.ts"
import type { Configuration, Drift, Thresholds } from "./Diagnostics.ts"
import type { LogDigest, Pattern } from "./LogDigest.ts"
import type { Reading } from "./Reading.ts"
import type { Signal } from "./Source.ts"

/** A result and the stamp of the act that brought it. */
export interface Stamped<A> {
  readonly stamp: string
  readonly value: A
}

/** The evidence of one diagnosis. */
export interface CaseFile {
  readonly thresholds: ReadonlyArray<Stamped<Thresholds>>
  readonly logs: ReadonlyArray<Stamped<LogDigest>>
  readonly settings: ReadonlyArray<Stamped<Configuration>>
}

/** One cause that the evidence speaks for. */
export interface Hypothesis {
  readonly scenario: Scenario
  /** How strongly, 0 to 1. */
  readonly strength: number
  readonly severity: Proposal.Severity
  readonly title: string
  readonly summary: string
  readonly claims: ReadonlyArray<Evidence.Claim>
  readonly actions: ReadonlyArray<Proposal.ProposedAction>
  readonly risks: ReadonlyArray<string>
}

/** A fault outside the six, or one that is over: shown, never acted on. */
export interface Elsewhere {
  readonly nature: string
  readonly strength: number
  readonly severity: Proposal.Severity
  readonly summary: string
  readonly claims: ReadonlyArray<Evidence.Claim>
}

/** What speaks against a cause. */
export type Ruled = typeof RuledOut.Type

/** A fact of the file with the claim that states it. */
export interface Fact<A> {
  readonly value: A
  readonly claim: Evidence.Claim
}

const facts = <A extends { readonly said: string }>(stamp: string, values: ReadonlyArray<A>): ReadonlyArray<Fact<A>> =>
  values.map((value) => ({ value, claim: { text: value.said, evidence: [{ stamp, quote: value.said }] } }))

/** Readings of the given signals; of all when none is named. */
export const readings = (file: CaseFile, ...signals: ReadonlyArray<Signal>): ReadonlyArray<Fact<Reading>> =>
  file.thresholds.flatMap(({ stamp, value }) =>
    facts(stamp, value.readings.filter((reading) => signals.length === 0 || signals.includes(reading.signal)))
  )

/** Readings that break their limit now. */
export const breaches = (file: CaseFile, ...signals: ReadonlyArray<Signal>): ReadonlyArray<Fact<Reading>> =>
  readings(file, ...signals).filter(({ value }) => value.breached)

/** Log patterns whose last line matches, the most lines first. */
export const patterns = (file: CaseFile, matching: RegExp): ReadonlyArray<Fact<Pattern>> =>
  file.logs.flatMap(({ stamp, value }) => facts(stamp, value.patterns.filter(({ sample }) => matching.test(sample))))

/** Settings that left their baseline. */
export const drift = (file: CaseFile): ReadonlyArray<Fact<Drift>> =>
  file.settings.flatMap(({ stamp, value }) => facts(stamp, value.drift))

/** When the first measurement left its limit, epoch milliseconds; `null` when none did. */
export const broken = (file: CaseFile): { readonly from: number } | null => {
  const starts = file.thresholds.flatMap(({ value }) => value.readings.flatMap((reading) => reading.breachedAt ?? []))
  return starts.length === 0 ? null : { from: Math.min(...starts) }
}

/** The claims of some facts, at most `limit`. */
export const claims = (found: ReadonlyArray<Fact<unknown>>, limit = 6): ReadonlyArray<Evidence.Claim> =>
  found.slice(0, limit).map((fact) => fact.claim)
