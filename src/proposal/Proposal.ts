/** What an agent ends with: a structured statement for people to review. Kinds of proposals extend these fields. */
import { Schema } from "effect"
import { Evidence } from "../evidence/index.ts"

/** How bad it is while nothing is done. */
export const Severity = Schema.Literals(["info", "low", "medium", "high", "critical"])
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
