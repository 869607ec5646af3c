/**
 * What a capability token says. A token's claims only ever shrink on the way down: a child's are the intersection of its
 * parent's and what was asked for, in every claim.
 *
 * Times are epoch seconds (RFC 7519 §2), money is micro-dollars, `depth` is how many further delegations are allowed.
 */
import { Result, Schema } from "effect"
import * as Capability from "./Capability.ts"

/** Identifies one token; what a revocation names. */
export const TokenId = Schema.NonEmptyString.pipe(Schema.brand("TokenId"))
export type TokenId = typeof TokenId.Type

/** Identifies one session: one run of one actor, with one chain. */
export const SessionId = Schema.NonEmptyString.pipe(Schema.brand("SessionId"))
export type SessionId = typeof SessionId.Type

/** Ceilings of what a session starts: its sandbox runs, and its children. A child may lower them but not lift them. */
export const Limits = Schema.Struct({
  cpuMs: Schema.Natural,
  memoryMiB: Schema.Natural,
  outputBytes: Schema.Natural,
  wallMs: Schema.Natural,
  /** Children that one session may start, over all its runs; `standardFanOut` when left out. */
  children: Schema.optionalKey(Schema.Natural),
  /** Sessions below the root of the tree that may live when one more is started; `standardFanOut` when left out. */
  descendants: Schema.optionalKey(Schema.Natural)
})
export type Limits = typeof Limits.Type

/** How many sessions may be started below one. */
export interface FanOut {
  readonly children: number
  readonly descendants: number
}
/** What a token that says nothing of it admits. */
export const standardFanOut: FanOut = { children: 64, descendants: 256 }
/** What a token admits. */
export const fanOut = ({ children, descendants }: Pick<Limits, "children" | "descendants">): FanOut => ({
  children: children ?? standardFanOut.children,
  descendants: descendants ?? standardFanOut.descendants
})

/** Everything a token says, decoded; *not yet verified* unless it came out of `Tokens.verify`. */
export const Claims = Schema.Struct({
  iss: Schema.NonEmptyString,
  aud: Schema.NonEmptyString,
  /** The actor's class. */
  sub: Schema.NonEmptyString,
  sid: SessionId,
  jti: TokenId,
  /** Every token above this one, root first; revoking any of them revokes this. */
  anc: Schema.Array(TokenId),
  iat: Schema.Natural,
  exp: Schema.Natural,
  depth: Schema.Natural,
  capabilities: Schema.Array(Capability.Name),
  backends: Schema.Array(Schema.NonEmptyString),
  budget: Schema.Natural,
  limits: Limits
})
export type Claims = typeof Claims.Type

/** What a delegation asks for; a claim left out asks for all the parent has. */
export interface Ask {
  readonly sub: string
  readonly sid: SessionId
  readonly jti: TokenId
  readonly iat: number
  readonly exp?: number | undefined
  readonly depth?: number | undefined
  readonly capabilities?: ReadonlyArray<Capability.Name> | undefined
  readonly backends?: ReadonlyArray<string> | undefined
  readonly budget?: number | undefined
  readonly limits?: Partial<Limits> | undefined
}

/** The parent may not delegate any further; no child was made. */
export class DepthExhausted extends Schema.TaggedError<DepthExhausted>()("DepthExhausted", { parent: TokenId }) {}

/** Child = parent ∩ asked. Never wider in any claim; fails only when the parent may not delegate at all. */
export const narrow = (parent: Claims, ask: Ask): Result.Result<Claims, DepthExhausted> =>
  parent.depth === 0 ? Result.fail(new DepthExhausted({ parent: parent.jti })) : Result.succeed({
    iss: parent.iss,
    aud: parent.aud,
    sub: ask.sub,
    sid: ask.sid,
    jti: ask.jti,
    anc: [...parent.anc, parent.jti],
    iat: Math.max(parent.iat, ask.iat),
    exp: least(parent.exp, ask.exp),
    depth: least(parent.depth - 1, ask.depth),
    capabilities: ask.capabilities === undefined ? parent.capabilities : meetAll(parent.capabilities, ask.capabilities),
    backends: ask.backends === undefined
      ? parent.backends
      : parent.backends.filter((name) => ask.backends?.includes(name)),
    budget: least(parent.budget, ask.budget),
    limits: {
      cpuMs: least(parent.limits.cpuMs, ask.limits?.cpuMs),
      memoryMiB: least(parent.limits.memoryMiB, ask.limits?.memoryMiB),
      outputBytes: least(parent.limits.outputBytes, ask.limits?.outputBytes),
      wallMs: least(parent.limits.wallMs, ask.limits?.wallMs),
      children: least(fanOut(parent.limits).children, ask.limits?.children),
      descendants: least(fanOut(parent.limits).descendants, ask.limits?.descendants)
    }
  })

/** Whether the claims admit `wanted`. */
export const admits = (claims: Claims, wanted: Capability.Name): boolean =>
  claims.capabilities.some((held) => Capability.covers(held, wanted))

// internal

/** A ceiling that is not a whole, positive number asks for nothing at all: refuse closed. */
const least = (held: number, asked: number | undefined): number =>
  asked === undefined ? held : Math.max(0, Math.min(held, Number.isFinite(asked) ? Math.floor(asked) : 0))

const meetAll = (held: ReadonlyArray<Capability.Name>, asked: ReadonlyArray<Capability.Name>) => {
  const met = asked.flatMap((want) => held.flatMap((have) => Capability.intersect(have, want) ?? []))
  return [...new Set(met)]
}
