/**
 * The one hash of the product: SHA-256 over canonical JSON (RFC 8785). Synchronous, because a governed act hashes four
 * times and must cost less than a tenth of a millisecond.
 */
import { Context, Schema } from "effect"

/** SHA-256, 64 lower-case hex digits. */
export const Hash = Schema.String.pipe(
  Schema.check(Schema.isPattern(/^[0-9a-f]{64}$/)),
  Schema.brand("Hash")
)
export type Hash = typeof Hash.Type

/** Sixty-four zeros: what stands before the first row of a chain. */
export const zero: Hash = Hash.make("0".repeat(64))

/** Canonicalises and hashes. */
export class Digest extends Context.Service<Digest, {
  /** RFC 8785 text of a JSON value. */
  readonly canonical: (value: Schema.Json) => string
  /** SHA-256 of the UTF-8 bytes of a text. */
  readonly sha256: (text: string) => Hash
  /** SHA-256 of raw bytes, as bytes: for Merkle trees. */
  readonly sha256Bytes: (bytes: Uint8Array) => Uint8Array
}>()("aosiq/audit/Digest") {}
