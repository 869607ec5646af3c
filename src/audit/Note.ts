/**
 * Signed notes: a text, a blank line, and signature lines. Checkpoints: the notes in which a log states its size and
 * root. They are the formats of existing transparency logs, so that their witnesses and tools can read and co-sign
 * ours.
 *
 * A note proves nothing until `verified` returned; keys come from outside the note.
 * Source: c2sp.org/signed-note, c2sp.org/tlog-checkpoint.
 */
import { Bytes, Effect, Result, Schema } from "effect"
import { Base64, Hex } from "effect/encoding"
import type { Digest } from "./Digest.ts"
import { Signer, type SignerError, type Verifier } from "./Signer.ts"

/** A public key and the name it signs under. `publicKey` is 32 bytes, base64. */
export interface Key {
  readonly name: string
  readonly publicKey: string
}

/** What a key signs: notes (Ed25519, type 1), or checkpoints that it watched over (co-signatures, type 4). */
export type Use = "note" | "cosignature"

/** One signature line, not yet verified. `id` is eight hex digits, `signature` base64. */
export interface Signature {
  readonly name: string
  readonly id: string
  readonly signature: string
}

/** A text that ends in a newline, and its signatures. */
export interface Note {
  readonly text: string
  readonly signatures: ReadonlyArray<Signature>
}

/** What a log says of itself. `root` is 32 bytes, base64; extension lines are opaque. */
export interface Checkpoint {
  readonly origin: string
  readonly size: number
  readonly root: string
  readonly extensions: ReadonlyArray<string>
}

/** Not written as a note, a checkpoint or a key is; nothing in it was believed. */
export class Malformed extends Schema.TaggedError<Malformed>()("Malformed", { detail: Schema.String }) {}
/** None of the given keys signed it; another key might have. */
export class UnknownSigner extends Schema.TaggedError<UnknownSigner>()("UnknownSigner", {
  signers: Schema.Array(Schema.String)
}) {}
/** A line claims to be of a given key, and is not. */
export class BadSignature extends Schema.TaggedError<BadSignature>()("BadSignature", { signer: Schema.String }) {}
/** The one error of this module; reading the same text again cannot help. */
export class NoteError extends Schema.TaggedError<NoteError>()("NoteError", {
  reason: Schema.Union([Malformed, UnknownSigner, BadSignature])
}) {}

/** Signature lines a note may carry. The format asks for at least 16. */
export const maxSignatures = 100

/** Whether keys and logs can have this name: neither spaces of any kind nor `+`. */
export const isName = (name: string): boolean =>
  // `\s` leaves out the next-line character.
  name !== "" && name.isWellFormed() && !/[\s\u0085+]/.test(name)

/**
 * First four bytes of `SHA-256(name ‖ 0x0A ‖ use ‖ public key)`, as hex. Tells keys and uses apart; proves nothing.
 */
export const keyId = (digest: Digest["Service"], key: Key, use: Use = "note"): string => {
  const publicKey = Result.getOrElse(Base64.decode(key.publicKey), () => new Uint8Array())
  const hash = digest.sha256Bytes(Bytes.concat([utf8.encode(`${key.name}\n`), uses[use], publicKey]))
  return Hex.encode(hash.subarray(0, 4))
}

/** A key as one word, `name+id+base64(use ‖ public key)`, to hand to an auditor. */
export const formatKey = (digest: Digest["Service"], key: Key, use: Use = "note"): string => {
  const publicKey = Result.getOrElse(Base64.decode(key.publicKey), () => new Uint8Array())
  return `${key.name}+${keyId(digest, key, use)}+${Base64.encode(Bytes.concat([uses[use], publicKey]))}`
}

/** Reads a key from its one-word form; a key for another use is refused. */
export const parseKey = (
  digest: Digest["Service"],
  word: string,
  use: Use = "note"
): Result.Result<Key, NoteError> => {
  const [, name, id, encoded] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(word) ?? []
  if (name === undefined || id === undefined || encoded === undefined || !isName(name)) {
    return malformed("a key is written name+id+base64")
  }
  const bytes = fromBase64(encoded)
  const [type] = uses[use]
  if (bytes === undefined || bytes.length !== 33 || bytes[0] !== type) {
    return malformed(`only Ed25519 keys are known: 33 bytes, the first of them ${type}`)
  }
  const key = { name, publicKey: Base64.encode(bytes.subarray(1)) }
  return keyId(digest, key, use) === id ? Result.succeed(key) : malformed("the id is not that of this name and key")
}

/** The note as text. */
export const encode = ({ signatures, text }: Note): string =>
  `${text}\n${signatures.map((signature) => `${formatSignature(signature)}\n`).join("")}`

/** The line of a signature, without its newline. */
export const formatSignature = (signature: Signature): string =>
  `— ${signature.name} ${Base64.encode(lineBytes(signature))}`

/** Reads one signature line, without its newline; *not yet verified*. */
export const parseSignature = (line: string): Result.Result<Signature, NoteError> => {
  const [, name, encoded] = /^— ([^ ]+) ([^ ]+)$/.exec(line) ?? []
  const bytes = encoded === undefined ? undefined : fromBase64(encoded)
  return name === undefined || bytes === undefined || bytes.length < 5 || !isName(name)
    ? malformed("it is not a signature line")
    : Result.succeed({
      name,
      id: Hex.encode(bytes.subarray(0, 4)),
      signature: Base64.encode(bytes.subarray(4))
    })
}

/** Reads a note; its signatures are *not yet verified*. */
export const decode = (note: string): Result.Result<Note, NoteError> => {
  if (!isPlain(note)) return malformed("control characters or broken Unicode")
  const blank = note.lastIndexOf("\n\n")
  if (blank <= 0 || !note.endsWith("\n")) return malformed("no blank line before the signatures")
  const lines = note.slice(blank + 2, -1).split("\n")
  if (lines.length > maxSignatures) return malformed(`more than ${maxSignatures} signatures`)
  const signatures: Array<Signature> = []
  for (const line of lines) {
    const signature = parseSignature(line)
    if (Result.isFailure(signature)) {
      return malformed(`line ${signatures.length + 1} after the blank one is not a signature`)
    }
    signatures.push(signature.success)
  }
  return Result.succeed({ text: note.slice(0, blank + 1), signatures })
}

/** Signs a text, which must end in a newline. */
export const sign = (text: string): Effect.Effect<Note, SignerError, Signer> =>
  Effect.gen(function*() {
    const signer = yield* Signer
    const signature = yield* signer.sign(text)
    return { text, signatures: [{ name: signer.name, id: signer.keyId, signature }] }
  })

/**
 * Those of `keys` that signed the note, at least one. Lines of other keys are passed over: they may be witnesses that
 * the reader does not know. A bad line of a known key spoils the note.
 */
export const verified = (
  tools: { readonly digest: Digest["Service"]; readonly verifier: Verifier["Service"] },
  note: Note,
  keys: ReadonlyArray<Key>
): Result.Result<ReadonlyArray<Key>, NoteError> => {
  const signers = new Set<Key>()
  for (const line of note.signatures) {
    const key = keys.find((key) => key.name === line.name && keyId(tools.digest, key) === line.id)
    if (key === undefined) continue
    if (!tools.verifier.verify(note.text, line.signature, key.publicKey)) {
      return Result.fail(new NoteError({ reason: new BadSignature({ signer: `${line.name}+${line.id}` }) }))
    }
    signers.add(key)
  }
  if (signers.size > 0) return Result.succeed([...signers])
  const named = note.signatures.map((line) => `${line.name}+${line.id}`)
  return Result.fail(new NoteError({ reason: new UnknownSigner({ signers: named }) }))
}

/** The text of a checkpoint, to be signed. */
export const formatCheckpoint = (checkpoint: Checkpoint): string =>
  [checkpoint.origin, checkpoint.size, checkpoint.root, ...checkpoint.extensions].map((line) => `${line}\n`).join("")

/** Reads the text of a note as a checkpoint. */
export const parseCheckpoint = (text: string): Result.Result<Checkpoint, NoteError> => {
  const [origin = "", size = "", root = "", ...rest] = text.split("\n")
  const end = rest.pop()
  if (end !== "" || origin === "" || rest.includes("")) return malformed("a checkpoint has three full lines or more")
  if (!/^(0|[1-9][0-9]{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) return malformed("no tree size")
  if (fromBase64(root)?.length !== 32) return malformed("no root of 32 bytes")
  return Result.succeed({ origin, size: Number(size), root, extensions: rest })
}

/** What went wrong, in words. */
export const explain = ({ reason }: NoteError): string => {
  switch (reason._tag) {
    case "Malformed":
      return reason.detail
    case "UnknownSigner":
      return `signed by ${reason.signers.join(", ") || "nobody"}, which is none of the given keys`
    case "BadSignature":
      return `the signature of ${reason.signer} does not fit the text`
  }
}

// internal

const utf8 = new TextEncoder()
/** The signature types, as the format numbers them. */
const uses = { note: Uint8Array.of(1), cosignature: Uint8Array.of(4) } as const

const malformed = (detail: string): Result.Result<never, NoteError> =>
  Result.fail(new NoteError({ reason: new Malformed({ detail }) }))

// eslint-disable-next-line eslint/no-control-regex -- control characters are what is looked for
const isPlain = (text: string): boolean => text.isWellFormed() && !/[\u0000-\u0009\u000b-\u001f]/.test(text)

/** Strict: one text for one value, so that nothing can be changed without a difference. */
const fromBase64 = (text: string): Uint8Array | undefined => {
  const bytes = Result.getOrUndefined(Base64.decode(text))
  return bytes !== undefined && Base64.encode(bytes) === text ? bytes : undefined
}

const lineBytes = (line: Signature): Uint8Array => {
  const bytes = [Hex.decode(line.id), Base64.decode(line.signature)]
  return Bytes.concat(bytes.map((part) => Result.getOrElse(part, () => new Uint8Array())))
}
