/**
 * A standing rule approves acts before they are asked for: for a time, a number of times, and no more than its terms
 * admit. One use is consumed in the transaction of one intent. Its terms never change; another rule is made instead.
 *
 * proposed → standing → revoked. A rule that is used up or out of time stands no more, without a word. Instants are epoch
 * milliseconds.
 */
import { JsonPointer, Result, Schema } from "effect"
import { Digest } from "../audit/index.ts"
import { Capability, Claims } from "../capability/index.ts"
import * as Person from "./Person.ts"
import type { Policy } from "./Policy.ts"
import { Vote } from "./Ticket.ts"

/** Short enough to be typed by hand. */
export const RuleId = Schema.NonEmptyString.pipe(Schema.brand("RuleId"))
export type RuleId = typeof RuleId.Type

/** The most acts that one rule may approve. */
export const maxUses = 10_000
/** The longest that a rule may stand: thirty days. */
export const maxLifetimeMs = 2_592_000_000
/** Constraints of one rule, and values of one constraint. */
export const maxConstraints = 100

/** A place in the arguments. Source: RFC 6901. */
export const Pointer = Schema.String.pipe(Schema.check(Schema.isPattern(/^(?:\/(?:[^~/]|~[01])*)*$/)))

/** The value at a place must be one of these, exactly. A place that is not there has no value. */
export const Constraint = Schema.Struct({
  at: Pointer,
  oneOf: Schema.NonEmptyArray(Schema.Json).pipe(Schema.check(Schema.isMaxLength(maxConstraints)))
})
export type Constraint = typeof Constraint.Type

/** What a rule approves. An act must fit all of it. */
export const Terms = Schema.Struct({
  /** The actor's class, or `*` for any. */
  actor: Schema.NonEmptyString,
  /** The act's name, or `*` for any. */
  act: Schema.NonEmptyString,
  /** Every capability that the act exercises must be covered by one of these. */
  capabilities: Schema.NonEmptyArray(Capability.Name),
  where: Schema.Array(Constraint).pipe(Schema.check(Schema.isMaxLength(maxConstraints))),
  /** Hash of the tool's definition, as a ticket shows it; `null` for any definition of that name. */
  definition: Schema.NullOr(Digest.Hash),
  maxUses: Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 1, maximum: maxUses }))),
  expiresAt: Schema.Natural
})
export type Terms = typeof Terms.Type

export const State = Schema.Literals(["proposed", "standing", "revoked"])
export type State = typeof State.Type

export const Rule = Schema.Struct({
  id: RuleId,
  terms: Terms,
  /** Hash of `id` and `terms`: what an approver was shown. */
  binding: Digest.Hash,
  /** Version of the policy that it was made under; it applies under no other. */
  policy: Schema.String,
  state: State,
  /** Whoever made it, first, and those who agreed. */
  votes: Schema.Array(Vote),
  /** Uses consumed so far. */
  uses: Schema.Natural,
  createdAt: Schema.Natural,
  revoked: Schema.NullOr(Schema.Struct({ by: Schema.NonEmptyString, reason: Schema.String, at: Schema.Natural }))
})
export type Rule = typeof Rule.Type

/** One act that a rule approved. `use` counts from 1; `session` and `seq` are the stamp of the intent. */
export const Use = Schema.Struct({
  rule: RuleId,
  use: Schema.Natural,
  session: Claims.SessionId,
  seq: Schema.Natural,
  at: Schema.Natural
})
export type Use = typeof Use.Type

/** An act, as rules look at it. */
export interface Asked {
  readonly actor: string
  readonly act: string
  readonly capabilities: ReadonlyArray<Capability.Name>
  readonly definition: Digest.Hash
  readonly args: Schema.Json
  /** For whom the session runs. */
  readonly caller: string
}

/** The hash of what a rule says. */
export const bindingOf = (digest: Digest.Digest["Service"], rule: Pick<Rule, "id" | "terms">): Digest.Hash =>
  digest.sha256(digest.canonical({ id: rule.id, terms: rule.terms }))

/** A rule that `vote` makes: standing when that is approval enough. */
export const make = (
  digest: Digest.Digest["Service"],
  policy: Policy,
  made: { readonly id: RuleId; readonly terms: Terms; readonly vote: Vote }
): Rule => ({
  id: made.id,
  terms: made.terms,
  binding: bindingOf(digest, made),
  policy: policy.version,
  state: policy.approvers <= 1 ? "standing" : "proposed",
  votes: [made.vote],
  uses: 0,
  createdAt: made.vote.at,
  revoked: null
})

/** The rule after one more approval, or why it takes none. */
export const approve = (policy: Policy, rule: Rule, vote: Vote): Result.Result<Rule, string> => {
  const why = closed(rule, vote.at) ?? Person.fault(vote.by)
  if (why !== null) return Result.fail(why)
  if (rule.policy !== policy.version) return Result.fail(`it was made under policy ${rule.policy}`)
  if (rule.votes.some((cast) => Person.isSame(cast.by, vote.by))) return Result.fail(`${vote.by} has already decided`)
  const votes = [...rule.votes, vote]
  return Result.succeed({ ...rule, votes, state: votes.length >= policy.approvers ? "standing" : "proposed" })
}

/** Whether another act may use it at `now`. */
export const isUsable = (rule: Rule, now: number): boolean =>
  rule.state === "standing" && now < rule.terms.expiresAt && rule.uses < rule.terms.maxUses

/** How it stands at `now`, in a word or two. */
export const standing = (rule: Rule, now: number): string => {
  if (rule.state === "revoked") return "revoked"
  if (now >= rule.terms.expiresAt) return "expired"
  return rule.uses >= rule.terms.maxUses ? "used up" : rule.state
}

/**
 * Whether the rule is approval enough for the act under `policy`: as many people as the policy wants, none of them the
 * one who asked where that may not be.
 */
export const suffices = (policy: Policy, rule: Rule, caller: string): boolean =>
  rule.policy === policy.version && rule.votes.length >= policy.approvers &&
  (policy.requesterMayApprove || !rule.votes.some(({ by }) => Person.isSame(by, caller)))

/** Whether the act is one of those that the terms approve. */
export const admits = (digest: Digest.Digest["Service"], { terms }: Rule, asked: Asked): boolean =>
  (terms.actor === "*" || terms.actor === asked.actor) &&
  (terms.act === "*" || terms.act === asked.act) &&
  (terms.definition === null || terms.definition === asked.definition) &&
  asked.capabilities.length > 0 &&
  asked.capabilities.every((wanted) => terms.capabilities.some((held) => Capability.covers(held, wanted))) &&
  terms.where.every((constraint) => holds(digest, constraint, asked.args))

// internal

const closed = (rule: Rule, now: number): string | null => {
  const state = standing(rule, now)
  return state === "proposed" ? null : state === "standing" ? "it stands already" : `it is ${state}`
}

const holds = (digest: Digest.Digest["Service"], { at, oneOf }: Constraint, args: Schema.Json): boolean => {
  const value = resolve(args, at)
  if (value === undefined) return false
  const text = digest.canonical(value)
  return oneOf.some((allowed) => digest.canonical(allowed) === text)
}

/** What stands at a pointer; an own member or an element that is there, and nothing else. */
const resolve = (json: Schema.Json, pointer: string): Schema.Json | undefined =>
  pointer.split("/").slice(1).map(JsonPointer.unescapeToken).reduce<Schema.Json | undefined>(step, json)

const step = (value: Schema.Json | undefined, token: string): Schema.Json | undefined => {
  if (typeof value !== "object" || value === null) return undefined
  if (Array.isArray(value)) return /^(?:0|[1-9]\d{0,8})$/.test(token) ? value[Number(token)] : undefined
  return Object.hasOwn(value, token) ? (value as Schema.JsonObject)[token] : undefined
}
