/** What an agent ends with: a structured statement for people to review. Kinds of proposals extend these fields. */
import { Predicate, Schema } from "effect"
import { Evidence } from "../evidence/index.ts"

/** How bad it is while nothing is done, from least to worst. */
export const severities = ["info", "low", "medium", "high", "critical"] as const
export const Severity = Schema.Literals(severities)
export type Severity = typeof Severity.Type

/** Stated probability, 0 to 1, that the conclusion is right. */
export const Confidence = Schema.Finite.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 1 })))

/** Something a person could do. An agent never does it by proposing it. */
export const ProposedAction = Schema.Struct({
  what: Schema.NonEmptyString,
  why: Schema.NonEmptyString,
  reversible: Schema.Boolean,
  /** A command or setting, verbatim, when there is one. */
  how: Schema.NullOr(Schema.String)
})
export type ProposedAction = typeof ProposedAction.Type

/** The fields every proposal has. */
export const base = {
  title: Schema.NonEmptyString,
  summary: Schema.NonEmptyString,
  severity: Severity,
  confidence: Confidence,
  claims: Schema.Array(Evidence.Claim),
  risks: Schema.Array(Schema.String)
}

/** A proposal of any kind, by the fields that all have. */
export const Base = Schema.Struct(base)
export type Base = typeof Base.Type

/** The claims in a value's field `claims`; none where it has no such field, or one of other things. */
export const claimsOf = (value: unknown): ReadonlyArray<Evidence.Claim> =>
  Predicate.hasProperty(value, "claims") && isClaims(value.claims) ? value.claims : []

/** Whether a value has a `severity`, and it is that bad or worse. */
export const isAtLeast = (least: Severity) => (value: unknown): boolean =>
  Predicate.hasProperty(value, "severity") && isSeverity(value.severity) &&
  severities.indexOf(value.severity) >= severities.indexOf(least)

// internal

const isClaims = Schema.is(Schema.Array(Evidence.Claim))
const isSeverity = Schema.is(Severity)
