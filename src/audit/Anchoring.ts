/**
 * Takes anchors: reads where every chain has come to, signs it, has it kept elsewhere, and has witnesses sign it.
 * Everything here reads the log and appends to `Anchors`; it holds the signing key and no right to write the log.
 *
 * Never signs on top of what it cannot verify: an anchor that was altered, lost or signed by a stranger stops it, for
 * its next signature would vouch for a history that it did not see. Never signs two trees of one number: an anchor
 * whose fate is unknown is handed over again, byte for byte. One process anchors a log at a time.
 */
import { Clock, Context, Effect, Layer, Ref, Result, SynchronizedRef } from "effect"
import type { Claims } from "../capability/index.ts"
import * as Anchor from "./Anchor.ts"
import * as Cosigning from "./Cosigning.ts"
import { Digest } from "./Digest.ts"
import { Log, type LogError, type Summary } from "./Log.ts"
import * as Merkle from "./Merkle.ts"
import * as Note from "./Note.ts"
import { version } from "./Row.ts"
import { Signer, type SignerError, Verifier } from "./Signer.ts"

/** Why no anchor was taken. */
export type AnchoringError = Anchor.AnchorError | LogError | SignerError
/** What taking anchors needs. */
export type Needs = Log | Anchor.Anchors | Signer | Verifier | Digest

/** Takes anchors one after the other, and has them signed. */
export class Anchoring extends Context.Service<Anchoring, {
  /** Anchors every head that moved since the last anchor; `undefined` when none did. */
  readonly take: Effect.Effect<Anchor.Anchor | undefined, AnchoringError>
  /** Rows that no anchor covers yet, as far as this process knows of anchors. */
  readonly pending: Effect.Effect<number, AnchoringError>
  /** Number of the newest anchor that this process knows. */
  readonly newest: Effect.Effect<number | undefined>
  /**
   * Has a witness sign the newest anchor that this process knows, and keeps what it signed beside it; gives the number.
   * `undefined` when there is no anchor.
   */
  readonly cosign: (
    peer: Cosigning.Peer
  ) => Effect.Effect<number | undefined, Cosigning.CosigningError | Anchor.AnchorError>
}>()("aosiq/audit/Anchoring") {}

/** Whose anchors are built on. */
export interface Trust {
  /** Earlier keys of this installation: anchors that they signed are built on as well. */
  readonly earlierKeys?: ReadonlyArray<Note.Key> | undefined
}

/** Over the anchors that are kept; reads them once, and afterwards only what was added. */
export const make = Effect.fnUntraced(function*(trust: Trust = {}): Effect.fn.Return<
  Anchoring["Service"],
  never,
  Needs
> {
  const log = yield* Log
  const anchors = yield* Anchor.Anchors
  const signer = yield* Signer
  const tools = { digest: yield* Digest, verifier: yield* Verifier }
  const keys = [{ name: signer.name, publicKey: signer.publicKey }, ...trust.earlierKeys ?? []]
  const known = yield* SynchronizedRef.make<Known>({ last: undefined, heads: new Map(), sizes: [], isRead: false })
  /** Since when chains may have moved, and when all of them were looked at; epoch milliseconds. */
  const looked = yield* Ref.make<Looked>({ taken: undefined, whole: undefined })
  /** Signed, and not known to be kept. */
  const draft = yield* Ref.make<Anchor.Checked | undefined>(undefined)
  /** Sizes that witnesses signed last. */
  const signed = new Map<Cosigning.Peer, number>()

  const since = Effect.fnUntraced(function*(last: Anchor.Checked | undefined, from: number) {
    const added: Array<Anchor.Checked> = []
    for (const stored of yield* anchors.list(from)) {
      const checked = Anchor.check(tools, stored, keys)
      if (Result.isFailure(checked)) return yield* inconsistent(stored, checked.failure)
      const before = added.at(-1) ?? last
      // The first of those that are read again stands on an anchor that is not.
      if ((before !== undefined || from === 0) && !Anchor.follows(tools.digest, before, checked.success)) {
        return yield* inconsistent(stored, "it does not follow the anchor before it")
      }
      added.push(checked.success)
    }
    return added
  })
  const catchUp = Effect.fnUntraced(function*(known: Known) {
    return { ...advance(known, yield* since(known.last, known.sizes.length)), isRead: true }
  })

  const sign = Effect.fnUntraced(function*(known: Known, leaves: Anchor.Anchor["leaves"]) {
    const at = yield* Clock.currentTimeMillis
    const before = known.last?.after ?? Merkle.empty
    const sequence = known.sizes.length
    const plan = { origin: signer.name, sequence, at, before, leaves }
    const { after, checkpoint } = Anchor.checkpointOf(tools.digest, plan)
    const note = yield* Note.sign(Note.formatCheckpoint(checkpoint)).pipe(Effect.provideService(Signer, signer))
    const text = Note.encode(note)
    const anchor = { v: version, sequence, at, before: Anchor.frontierOf(before), leaves, checkpoint: text } as const
    return { anchor, checkpoint, before, after }
  })
  /** Chains that may have moved: those with a new row, and now and then all, should a row have come in very late. */
  const changed = Effect.gen(function*() {
    const { taken } = yield* Ref.get(looked)
    return yield* taken === undefined ? log.sessions : log.since(taken - overlapMs)
  })
  const look = Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    yield* Ref.update(
      looked,
      ({ taken, whole }) =>
        whole === undefined || now - whole < wholeMs ? { taken, whole } : { taken: undefined, whole: undefined }
    )
    return now
  })
  const next = Effect.fnUntraced(function*(known: Known) {
    const waiting = yield* Ref.get(draft)
    if (waiting !== undefined && Anchor.follows(tools.digest, known.last, waiting)) return waiting
    const [first, ...rest] = (yield* changed).filter((session) => isMoved(known, session)).map(leafOf)
    return first === undefined ? undefined : yield* sign(known, [first, ...rest])
  })

  const take = SynchronizedRef.modifyEffect(known, (earlier) =>
    Effect.gen(function*() {
      const known = yield* catchUp(earlier)
      const now = yield* look
      const isAgain = (yield* Ref.get(draft)) !== undefined
      const checked = yield* next(known)
      const done = isAgain ? Effect.void : Ref.update(looked, ({ whole }) => ({ taken: now, whole: whole ?? now }))
      if (checked === undefined) return [yield* Effect.as(done, undefined), known] as const
      yield* Ref.set(draft, checked)
      yield* anchors.append(checked.anchor)
      yield* Ref.set(draft, undefined)
      yield* done
      return [checked.anchor, advance(known, [checked])] as const
    })).pipe(Effect.withSpan("Anchoring.take"))

  const pending = Effect.gen(function*() {
    const { heads } = yield* SynchronizedRef.updateAndGetEffect(
      known,
      (known) => known.isRead ? Effect.succeed(known) : catchUp(known)
    )
    const sessions = yield* changed
    return sessions.reduce((rows, { id, seq }) => rows + Math.max(0, seq - (heads.get(id)?.seq ?? 0)), 0)
  })

  const historyOf = ({ last, sizes }: Known): Cosigning.History<Anchor.AnchorError> | undefined =>
    last === undefined ? undefined : {
      newest: last,
      proof: Effect.fnUntraced(function*(size) {
        if (size === 0 || size >= last.before.size) return Cosigning.proofFrom(tools.digest, [last], size)
        const first = sizes.indexOf(size) + 1
        if (first === 0) return undefined
        const added = yield* since(undefined, first)
        return Cosigning.proofFrom(tools.digest, added.slice(0, sizes.length - first), size)
      }),
      later: Effect.map(
        SynchronizedRef.updateAndGetEffect(known, catchUp),
        (now) => now.sizes.length > sizes.length ? historyOf(now) : undefined
      )
    }
  const cosign = Effect.fn("Anchoring.cosign")(function*(peer: Cosigning.Peer) {
    const history = historyOf(yield* SynchronizedRef.get(known))
    if (history === undefined) return undefined
    const guess = signed.get(peer) ?? history.newest.before.size
    const { line, name, size } = yield* Cosigning.ask(tools, { peer, guess }, history)
    signed.set(peer, size)
    yield* anchors.cosign(name, line)
    return Anchor.numberOf(name)
  })

  const newest = Effect.map(SynchronizedRef.get(known), ({ last }) => last?.anchor.sequence)
  return { take, pending, newest, cosign }
})

/** Takes anchors when it is asked to; `Rounds` asks in the background. */
export const layer = (trust: Trust = {}): Layer.Layer<Anchoring, never, Needs> => Layer.effect(Anchoring, make(trust))

/** For a process whose anchors another one takes: nothing is taken here, and nothing waits. */
export const layerElsewhere: Layer.Layer<Anchoring> = Layer.succeed(Anchoring, {
  take: Effect.undefined,
  pending: Effect.succeed(0),
  newest: Effect.undefined,
  cosign: () => Effect.undefined
})

/** Takes one anchor now. */
export const take = (trust: Trust = {}): Effect.Effect<Anchor.Anchor | undefined, AnchoringError, Needs> =>
  Effect.flatMap(make(trust), (anchoring) => anchoring.take)

// internal

/** How far back rows are looked for again: clocks of writers differ, and a commit takes its time. */
const overlapMs = 300_000
/** How often all chains are looked at. */
const wholeMs = 3_600_000

interface Looked {
  readonly taken: number | undefined
  readonly whole: number | undefined
}

/** What the anchors so far say. */
interface Known {
  readonly last: Anchor.Checked | undefined
  readonly heads: ReadonlyMap<Claims.SessionId, Anchor.Leaf>
  /** How many leaves the tree had at each anchor, by number. */
  readonly sizes: ReadonlyArray<number>
  /** Whether the anchors that earlier processes took were read. */
  readonly isRead: boolean
}

const advance = (known: Known, added: ReadonlyArray<Anchor.Checked>): Known => {
  const last = added.at(-1)
  if (last === undefined) return known
  const heads = new Map(known.heads)
  for (const { anchor } of added) {
    for (const leaf of anchor.leaves) if (typeof leaf !== "string") heads.set(leaf.session, leaf)
  }
  return { ...known, last, heads, sizes: [...known.sizes, ...added.map(({ after }) => after.size)] }
}

const leafOf = ({ head, id, seq }: Summary): Anchor.Leaf => ({ session: id, seq, hash: head })

const isMoved = ({ heads }: Known, { head, id, seq }: Summary): boolean => seq > 0 && heads.get(id)?.hash !== head

const inconsistent = (stored: Anchor.Stored, detail: string) =>
  new Anchor.AnchorError({
    reason: new Anchor.Inconsistent({
      name: stored.name,
      detail,
      remedy: "verify the log; if the anchor is of an earlier key of yours, name that key in `earlierKeys`"
    })
  })
