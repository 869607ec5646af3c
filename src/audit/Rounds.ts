/**
 * Makes the rounds in the background: takes anchors, has each witness sign them, and looks whether the anchors that were
 * kept are still there. What goes wrong becomes an alert and is tried again, later each time; nothing stops for it, and
 * nothing of it goes unsaid.
 */
import { Cause, Clock, Duration, Effect, Exit, Layer, Result, Schedule } from "effect"
import type { Scope } from "effect"
import { Alerts, type Kind, type Notice } from "./Alerts.ts"
import * as Anchor from "./Anchor.ts"
import { Anchoring, type AnchoringError } from "./Anchoring.ts"
import { type CosigningError, type Peer, Witnesses } from "./Cosigning.ts"

/** How often the rounds are made. */
export interface Cadence {
  /** The longest that a row stays without an anchor while this process runs and the anchors can be reached. */
  readonly every: Duration.Input
  /** Anchors earlier, once this many rows wait for it. */
  readonly rows?: number | undefined
  /** How often is looked whether anything is due; a second unless set. */
  readonly look?: Duration.Input | undefined
  /** How often is looked whether all anchors are still there; an hour unless set. */
  readonly patrol?: Duration.Input | undefined
}

/** After a failure the next attempt waits so long, and each one after it twice as long, up to the longest. */
export const backOff = { firstMs: 1000, longestMs: 300_000 } as const

/** What the rounds are made of. */
export type Needs = Alerts | Anchor.Anchors | Anchoring | Witnesses

/** Makes the rounds for as long as the layer lives. */
export const layer = (cadence: Cadence): Layer.Layer<never, never, Needs> => Layer.effectDiscard(run(cadence))

/** Makes the rounds until the scope closes, the first at once and a last one on the way out. */
export const run = Effect.fnUntraced(function*(
  { every, look: step = "1 second", patrol = "1 hour", rows }: Cadence
): Effect.fn.Return<void, never, Needs | Scope.Scope> {
  const alerts = yield* Alerts
  const anchors = yield* Anchor.Anchors
  const { peers } = yield* Witnesses
  const anchoring = yield* Anchoring

  const take = attempt(alerts, { of: "anchors", clears: anchorKinds }, anchoring.take, noticeOf)
  const cosign = (peer: Peer): Work<number | undefined> =>
    Effect.flatMap(anchoring.newest, (newest) =>
      newest === undefined
        // Nothing is asked, and so nothing becomes known of the witness.
        ? Effect.succeed(Result.succeed(undefined))
        : attempt(alerts, { of: peer.key.name, clears: witnessKinds }, anchoring.cosign(peer), (error) =>
          error._tag === "AnchorError" ? noticeOf(error) : refusalOf(error)))
  const look = Effect.gen(function*() {
    const newest = yield* anchoring.newest
    return yield* Effect.forEach(lookedAt(yield* anchors.names, newest), tell(alerts))
  })
  const inspect = attempt(alerts, { of: "patrol", clears: [] }, look, noticeOf)
  // Rows that cannot be counted are a reason to try: then it is told what is wrong.
  const areManyWaiting = Effect.map(
    Effect.exit(anchoring.pending),
    (waiting) => Exit.isFailure(waiting) || waiting.value >= (rows ?? 0)
  )

  yield* Effect.addFinalizer(() => {
    const signing = Effect.forEach(peers, cosign, { concurrency: "unbounded", discard: true })
    return Effect.andThen(take, Effect.timeoutOption(signing, lastRound))
  })
  const start = (pace: Pace, work: Work) =>
    Effect.forkScoped(Effect.repeat(paced(pace, work), Schedule.spaced(Duration.toMillis(step))))
  yield* start({
    everyMs: Duration.toMillis(every),
    isDue: rows === undefined ? Effect.succeed(false) : areManyWaiting
  }, take)
  yield* start({ everyMs: Duration.toMillis(patrol), isDue: Effect.succeed(false) }, inspect)
  for (const peer of peers) {
    let signed: number | undefined
    const isNew = Effect.map(anchoring.newest, (newest) => newest !== undefined && newest !== signed)
    const work = Effect.tap(
      cosign(peer),
      (number) => Effect.sync(() => signed = Result.getOrElse(number, () => signed))
    )
    yield* start({ everyMs: undefined, isDue: isNew }, work)
  }
})

// internal

/** How long the last round may take witnesses: one that is away must not hold up the end. */
const lastRound = "3 seconds"

type Work<A = unknown> = Effect.Effect<Result.Result<A, void>>

interface Pace {
  /** `undefined` when it is due only when `isDue` says so. */
  readonly everyMs: number | undefined
  /** Whether there is something to do before its time. */
  readonly isDue: Effect.Effect<boolean>
}

/** One look whether `work` is due, and the work if it is. */
const paced = ({ everyMs, isDue }: Pace, work: Work): Effect.Effect<void> => {
  let last = Number.NEGATIVE_INFINITY
  let [failures, notBefore] = [0, Number.NEGATIVE_INFINITY]
  return Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    if (now < notBefore) return
    const isTime = everyMs !== undefined && now - last >= everyMs
    if (failures === 0 && !isTime && !(yield* isDue)) return
    last = now
    const done = yield* work
    failures = Result.isSuccess(done) ? 0 : failures + 1
    const longest = Math.max(backOff.firstMs, Math.min(backOff.longestMs, everyMs ?? backOff.longestMs))
    notBefore = failures === 0 ? now : now + Math.min(longest, backOff.firstMs * 2 ** (failures - 1))
  })
}

/** Does it, and says how it went: even a broken invariant must not end the background quietly. */
const attempt = <A, E>(
  alerts: Alerts["Service"],
  about: { readonly of: string; readonly clears: ReadonlyArray<Kind> },
  effect: Effect.Effect<A, E>,
  notice: (error: E) => Notice | undefined
): Effect.Effect<Result.Result<A, void>> =>
  Effect.gen(function*() {
    const exit = yield* Effect.exit(effect)
    if (Exit.isSuccess(exit)) {
      for (const kind of [...about.clears, "defect"] as const) yield* alerts.resolve(kind, about.of)
      return Result.succeed(exit.value)
    }
    if (Cause.hasInterruptsOnly(exit.cause)) return yield* Effect.interrupt
    const error = Cause.findError(exit.cause)
    if (Result.isSuccess(error)) {
      const told = notice(error.success)
      if (told !== undefined) yield* alerts.raise(told)
    } else {
      yield* Effect.logError(`the work on ${about.of} failed`, exit.cause)
      yield* alerts.raise({
        kind: "defect",
        subject: about.of,
        detail: `the work on ${about.of} failed in a way that is not known; the log of the process has more`,
        remedy: "report it; it is tried again"
      })
    }
    return Result.fail(undefined)
  })

const anchorKinds: ReadonlyArray<Kind> = ["log_unreadable", "anchors_unreachable", "anchors_inconsistent", "not_signed"]
const witnessKinds: ReadonlyArray<Kind> = ["witness_silent", "witness_refuses", "witness_contradicts"]

/** Why no anchor was taken; that another process took one of that number is no reason for anybody to look. */
const noticeOf = (error: AnchoringError): Notice | undefined => {
  const reason = error._tag === "AnchorError" ? error.reason : error
  const subject = "anchors"
  switch (reason._tag) {
    case "Taken":
      return undefined
    case "Inconsistent":
      return {
        kind: "anchors_inconsistent",
        subject,
        detail: `${reason.name}: ${reason.detail}`,
        remedy: reason.remedy
      }
    case "Unavailable":
      return { kind: "anchors_unreachable", subject, detail: reason.detail, remedy: reason.remedy }
    case "LogError":
      return { kind: "log_unreadable", subject, detail: reason.detail, remedy: reason.remedy }
    case "SignerError":
      return { kind: "not_signed", subject, detail: reason.detail, remedy: reason.remedy }
  }
}

const refusalOf = ({ reason }: CosigningError): Notice => {
  const kinds = { Silent: "witness_silent", Refused: "witness_refuses", Contradicted: "witness_contradicts" } as const
  return { kind: kinds[reason._tag], subject: reason.witness, detail: reason.detail, remedy: reason.remedy }
}

/** What the names of the anchors say: a notice of each kind, or that there is none. */
const lookedAt = (
  names: ReadonlyArray<Anchor.Named>,
  newest: number | undefined
): ReadonlyArray<{ readonly kind: Kind; readonly notice: Notice | undefined }> => {
  const remedy = "see aosiq audit verify, and who may write where anchors are kept"
  const noticed = (kind: Kind, detail: string | undefined) => ({
    kind,
    notice: detail === undefined ? undefined : { kind, subject: "anchors", detail, remedy }
  })
  const touched = names.find(({ keeping }) => keeping?.hidden === true || keeping?.overwritten === true)
  const how = touched?.keeping?.hidden === true ? "hidden" : "overwritten"
  return [
    noticed("anchors_missing", firstGap(names, newest)),
    noticed("anchors_disturbed", touched && `${touched.name} was ${how} after it was kept`)
  ]
}

/** The first number up to the newest that no anchor has, or that two have. */
const firstGap = (names: ReadonlyArray<Anchor.Named>, newest = -1): string | undefined => {
  const numbers = names.flatMap(({ name }) => Anchor.numberOf(name) ?? []).toSorted((a, b) => a - b)
  const at = numbers.findIndex((number, i) => number !== i)
  const number = numbers[at]
  if (number === undefined) return numbers.length > newest ? undefined : `anchor ${numbers.length} is gone`
  return number < at ? `two anchors have number ${number}` : `anchor ${at} is gone`
}

const tell =
  (alerts: Alerts["Service"]) => ({ kind, notice }: { readonly kind: Kind; readonly notice: Notice | undefined }) =>
    notice === undefined ? alerts.resolve(kind, "anchors") : alerts.raise(notice)
