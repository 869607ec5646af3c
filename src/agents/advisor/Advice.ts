/** The advisor's proposal: one of four honest outcomes. Only a fault it knows may propose actions. */
import { Schema } from "effect"
import { Proposal } from "../../proposal/index.ts"

/** The faults the advisor knows. */
export const scenarios = [
  "job_queue_backlog",
  "disk_space_exhaustion",
  "connection_pool_exhaustion",
  "configuration_drift",
  "recurring_error_spike",
  "performance_regression"
] as const
export const Scenario = Schema.Literals(scenarios)
export type Scenario = typeof Scenario.Type

/** A cause that was considered, and what speaks against it. */
export const RuledOut = Schema.Struct({ cause: Schema.NonEmptyString, because: Schema.NonEmptyString })

const none = { actions: Schema.optionalKey(Schema.Never) }

/** One of the six scenarios, with what people could do. */
export const Fault = Schema.Struct({
  ...Proposal.base,
  outcome: Schema.Literal("fault"),
  scenario: Scenario,
  /** Scenarios that hold beside the main one. */
  contributing: Schema.Array(Scenario),
  ruledOut: Schema.Array(RuledOut),
  actions: Schema.Array(Proposal.ProposedAction)
})
/** A fault that is none of the six: named, shown, and left to people who know it. */
export const OutOfScope = Schema.Struct({
  ...Proposal.base,
  ...none,
  outcome: Schema.Literal("out_of_scope"),
  /** What it seems to be, in the evidence's own words. */
  nature: Schema.NonEmptyString,
  ruledOut: Schema.Array(RuledOut)
})
/** Nothing is wrong now. */
export const NoFault = Schema.Struct({
  ...Proposal.base,
  ...none,
  outcome: Schema.Literal("no_fault"),
  ruledOut: Schema.Array(RuledOut)
})
/** The evidence does not decide. */
export const Inconclusive = Schema.Struct({
  ...Proposal.base,
  ...none,
  outcome: Schema.Literal("inconclusive"),
  /** What would have to be read. */
  missing: Schema.Array(Schema.String)
})

export const Advice = Schema.Union([Fault, OutOfScope, NoFault, Inconclusive])
export type Advice = typeof Advice.Type

/** What the advisor is asked. */
export const Request = Schema.Struct({
  title: Schema.String,
  description: Schema.String
})
export type Request = typeof Request.Type
