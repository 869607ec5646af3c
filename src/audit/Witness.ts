/**
 * A witness: a server of somebody else's that signs a checkpoint only when it begins with every tree that it signed of
 * that log before. Whoever rewrites a history, with whatever keys, cannot get the new one signed.
 *
 * It remembers one checkpoint of each log, the newest. What it answers is decided here; where it remembers is `Memory`,
 * which must be durable before an answer leaves. Requests are judged and remembered one after the other: two of them
 * judged against the same memory could be signed both, and contradict each other.
 * Source: c2sp.org/tlog-witness.
 */
import { Clock, Context, Effect, Option, Result, Schema, Semaphore } from "effect"
import { Base64 } from "effect/encoding"
import * as Cosignature from "./Cosignature.ts"
import { Digest } from "./Digest.ts"
import * as Merkle from "./Merkle.ts"
import * as Note from "./Note.ts"
import { Signer, type SignerError, Verifier } from "./Signer.ts"

/** Hashes in a proof, at most: no tree is higher. */
export const maxProof = 63
/** Characters of a request, at most. */
export const maxRequest = 64 * 1024

/** What a log asks: `checkpoint`, a signed note, begins with the tree of size `old` that the witness signed last. */
export interface Request {
  readonly old: number
  readonly proof: Merkle.Proof
  readonly checkpoint: string
}

/** What a witness remembers of a log: the newest checkpoint that it signed, as a note of the log's. */
export const Seen = Schema.Struct({
  origin: Schema.String,
  size: Schema.Natural,
  /** 32 bytes, base64. */
  root: Schema.String,
  checkpoint: Schema.String
})
export type Seen = typeof Seen.Type

/** It could not be read or written what was signed last, so nothing is signed. */
export class MemoryError extends Schema.TaggedError<MemoryError>()("MemoryError", {
  detail: Schema.String,
  remedy: Schema.String
}) {}

/** What a witness remembers. */
export class Memory extends Context.Service<Memory, {
  readonly newest: (origin: string) => Effect.Effect<Option.Option<Seen>, MemoryError>
  /** Remembers in the place of what was remembered of that log; durable once it returns. */
  readonly remember: (seen: Seen) => Effect.Effect<void, MemoryError>
}>()("aosiq/audit/Witness/Memory") {}

/** An answer in the protocol's terms; `body` ends in a newline or is empty. */
export interface Answer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422
  readonly body: string
}

/** Answers logs. */
export interface Witness {
  readonly key: Note.Key
  /** Judges one request; an error means that nothing was signed. */
  readonly add: (request: string) => Effect.Effect<Answer, MemoryError | SignerError>
  /** The newest checkpoint of a log, signed anew as of now: for whoever wants to know what the witness knows. */
  readonly newest: (origin: string) => Effect.Effect<Option.Option<string>, MemoryError | SignerError>
}

/** A witness for the logs that hold one of `logs`, keys by origin, and for no other. */
export const make = Effect.fnUntraced(function*(
  logs: ReadonlyArray<Note.Key>
): Effect.fn.Return<Witness, never, Digest | Memory | Signer | Verifier> {
  const memory = yield* Memory
  const signer = yield* Signer
  const tools = { digest: yield* Digest, verifier: yield* Verifier }
  const turn = yield* Semaphore.make(1)

  const sign = Effect.fnUntraced(function*(text: string) {
    const at = Math.floor((yield* Clock.currentTimeMillis) / 1000)
    return yield* Effect.provideService(Cosignature.sign(tools.digest, text, at), Signer, signer)
  })

  const add = Effect.fnUntraced(function*(text: string) {
    const request = parseRequest(text)
    if (Result.isFailure(request)) return refusal(400, request.failure)
    const opened = open(tools, logs, request.success)
    if (Result.isFailure(opened)) return opened.failure
    const { checkpoint, note } = opened.success
    const { origin, root, size } = checkpoint
    const last = yield* memory.newest(origin)
    const refused = judge(tools.digest, request.success, checkpoint, Option.getOrUndefined(last))
    if (refused !== undefined) return refused
    // What is signed already may be signed again; what is new must be remembered first.
    const isNew = Option.isNone(last) || last.value.size !== size
    if (isNew) yield* memory.remember({ origin, root, size, checkpoint: Note.encode(note) })
    const line = yield* sign(note.text)
    return { status: 200 as const, body: `${line}\n` }
  })

  const newest = Effect.fnUntraced(function*(origin: string) {
    const last = yield* memory.newest(origin)
    const note = Option.flatMap(last, ({ checkpoint }) => Option.getSuccess(Note.decode(checkpoint)))
    if (Option.isNone(note) || Option.isNone(last)) return Option.none()
    const line = yield* sign(note.value.text)
    return Option.some(`${last.value.checkpoint}${line}\n`)
  })

  return {
    key: { name: signer.name, publicKey: signer.publicKey },
    add: (request) => turn.withPermit(add(request)),
    newest: (origin) => turn.withPermit(newest(origin))
  }
})

/** The body of a request. */
export const formatRequest = ({ checkpoint, old, proof }: Request): string =>
  `old ${old}\n${proof.map((hash) => `${Base64.encode(hash)}\n`).join("")}\n${checkpoint}`

/** Reads the body of a request; says what is wrong with it. Nothing in it is verified yet. */
export const parseRequest = (body: string): Result.Result<Request, string> => {
  if (body.length > maxRequest) return Result.fail("it is too long")
  const blank = body.indexOf("\n\n")
  const [first = "", ...lines] = body.slice(0, Math.max(0, blank)).split("\n")
  const old = /^old (0|[1-9][0-9]{0,15})$/.exec(first)?.[1]
  if (old === undefined || !Number.isSafeInteger(Number(old))) return Result.fail("it does not begin with the old size")
  if (lines.length > maxProof) return Result.fail(`more than ${maxProof} hashes`)
  const proof = lines.map(hashOf)
  if (!proof.every((hash) => hash !== undefined)) return Result.fail("the proof is not of hashes in base64")
  return Result.succeed({ old: Number(old), proof, checkpoint: body.slice(blank + 2) })
}

/** Remembers in memory: for tests of logs. A witness that forgets is none. */
export const makeMemory = (): Memory["Service"] => {
  const seen = new Map<string, Seen>()
  return {
    newest: (origin) => Effect.sync(() => Option.fromUndefinedOr(seen.get(origin))),
    remember: (one) => Effect.sync(() => void seen.set(one.origin, one))
  }
}

// internal

const refusal = (status: Exclude<Answer["status"], 200>, why: string): Answer => ({ status, body: `${why}\n` })

/** The checkpoint, when a log that is known signed it, and the note without what others signed. */
const open = (
  tools: { readonly digest: Digest["Service"]; readonly verifier: Verifier["Service"] },
  logs: ReadonlyArray<Note.Key>,
  { checkpoint }: Request
): Result.Result<{ readonly checkpoint: Note.Checkpoint; readonly note: Note.Note }, Answer> =>
  Result.gen(function*() {
    const malformed = (error: Note.NoteError) => refusal(400, Note.explain(error))
    const note = yield* Result.mapError(Note.decode(checkpoint), malformed)
    const read = yield* Result.mapError(Note.parseCheckpoint(note.text), malformed)
    const keys = logs.filter(({ name }) => name === read.origin)
    if (keys.length === 0) return yield* Result.fail(refusal(404, "this log is not known here"))
    yield* Result.mapError(Note.verified(tools, note, keys), (error) => refusal(403, Note.explain(error)))
    const isOurs = ({ id, name }: Note.Signature) =>
      keys.some((key) => key.name === name && Note.keyId(tools.digest, key) === id)
    return { checkpoint: read, note: { text: note.text, signatures: note.signatures.filter(isOurs) } }
  })

/** Why the checkpoint is not signed, if it is not. */
const judge = (
  digest: Digest["Service"],
  request: Request,
  checkpoint: Note.Checkpoint,
  last: Seen | undefined
): Answer | undefined => {
  const { size } = checkpoint
  if (request.old > size) return refusal(400, "the old size is larger than the new one")
  if (request.old !== (last?.size ?? 0)) return refusal(409, String(last?.size ?? 0))
  const root = rootOf(checkpoint.root)
  if (last !== undefined && last.size === size && !Merkle.same(root, rootOf(last.root))) {
    return refusal(409, String(size))
  }
  return isGrown(digest, request, { size, root }, last)
    ? undefined
    : refusal(422, "the proof does not show that the tree only grew")
}

const isGrown = (
  digest: Digest["Service"],
  { proof }: Request,
  later: { readonly size: number; readonly root: Merkle.Hash },
  last: Seen | undefined
): boolean => {
  // Every tree begins with the empty one, and the empty one has one root.
  if (last === undefined || last.size === 0) {
    return proof.length === 0 && (later.size > 0 || Merkle.same(later.root, Merkle.root(digest, Merkle.empty)))
  }
  const earlier = { size: last.size, root: rootOf(last.root) }
  return Merkle.isConsistent(digest, { earlier, later, proof })
}

const rootOf = (base64: string): Merkle.Hash => Result.getOrElse(Base64.decode(base64), () => new Uint8Array())

const hashOf = (line: string): Merkle.Hash | undefined => {
  const bytes = Result.getOrUndefined(Base64.decode(line))
  return bytes?.length === 32 && Base64.encode(bytes) === line ? bytes : undefined
}
