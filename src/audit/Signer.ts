/**
 * Who signs anchors, and who checks it. Signing needs a private key and happens where anchors are taken; checking needs
 * a public key and happens anywhere, offline. Keys are Ed25519 (RFC 8032); keys and signatures travel as base64.
 */
import { Context, type Effect, Schema } from "effect"

/** Nothing was signed. */
export class SignerError extends Schema.TaggedError<SignerError>()("SignerError", {
  detail: Schema.String,
  remedy: Schema.String
}) {}

/** Holds the private key of one installation. */
export class Signer extends Context.Service<Signer, {
  /** The origin of its anchors, such as `aosiq/berlin`: one name for one tree, without spaces and `+`. */
  readonly name: string
  /** 32 bytes, base64. */
  readonly publicKey: string
  /** Eight hex digits that tell keys of one name apart; see `Note.keyId`. */
  readonly keyId: string
  /** Signs the UTF-8 bytes of a text; 64 bytes, base64. */
  readonly sign: (text: string) => Effect.Effect<string, SignerError>
}>()("aosiq/audit/Signer") {}

/** Checks signatures; holds no secret. */
export class Verifier extends Context.Service<Verifier, {
  /** Whether the holder of `publicKey` signed `text`; `false` for anything that is not a signature or not a key. */
  readonly verify: (text: string, signature: string, publicKey: string) => boolean
}>()("aosiq/audit/Signer/Verifier") {}
