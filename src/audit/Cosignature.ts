/**
 * Co-signatures: what a witness adds to a checkpoint. It says: at this time, the largest tree of this log that I have
 * seen has this root, and it begins with every tree of the log that I signed before.
 *
 * A co-signature is one signature line, without its newline. Its time is epoch seconds, and stands between the key's id
 * and the 64 bytes of Ed25519: the same line is a signature of any note that carries the checkpoint. A key for
 * co-signatures has an id of its own, so that the same public key cannot be taken for a log's.
 * Source: c2sp.org/tlog-cosignature, the Ed25519 kind.
 */
import { Bytes, Effect, Result } from "effect"
import { Base64, Hex } from "effect/encoding"
import type { Digest } from "./Digest.ts"
import * as Note from "./Note.ts"
import { Signer, type SignerError, type Verifier } from "./Signer.ts"

/** A co-signature as read: *not yet verified*. `at` is epoch seconds, `signature` base64. */
export interface Cosignature {
  readonly name: string
  readonly id: string
  readonly at: number
  readonly signature: string
}

/** Reads a witness's key from its one-word form, `name+id+base64(0x04 ‖ public key)`. */
export const parseKey = (digest: Digest["Service"], word: string): Result.Result<Note.Key, Note.NoteError> =>
  Note.parseKey(digest, word, "cosignature")

/** A witness's key as one word. */
export const formatKey = (digest: Digest["Service"], key: Note.Key): string =>
  Note.formatKey(digest, key, "cosignature")

/** What is signed: the checkpoint's text after two lines of our own. */
export const message = (text: string, at: number): string => `cosignature/v1\ntime ${at}\n${text}`

/** Signs the text of a checkpoint; gives the line. */
export const sign = Effect.fnUntraced(function*(
  digest: Digest["Service"],
  text: string,
  at: number
): Effect.fn.Return<string, SignerError, Signer> {
  const signer = yield* Signer
  const signature = yield* signer.sign(message(text, at))
  return format({ name: signer.name, id: Note.keyId(digest, signer, "cosignature"), at, signature })
})

/** The line of a co-signature. */
export const format = ({ at, id, name, signature }: Cosignature): string => {
  const time = new Uint8Array(8)
  new DataView(time.buffer).setBigUint64(0, BigInt(at))
  const bytes = Result.getOrElse(Base64.decode(signature), () => new Uint8Array())
  return Note.formatSignature({ name, id, signature: Base64.encode(Bytes.concat([time, bytes])) })
}

/** Reads a line; *not yet verified*. */
export const parse = (line: string): Result.Result<Cosignature, Note.NoteError> =>
  Result.flatMap(Note.parseSignature(line), ({ id, name, signature }) => {
    const bytes = Result.getOrElse(Base64.decode(signature), () => new Uint8Array())
    const at = bytes.length === size ? new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0) : tooLate
    return at >= tooLate
      ? Result.fail(new Note.NoteError({ reason: new Note.Malformed({ detail: "it is not a co-signature" }) }))
      : Result.succeed({ name, id, at: Number(at), signature: Base64.encode(bytes.subarray(8)) })
  })

/** The one of `keys` whose line this is, if any; whether it signed is another question. */
export const keyOf = (
  digest: Digest["Service"],
  { id, name }: Pick<Cosignature, "id" | "name">,
  keys: ReadonlyArray<Note.Key>
): Note.Key | undefined => keys.find((key) => key.name === name && Note.keyId(digest, key, "cosignature") === id)

/** Whether `key` signed the text of the checkpoint at the time that the co-signature says. */
export const isOf = (
  verifier: Verifier["Service"],
  text: string,
  cosignature: Cosignature,
  key: Note.Key
): boolean => verifier.verify(message(text, cosignature.at), cosignature.signature, key.publicKey)

/**
 * Where a store keeps the line beside its anchor: one place for each key. Two keys that share one, by an accident of one
 * in four billion, are kept apart by nothing: the first is kept.
 */
export const slotOf = (line: string): string | undefined => {
  const read = Result.getOrUndefined(parse(line))
  return read === undefined ? undefined : `${read.id}-${Hex.encode(new TextEncoder().encode(read.name)).slice(0, 48)}`
}

// internal

/** Eight bytes of time, 64 of signature. */
const size = 72
/** Times that a number cannot hold are not believed. */
const tooLate = 2n ** 53n
