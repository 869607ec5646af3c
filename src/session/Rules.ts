/**
 * What people do about standing rules: make one, agree to it, revoke it, see what it approved. The rows about it are in the
 * chain of the installation; each use is named by the intent of the act that it approved.
 */
import { Clock, Context, Effect, Layer, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { Gate, Person, Rule } from "../approval/index.ts"
import { Digest } from "../audit/index.ts"
import { Governor, Store } from "../governor/index.ts"
import { Redact } from "../trust/index.ts"
import * as Installation from "./Installation.ts"
import { outside } from "./Outside.ts"

/** There is no such rule. */
export class NoSuchRule extends Schema.TaggedError<NoSuchRule>()("NoSuchRule", {
  rule: Schema.String,
  remedy: Schema.String
}) {}
/** The rule cannot be made, approved or revoked, or this person may not. Nothing was changed. */
export class NotRuled extends Schema.TaggedError<NotRuled>()("NotRuled", {
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** An actor tried to rule. People do, at the doors of the runtime. Nothing was changed. */
export class InsideActor extends Schema.TaggedError<InsideActor>()("InsideActor", { session: Schema.String }) {}
/** The log did not answer. */
export class Unrecorded extends Schema.TaggedError<Unrecorded>()("Unrecorded", { detail: Schema.String }) {}
/** The one error of this module. */
export class RuleError extends Schema.TaggedError<RuleError>()("RuleError", {
  reason: Schema.Union([NoSuchRule, NotRuled, InsideActor, Unrecorded])
}) {
  override get message(): string {
    const { reason } = this
    switch (reason._tag) {
      case "NoSuchRule":
        return `there is no rule ${reason.rule}; ${reason.remedy}`
      case "NotRuled":
        return `${reason.detail}; ${reason.remedy}`
      case "InsideActor":
        return `session ${reason.session} may not make or change rules: people do`
      case "Unrecorded":
        return reason.detail
    }
  }
}

/** A rule to make. Whoever makes it is the first who approves. */
export interface Order {
  readonly terms: Rule.Terms
  readonly by: string
  readonly reason: string
}

/** A rule, how it stands now, and the acts that it approved. */
export interface RuleView {
  readonly rule: Rule.Rule
  readonly standing: string
  readonly uses: ReadonlyArray<Rule.Use>
}

/** The desk where standing rules are made. */
export class Rules extends Context.Service<Rules, {
  /** Every rule there ever was, oldest first, with the acts that it approved. */
  readonly list: Effect.Effect<ReadonlyArray<RuleView>, RuleError>
  /** Makes a rule; it stands once as many people have approved as the policy wants. */
  readonly make: (order: Order) => Effect.Effect<Rule.Rule, RuleError>
  /** Approves a rule, as it was shown. */
  readonly approve: (vote: {
    readonly rule: string
    readonly binding: Digest.Hash
    readonly by: string
    readonly reason: string
  }) => Effect.Effect<Rule.Rule, RuleError>
  /** Revokes a rule at once: no act begins by it after this. */
  readonly revoke: (order: {
    readonly rule: string
    readonly by: string
    readonly reason: string
  }) => Effect.Effect<Rule.Rule, RuleError>
}>()("aosiq/session/Rules") {}

/** Rules that may stand at once: each act that cannot be undone is held against all of them. */
export const maxStanding = 500
/** Characters of a reason; more are cut off. */
export const maxReason = 2000

/** The desk over a store, with the gate's policy. */
export const layer: Layer.Layer<
  Rules,
  never,
  Store.Store | Digest.Digest | Gate.Gate | Governor | SecureRandom.SecureRandom
> = Layer.effect(
  Rules,
  Effect.gen(function*() {
    const store = yield* Store.Store
    const digest = yield* Digest.Digest
    const random = yield* SecureRandom.SecureRandom
    const { mode } = yield* Governor
    const { policy } = yield* Gate.Gate
    const asPerson = outside((session) => new RuleError({ reason: new InsideActor({ session }) }))

    /** The chain that rules are recorded in is begun with the first of them. */
    const begun = Installation.begun({ store, digest, mode })

    const commit = (commit: Store.MakeRule | Store.ApproveRule | Store.RevokeRule) =>
      store.commit(commit).pipe(
        Effect.catchIf(
          (error) => commit._tag === "MakeRule" && Installation.why(error) === "no_such_session",
          () => Effect.andThen(begun, store.commit(commit))
        ),
        Effect.catch((error) => Effect.fail(refused(commit.rule, error))),
        Effect.flatMap(({ rule }) =>
          rule === undefined ? Effect.die("a rule was changed into none") : Effect.succeed(rule)
        )
      )

    const signed = (by: string, reason: string) => {
      const name = Person.normalise(by)
      const fault = Person.fault(name)
      return fault === null
        ? Effect.succeed({ by: name, reason: Redact.words(reason, maxReason) })
        : fail(new NotRuled({ detail: fault, remedy: "say who decides" }))
    }

    const make = Effect.fnUntraced(function*({ by, reason, terms }: Order) {
      const vote = { ...(yield* signed(by, reason)), approve: true }
      const now = yield* Clock.currentTimeMillis
      const rules = yield* Effect.mapError(store.rules(now), unrecorded)
      if (rules.length >= maxStanding) {
        const detail = `${rules.length} rules stand already`
        return yield* fail(new NotRuled({ detail, remedy: "revoke those that are not needed" }))
      }
      return yield* commit({ _tag: "MakeRule", rule: yield* ruleId(random), terms, policy, vote })
    })

    return Rules.of({
      list: Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const rules = yield* Effect.mapError(store.rules(), unrecorded)
        return yield* Effect.forEach(rules, (rule) =>
          Effect.map(
            rule.uses === 0 ? Effect.succeed([]) : Effect.mapError(store.uses(rule.id), unrecorded),
            (uses) => ({ rule, standing: Rule.standing(rule, now), uses })
          ))
      }),
      make: (order) => asPerson(make(order)),
      approve: ({ binding, by, reason, rule }) =>
        asPerson(Effect.flatMap(signed(by, reason), (vote) =>
          commit({
            _tag: "ApproveRule",
            rule: Rule.RuleId.make(rule),
            binding,
            policy,
            vote: { ...vote, approve: true }
          }))),
      revoke: ({ by, reason, rule }) =>
        asPerson(
          Effect.flatMap(signed(by, reason), (vote) =>
            commit({ _tag: "RevokeRule", rule: Rule.RuleId.make(rule), ...vote }))
        )
    })
  })
)

// internal

const fail = (reason: RuleError["reason"]) => Effect.fail(new RuleError({ reason }))

const refused = (rule: string, error: Store.StoreError): RuleError => {
  const { reason } = error
  if (reason._tag !== "Rejected") return unrecorded(error)
  const remedy = "see aosiq approvals rules list"
  return new RuleError({
    reason: reason.why === "no_such_rule" || reason.why === "no_such_session"
      ? new NoSuchRule({ rule, remedy })
      : new NotRuled({ detail: reason.detail, remedy })
  })
}

const unrecorded = (error: Store.StoreError): RuleError =>
  new RuleError({ reason: new Unrecorded({ detail: error.reason.detail }) })

/** Eight characters of base 32 without look-alikes, as tickets have. */
const ruleId = (random: SecureRandom.SecureRandom["Service"]) =>
  Effect.map(
    random.randomBytes(8),
    (bytes) => Rule.RuleId.make(`R${[...bytes].map((byte) => "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[byte % 32]).join("")}`)
  )
