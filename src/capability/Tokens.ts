/**
 * Signs and verifies capability tokens. A token is a compact JWT; what it says is worth nothing until `verify` returned.
 *
 * One algorithm (EdDSA) and one `typ` (`aosiq+jwt`) are accepted, and the key is looked up by `kid` among our own keys,
 * never taken from the token. Source: RFC 8725 §3.1, §3.11.
 */
import { Context, type Effect, Schema } from "effect"
import type { Claims, SessionId } from "./Claims.ts"

/** Not a token of ours in shape: nothing in it was believed. */
export class Malformed extends Schema.TaggedError<Malformed>()("Malformed", { detail: Schema.String }) {}
/** No key of ours signed it. */
export class Untrusted extends Schema.TaggedError<Untrusted>()("Untrusted", { detail: Schema.String }) {}
/** Past its expiry, or before its start. */
export class OutOfTime extends Schema.TaggedError<OutOfTime>()("OutOfTime", { detail: Schema.String }) {}
/** Signed by us, for someone else or somewhere else. */
export class Misdirected extends Schema.TaggedError<Misdirected>()("Misdirected", { detail: Schema.String }) {}
/** The one error of this module; the act that carried the token did not run, and a retry with it cannot help. */
export class TokenError extends Schema.TaggedError<TokenError>()("TokenError", {
  reason: Schema.Union([Malformed, Untrusted, OutOfTime, Misdirected])
}) {}

/** Issues and checks tokens with the keys of this installation. */
export class Tokens extends Context.Service<Tokens, {
  /** The `iss` and `aud` of every token of this installation. */
  readonly issuer: string
  readonly audience: string
  /** Signs `claims` with the newest key. */
  readonly mint: (claims: Claims) => Effect.Effect<string>
  /** Checks signature, type, issuer, audience, time and session, in that order; a signature once checked is cached. */
  readonly verify: (token: string, session: SessionId) => Effect.Effect<Claims, TokenError>
}>()("aosiq/capability/Tokens") {}
