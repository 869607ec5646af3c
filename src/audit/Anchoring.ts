/**
 * Takes anchors: reads where every chain has come to, signs it, and has it kept elsewhere. Everything here reads the
 * log and appends to `Anchors`; it holds the signing key and no right to write the log.
 *
 * Never signs on top of what it cannot verify: an anchor that was altered, lost or signed by a stranger stops it, for
 * its next signature would vouch for a history that it did not see.
 */
import { Clock, Duration, Effect, Layer, Result, Schedule, SynchronizedRef } from "effect"
import type { Scope } from "effect"
import type { Claims } from "../capability/index.ts"
import * as Anchor from "./Anchor.ts"
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

/** Takes anchors one after the other. */
export interface Anchoring {
  /** Anchors every head that moved since the last anchor; `undefined` when none did. */
  readonly take: Effect.Effect<Anchor.Anchor | undefined, AnchoringError>
  /** Rows that no anchor covers yet. */
  readonly pending: Effect.Effect<number, AnchoringError>
}

/** Whose anchors are built on. */
export interface Trust {
  /** Earlier keys of this installation: anchors that they signed are built on as well. */
  readonly earlierKeys?: ReadonlyArray<Note.Key> | undefined
}

/** How often anchors are taken. */
export interface Cadence extends Trust {
  /** The longest that a row stays without an anchor while this process runs. */
  readonly every: Duration.Input
  /** Anchors earlier, once this many rows wait for it. */
  readonly rows?: number | undefined
  /** How often the rows that wait are counted; a second unless set. Only with `rows`. */
  readonly look?: Duration.Input | undefined
}

/** Over the anchors that are kept; reads them once, and afterwards only what was added. */
export const make = Effect.fnUntraced(function*(trust: Trust = {}): Effect.fn.Return<Anchoring, never, Needs> {
  const log = yield* Log
  const anchors = yield* Anchor.Anchors
  const signer = yield* Signer
  const tools = { digest: yield* Digest, verifier: yield* Verifier }
  const keys = [{ name: signer.name, publicKey: signer.publicKey }, ...trust.earlierKeys ?? []]
  const known = yield* SynchronizedRef.make<Known>({ last: undefined, heads: new Map() })

  const catchUp = Effect.fnUntraced(function*(known: Known) {
    let now = known
    for (const stored of yield* anchors.list(nextNumber(known))) {
      const checked = Anchor.check(tools, stored, keys)
      if (Result.isFailure(checked)) return yield* inconsistent(stored, checked.failure)
      if (!Anchor.follows(tools.digest, now.last, checked.success)) {
        return yield* inconsistent(stored, "it does not follow the anchor before it")
      }
      now = advance(now, checked.success)
    }
    return now
  })

  const sign = Effect.fnUntraced(function*(known: Known, leaves: Anchor.Anchor["leaves"]) {
    const at = yield* Clock.currentTimeMillis
    const before = known.last?.after ?? Merkle.empty
    const sequence = nextNumber(known)
    const { after, checkpoint } = Anchor.checkpointOf(tools.digest, {
      origin: signer.name,
      sequence,
      at,
      before,
      leaves
    })
    const note = yield* Note.sign(Note.formatCheckpoint(checkpoint)).pipe(Effect.provideService(Signer, signer))
    const anchor: Anchor.Anchor = {
      v: version,
      sequence,
      at,
      before: Anchor.frontierOf(before),
      leaves,
      checkpoint: Note.encode(note)
    }
    return { anchor, checkpoint, before, after }
  })

  const take = SynchronizedRef.modifyEffect(known, (earlier) =>
    Effect.gen(function*() {
      const known = yield* catchUp(earlier)
      const [first, ...rest] = (yield* log.sessions).filter((session) => isMoved(known, session)).map(leafOf)
      if (first === undefined) return [undefined, known] as const
      const checked = yield* sign(known, [first, ...rest])
      yield* anchors.append(checked.anchor)
      return [checked.anchor, advance(known, checked)] as const
    })).pipe(Effect.withSpan("Anchoring.take"))

  const pending = Effect.gen(function*() {
    const { heads } = yield* SynchronizedRef.updateAndGetEffect(known, catchUp)
    const sessions = yield* log.sessions
    return sessions.reduce((rows, { id, seq }) => rows + Math.max(0, seq - (heads.get(id)?.seq ?? 0)), 0)
  })

  return { take, pending }
})

/** Takes one anchor now. */
export const take = (trust: Trust = {}): Effect.Effect<Anchor.Anchor | undefined, AnchoringError, Needs> =>
  Effect.flatMap(make(trust), (anchoring) => anchoring.take)

/**
 * Takes anchors in the background, the first at once and a last one on the way out. A failure is logged and does not
 * stop the next attempt; rows wait meanwhile.
 */
export const layer = (cadence: Cadence): Layer.Layer<never, never, Needs> => Layer.effectDiscard(run(cadence))

// internal

/** What the anchors so far say. */
interface Known {
  readonly last: Anchor.Checked | undefined
  readonly heads: ReadonlyMap<Claims.SessionId, Anchor.Leaf>
}

const nextNumber = ({ last }: Known): number => last === undefined ? 0 : last.anchor.sequence + 1

const advance = (known: Known, checked: Anchor.Checked): Known => {
  const heads = new Map(known.heads)
  for (const leaf of checked.anchor.leaves) if (typeof leaf !== "string") heads.set(leaf.session, leaf)
  return { last: checked, heads }
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

/** As `layer`, for as long as a scope is open: for whoever decides where the background runs. */
export const run = Effect.fnUntraced(
  function*({ every, look = "1 second", rows, ...trust }: Cadence): Effect.fn.Return<void, never, Needs | Scope.Scope> {
    const anchoring = yield* make(trust)
    const everyMs = Duration.toMillis(every)
    let last: number | undefined
    const due = Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      const isTime = last === undefined || now - last >= everyMs
      if (!isTime && (rows === undefined || (yield* anchoring.pending) < rows)) return
      last = now
      yield* anchoring.take
    })
    const stepMs = rows === undefined ? everyMs : Math.min(Duration.toMillis(look), everyMs)
    yield* Effect.addFinalizer(() => logged(anchoring.take))
    yield* Effect.forkScoped(Effect.repeat(logged(due), Schedule.spaced(stepMs)))
  }
)

/** Says why no anchor was taken; even a broken invariant must not end the background quietly. */
const logged = <A>(effect: Effect.Effect<A, AnchoringError>): Effect.Effect<void> =>
  Effect.asVoid(effect).pipe(
    Effect.catch((error) => {
      const reason = error._tag === "AnchorError" ? error.reason : error
      const detail = "detail" in reason ? reason.detail : `another anchor has number ${reason.sequence} already`
      return Effect.logError(`no anchor was taken: ${detail}; ${reason.remedy}`)
    }),
    Effect.catchDefect((defect) => Effect.logError("no anchor was taken", defect))
  )
