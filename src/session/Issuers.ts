/**
 * Issuers of tokens that the operator trusts to say who somebody is (OpenID Connect). A token says who and in which groups;
 * whom that lets in is for the records of callers and for the rules of the operator to say.
 *
 * The contract alone; a layer reads the settings, fetches keys and verifies.
 */
import { Context, Effect, type Redacted, Schema } from "effect"
import * as Caller from "./Caller.ts"
import type * as KnownBy from "./KnownBy.ts"

/** Whoever is in the group has the role and the ceiling. */
export const Rule = Schema.Struct({
  group: Schema.NonEmptyString.check(Schema.isMaxLength(300)),
  role: Caller.Role,
  ceiling: Caller.Ceiling
})

/** How signatures are made. None with a shared secret, and none that is no signature. */
export const Algorithm = Schema.Literals([
  "EdDSA",
  "ES256",
  "ES384",
  "ES512",
  "PS256",
  "PS384",
  "PS512",
  "RS256",
  "RS384",
  "RS512"
])
export type Algorithm = typeof Algorithm.Type

/** What is said of one issuer. Everything but the first two may be left out. */
export const Issuer = Schema.Struct({
  /** As its tokens and its discovery document spell it; `https`, or `http` on this machine. */
  issuer: Schema.NonEmptyString.check(Schema.isMaxLength(300)),
  /** What its tokens for this installation are made out to. */
  audience: Schema.NonEmptyString.check(Schema.isMaxLength(300)),
  algorithms: Schema.optionalKey(Schema.NonEmptyArray(Algorithm)),
  /** Types of token that are taken; `at+jwt` alone unless it says otherwise. Source: RFC 9068 §4. */
  types: Schema.optionalKey(Schema.NonEmptyArray(Schema.NonEmptyString)),
  /** How far its clock and ours may differ, seconds. */
  skewSeconds: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 300 }))),
  /** Where its keys are, when that is not under the issuer's own address. */
  jwksUri: Schema.optionalKey(Schema.NonEmptyString),
  /** What programs ask it for when people sign in by them (OAuth scopes). Nothing here depends on them. */
  scopes: Schema.optionalKey(
    Schema.Array(Schema.NonEmptyString.check(Schema.isPattern(/^[\x21\x23-\x5b\x5d-\x7e]+$/)))
  ),
  /** Lets in whoever is in a group, under the claim `name`; the first rule that fits counts. */
  groups: Schema.optionalKey(Schema.Struct({
    claim: Schema.NonEmptyString,
    /** The claim that callers are named by; without it their names are made of their subjects. */
    name: Schema.optionalKey(Schema.NonEmptyString),
    rules: Schema.Array(Rule)
  }))
})
export type Issuer = typeof Issuer.Type

export const Settings = Schema.Struct({ version: Schema.Literal(1), issuers: Schema.Array(Issuer) })
export type Settings = typeof Settings.Type

/** The place that the rules give somebody, who has no record of their own. */
export interface Place {
  /** What the issuer calls them, as it stands; `null` when the settings take no name from it. */
  readonly name: string | null
  readonly group: string
  readonly role: Caller.Role
  readonly ceiling: Caller.Ceiling
}

/** What a token that verifies says. */
export interface Vouched {
  readonly knownBy: KnownBy.Subject
  readonly place: Place | null
  /** From then on the token is no good any more, epoch milliseconds, the skew among them. */
  readonly until: number
}

/** The token does not verify, or is not meant for us. */
export class Unfit extends Schema.TaggedError<Unfit>()("Unfit", { detail: Schema.String, remedy: Schema.String }) {}
/** The issuer's keys cannot be had, so that nothing is known of the token. A retry can help. */
export class Unreachable extends Schema.TaggedError<Unreachable>()("Unreachable", {
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** The one error of this module. Nobody was let in. */
export class IssuerError extends Schema.TaggedError<IssuerError>()("IssuerError", {
  reason: Schema.Union([Unfit, Unreachable])
}) {
  override get message(): string {
    return `${this.reason.detail}; ${this.reason.remedy}`
  }
}

/** Verifies tokens of issuers. */
export interface Issuers {
  /** Where to sign in: them, as their tokens spell them, and what programs ask them for. */
  readonly signIn: { readonly issuers: ReadonlyArray<string>; readonly scopes: ReadonlyArray<string> }
  readonly verify: (token: Redacted.Redacted) => Effect.Effect<Vouched, IssuerError>
}

/** The issuers in force: none, unless a layer says otherwise. */
export const Current = Context.Reference<Issuers>("aosiq/session/Issuers/Current", {
  defaultValue: () => ({
    signIn: { issuers: [], scopes: [] },
    verify: () =>
      Effect.fail(
        new IssuerError({
          reason: new Unfit({
            detail: "the token is none of this installation's, and no other issuer is trusted",
            remedy: "show a token that aosiq callers add gave, or have the issuer named in AOSIQ_OIDC"
          })
        })
      )
  })
})

/** The place of somebody in these groups, whom the issuer calls `name`. */
export const placeOf = (
  { groups }: Issuer,
  { groups: found, name }: { readonly groups: ReadonlyArray<string>; readonly name: string | null }
): Place | null => {
  const rule = groups?.rules.find(({ group }) => found.includes(group))
  return rule === undefined ? null : { ...rule, name }
}
