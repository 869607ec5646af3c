/**
 * A caller: a person or a program that uses the runtime from outside, under a name of its own. Its role says which
 * operations it may ask for, its ceiling what the sessions that it starts may hold at the most. It shows who it is by a
 * token, of which only the hash is kept; the token's id is no secret and names it. Or it is known by a subject of an issuer,
 * or by a certificate: those are credentials as well.
 *
 * Everything here is data and pure; `Callers` keeps it. Instants are epoch milliseconds.
 */
import { Option, Schema } from "effect"
import { Person } from "../approval/index.ts"
import { Digest } from "../audit/index.ts"
import type { Capability, Grant } from "../capability/index.ts"
import type { Store } from "../governor/index.ts"
import * as KnownBy from "./KnownBy.ts"
import * as Schedule from "./Schedule.ts"

/** What a caller is there for: it looks; it runs sessions; it decides; it does all of that and lets others in. */
export const Role = Schema.Literals(["viewer", "operator", "approver", "admin"])
export type Role = typeof Role.Type

/** What a caller is called, on record and in its account. */
export const Name = Schema.String.check(
  Schema.isPattern(/^[a-z0-9][a-z0-9._@-]{0,63}$/, { expected: "a name of lower-case letters, digits and . _ @ -" })
).pipe(Schema.brand("CallerName"))
export type Name = typeof Name.Type

/** The most that a session may hold which a caller starts. */
export const Ceiling = Schedule.Grant
export type Ceiling = typeof Ceiling.Type

/** What an operator asks for. */
export const Definition = Schema.Struct({ name: Name, role: Role, ceiling: Ceiling })
export type Definition = typeof Definition.Type

/** A caller as it is kept. */
export const Caller = Schema.Struct({
  ...Definition.fields,
  createdBy: Schema.NonEmptyString,
  createdAt: Schema.Natural,
  /** Since when it is let in no more; `null` while it is. */
  revokedAt: Schema.NullOr(Schema.Natural),
  /** The group that let it in: its role and ceiling are those of the group, for as long as it is in one. */
  group: Schema.optionalKey(Schema.NonEmptyString)
})
export type Caller = typeof Caller.Type

/** One token of a caller, without the token; or what it is known by beside tokens. */
export const Credential = Schema.Struct({
  /** The part of the token that is shown. */
  id: Schema.NonEmptyString,
  caller: Name,
  /** SHA-256 of the secret part, or of what else it is known by. */
  hash: Digest.Hash,
  /** What is shown, where it is no token. */
  knownBy: Schema.optionalKey(KnownBy.KnownBy),
  createdAt: Schema.Natural,
  /** From then on it is no good any more; `null` for no such instant. */
  expiresAt: Schema.NullOr(Schema.Natural)
})
export type Credential = typeof Credential.Type

/** A credential as operators see it. */
export const CredentialView = Schema.Struct({
  id: Schema.NonEmptyString,
  knownBy: Schema.optionalKey(KnownBy.KnownBy),
  createdAt: Schema.Natural,
  expiresAt: Schema.NullOr(Schema.Natural)
})

/** Bytes of the secret part: as many as its hash has. */
export const secretBytes = 32
/** Bytes of the id. */
export const idBytes = 6
/** Callers of one installation. */
export const maxCallers = 1000
/** Tokens of one caller that are good at the same time, and as many subjects and certificates. */
export const maxCredentials = 8

/** The token of a credential, as its caller shows it. */
export const tokenOf = (id: string, secret: string): string => `${prefix}${id}_${secret}`

/** The parts of a token; nothing when it is none of ours. Says nothing about whether it is good. */
export const parse = (token: string): Option.Option<{ readonly id: string; readonly secret: string }> => {
  const [, id, secret] = grammar.exec(token) ?? []
  return id === undefined || secret === undefined ? Option.none() : Option.some({ id, secret })
}

/** Whether two hashes are the same, in a time that says nothing about where they differ. */
export const isSameHash = (one: Digest.Hash, other: Digest.Hash): boolean => {
  let difference = one.length ^ other.length
  for (let at = 0; at < one.length; at++) difference |= one.charCodeAt(at) ^ other.charCodeAt(at % other.length)
  return difference === 0
}

/** Whether a token is good at `now`. */
export const isGood = ({ expiresAt }: Pick<Credential, "expiresAt">, now: number): boolean =>
  expiresAt === null || now < expiresAt

/** Why nobody is let in under that name beside those there are; `null` when somebody may be. */
export const objection = (name: Name, others: ReadonlyArray<string>): string | null => {
  const other = [...reserved, ...others].find((taken) => Person.isSame(name, taken))
  if (other === undefined) return Person.fault(name)
  return other === name ? `${name} is there already` : `${name} may be taken for ${other}`
}

/** The grant of a session that the caller starts: what was asked for, as far as its ceiling goes. */
export const grantFor = (ceiling: Ceiling, ask: Ask): Pick<Grant<string>, "names" | "terms"> => {
  const held = Schedule.grantOf(ceiling)
  // Whatever the ceiling does not cover is dropped by `narrow`.
  return held.narrow((ask.capabilities ?? held.names) as ReadonlyArray<never>, {
    ...ask.budgetMicroUsd === undefined ? {} : { budgetMicroUsd: ask.budgetMicroUsd },
    ...ask.lifetimeSeconds === undefined ? {} : { lifetimeSeconds: ask.lifetimeSeconds }
  })
}

/** What a dispatch asks for; what is left out asks for all that the ceiling holds. */
export interface Ask {
  readonly capabilities?: ReadonlyArray<Capability.Name> | undefined
  readonly budgetMicroUsd?: number | undefined
  readonly lifetimeSeconds?: number | undefined
}

/** The caller as it is kept, from the version that was read; 0 lets it in. */
export const keep = (caller: Caller, version = 0): Store.Change => ({
  kind: "caller",
  id: caller.name,
  version,
  next: {
    owner: "",
    state: caller.revokedAt === null ? "active" : "revoked",
    at: caller.createdAt,
    value: encode(caller)
  }
})

/** The credential as it is kept. */
export const keepCredential = (credential: Credential, version = 0): Store.Change => ({
  kind: "credential",
  id: credential.id,
  version,
  next: { owner: credential.caller, state: "kept", at: credential.createdAt, value: encodeCredential(credential) }
})

/** A kept caller; nothing when it is none. */
export const read = ({ value, version }: Store.Kept): Option.Option<{ caller: Caller; version: number }> =>
  Option.map(decode(value), (caller) => ({ caller, version }))

/** A kept credential; nothing when it is none. */
export const readCredential = (
  { value, version }: Store.Kept
): Option.Option<{ credential: Credential; version: number }> =>
  Option.map(decodeCredential(value), (credential) => ({ credential, version }))

/** Role and ceiling as the text that the chain has the hash of. */
export const textOf = (digest: Digest.Digest["Service"], { ceiling, name, role }: Definition): string =>
  digest.canonical(encodeDefinition({ name, role, ceiling }))

// internal

const prefix = "aosiq_"
/** Base64url without padding: 32 bytes are 43 characters. */
const grammar = /^aosiq_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/

/** Names that the runtime goes by in rows. */
const reserved = ["aosiq", "installation", "governor", "probe"]

const encode = Schema.encodeSync(Schema.toCodecJson(Caller))
const decode = Schema.decodeUnknownOption(Schema.toCodecJson(Caller))
const encodeCredential = Schema.encodeSync(Schema.toCodecJson(Credential))
const decodeCredential = Schema.decodeUnknownOption(Schema.toCodecJson(Credential))
const encodeDefinition = Schema.encodeSync(Schema.toCodecJson(Definition))
