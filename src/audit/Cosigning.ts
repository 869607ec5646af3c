/**
 * Asks witnesses to sign the newest checkpoint. A witness signs when it is shown that the tree begins with the one that
 * it signed last; which one that was, it says itself. So a witness that was away is brought up to date with one
 * request, and one that knows another history is found out.
 * Source: c2sp.org/tlog-witness.
 */
import { Context, Effect, Layer, Result, Schema } from "effect"
import * as Anchor from "./Anchor.ts"
import * as Cosignature from "./Cosignature.ts"
import type { Digest } from "./Digest.ts"
import * as Merkle from "./Merkle.ts"
import * as Note from "./Note.ts"
import type { Tools } from "./Testimony.ts"
import * as Witness from "./Witness.ts"

/** It did not answer, or with nothing of its protocol; it may have signed all the same. A retry can help. */
export class Silent extends Schema.TaggedError<Silent>()("Silent", {
  witness: Schema.String,
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** It did not want to sign: it does not know this log or its key, or found the request wrong. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", {
  witness: Schema.String,
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** It signed a tree of `size` leaves that this history does not begin with; it did not sign this one. */
export class Contradicted extends Schema.TaggedError<Contradicted>()("Contradicted", {
  witness: Schema.String,
  size: Schema.Natural,
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** The one error of this module: there is no co-signature. */
export class CosigningError extends Schema.TaggedError<CosigningError>()("CosigningError", {
  reason: Schema.Union([Silent, Refused, Contradicted])
}) {}

/** A witness as a log reaches it. */
export interface Peer {
  readonly key: Note.Key
  /** Where it is asked, without credentials. */
  readonly place: string
  /** Hands it the body of a request; fails with `Silent` alone. */
  readonly ask: (
    request: string
  ) => Effect.Effect<{ readonly status: number; readonly body: string }, CosigningError>
}

/** The witnesses that this log asks. */
export class Witnesses extends Context.Service<Witnesses, {
  readonly peers: ReadonlyArray<Peer>
}>()("aosiq/audit/Cosigning/Witnesses") {}

/** The tree to be signed, and how it came about. */
export interface History<E> {
  readonly newest: Anchor.Checked
  /** Shows that the newest tree begins with that of `size` leaves; `undefined` when no anchor signed one of that size. */
  readonly proof: (size: number) => Effect.Effect<Merkle.Proof | undefined, E>
  /** The same history with what was added to it meanwhile; `undefined` when nothing was. */
  readonly later: Effect.Effect<History<E> | undefined, E>
}

/** A co-signature of the checkpoint of an anchor, by the anchor's name. `at` is epoch seconds, `size` of the tree. */
export interface Cosigned {
  readonly name: string
  readonly size: number
  readonly line: string
  readonly at: number
}

/** No witnesses. */
export const layerNone: Layer.Layer<Witnesses> = Layer.succeed(Witnesses, { peers: [] })

/** These witnesses. */
export const layer = (peers: ReadonlyArray<Peer>): Layer.Layer<Witnesses> => Layer.succeed(Witnesses, { peers })

/**
 * Asks a witness to sign the newest checkpoint. `guess` is the size that it signed last, as far as is known; a wrong
 * guess costs one more request.
 */
export const ask = Effect.fn("Cosigning.ask")(function*<E>(
  tools: Tools,
  to: { readonly peer: Peer; readonly guess: number },
  begun: History<E>
): Effect.fn.Return<Cosigned, CosigningError | E> {
  const { peer } = to
  let history = begun
  let old = Math.min(to.guess, history.newest.checkpoint.size)
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    // Whoever else asks for this log may have had a newer tree signed since.
    if (old > history.newest.checkpoint.size) history = (yield* history.later) ?? history
    const { anchor, checkpoint } = history.newest
    const proof = yield* history.proof(old)
    if (proof === undefined) return yield* contradicted(peer, old)
    const request = Witness.formatRequest({ old, proof, checkpoint: anchor.checkpoint })
    const { body, status } = yield* peer.ask(request)
    switch (status) {
      case 200: {
        const line = ownLine(tools, peer.key, Note.formatCheckpoint(checkpoint), body)
        return line !== undefined
          ? { ...line, name: Anchor.nameOf(anchor), size: checkpoint.size }
          : (yield* refused(peer, "it answered without a signature of its own", keyRemedy))
      }
      case 409: {
        const size = sizeIn(body)
        if (size === undefined) return yield* silent(peer, "it does not say which size it signed last")
        // It was shown the right size, and still has another tree of it.
        if (size === old) return yield* contradicted(peer, size)
        old = size
        continue
      }
      case 422:
        return yield* contradicted(peer, old)
      case 404:
        return yield* refused(
          peer,
          "it does not know this log",
          "give it this log's key, as aosiq audit keys prints it"
        )
      case 403:
        return yield* refused(peer, "it knows this log by another key", "give it the key that this log signs with now")
      case 400:
        return yield* refused(peer, `it finds the request wrong: ${firstLine(body)}`, "see which protocol it speaks")
      default:
        return yield* silent(peer, `it answered with status ${status}`)
    }
  }
  return yield* silent(peer, "others are asking it to sign for this log at the same time")
})

/** The history that anchors tell, which follow each other up to the newest; `more` gives those that came later. */
export const historyOf = <E = never>(
  digest: Digest["Service"],
  anchors: ReadonlyArray<Anchor.Checked>,
  more: Effect.Effect<ReadonlyArray<Anchor.Checked>, E> = Effect.succeed([])
): History<E> | undefined => {
  const newest = anchors.at(-1)
  return newest === undefined
    ? undefined
    : {
      newest,
      proof: (size) => Effect.sync(() => proofFrom(digest, anchors, size)),
      later: Effect.map(more, (added) => added.length === 0 ? undefined : historyOf<E>(digest, [...anchors, ...added]))
    }
}

/**
 * Shows that the tree of the last of `anchors` begins with that of `size` leaves, from the anchors that were added since:
 * all others can be left out. `undefined` when none of them was added to a tree of that size.
 */
export const proofFrom = (
  digest: Digest["Service"],
  anchors: ReadonlyArray<Anchor.Checked>,
  size: number
): Merkle.Proof | undefined => {
  const newest = anchors.at(-1)
  if (newest === undefined || size > newest.after.size) return undefined
  if (size === 0 || size === newest.after.size) return []
  const first = anchors.findIndex((anchor) => anchor.before.size === size)
  const [before, since] = [anchors[first]?.before, anchors.slice(first)]
  if (before === undefined) return undefined
  const added = since.flatMap(({ anchor }) => anchor.leaves).map((leaf) => Anchor.leafHash(digest, leaf))
  return before.size + added.length === newest.after.size ? Merkle.extension(digest, before, added) : undefined
}

/** A witness in this process, for tests of logs. */
export const peerOf = (witness: Witness.Witness, place = "here"): Peer => ({
  key: witness.key,
  place,
  ask: (request) =>
    Effect.mapError(
      witness.add(request),
      ({ detail, remedy }) => new CosigningError({ reason: new Silent({ witness: witness.key.name, detail, remedy }) })
    )
})

// internal

/** Answers of one witness within one request for a signature: others may be asking it at the same time. */
const maxAttempts = 4

const keyRemedy = "compare its key with the one configured here"

const silent = ({ key, place }: Peer, detail: string) =>
  Effect.fail(
    new CosigningError({
      reason: new Silent({
        witness: key.name,
        detail: `the witness ${key.name} at ${place}: ${detail}`,
        remedy: "see that a witness is there, and reachable from here"
      })
    })
  )

const refused = ({ key, place }: Peer, detail: string, remedy: string) =>
  Effect.fail(
    new CosigningError({
      reason: new Refused({ witness: key.name, detail: `the witness ${key.name} at ${place}: ${detail}`, remedy })
    })
  )

const contradicted = ({ key, place }: Peer, size: number) =>
  Effect.fail(
    new CosigningError({
      reason: new Contradicted({
        witness: key.name,
        size,
        detail: `the witness ${key.name} at ${place} signed a tree of ${size} leaves that this history does not have`,
        remedy: "either log and anchors were rewritten or an older copy of them was restored: compare with a bundle"
      })
    })
  )

const sizeIn = (body: string): number | undefined => {
  const size = /^(0|[1-9][0-9]{0,15})\n?$/.exec(body)?.[1]
  return size !== undefined && Number.isSafeInteger(Number(size)) ? Number(size) : undefined
}

const firstLine = (body: string): string => (body.split("\n")[0] ?? "").slice(0, 200)

/** The line among those answered that the witness signed with the key it is known by; others are passed over. */
const ownLine = (tools: Tools, key: Note.Key, text: string, body: string) => {
  for (const line of body.split("\n").slice(0, Note.maxSignatures)) {
    const read = Cosignature.parse(line)
    if (Result.isFailure(read) || Cosignature.keyOf(tools.digest, read.success, [key]) === undefined) continue
    if (Cosignature.isOf(tools.verifier, text, read.success, key)) return { line, at: read.success.at }
  }
  return undefined
}
