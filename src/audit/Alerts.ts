/**
 * What an operator must see to: something that keeps the record from being as safe as it was meant to be. Work goes on
 * meanwhile.
 *
 * An alert is one of its kind and subject: raised again it counts on, and it is open until what it says is so no longer.
 * Instants are epoch milliseconds.
 */
import { Clock, Context, Effect, Layer, PubSub, Schema, Stream, SynchronizedRef } from "effect"

/** Kinds of alerts, and what each says. */
export const kinds = {
  log_unreadable: "the log cannot be read, so nothing new is anchored",
  anchors_unreachable: "the place that keeps anchors does not answer, so rows wait without an anchor",
  anchors_inconsistent: "an anchor that is kept does not hold, so nothing is signed on top of it",
  anchors_missing: "an anchor is gone, or two have one number",
  anchors_disturbed: "an anchor was overwritten or hidden after it was kept",
  anchors_unlocked: "anchors are kept where somebody may remove them",
  not_signed: "anchors cannot be signed",
  witness_silent: "a witness does not answer, so what it did not sign yet could be rewritten",
  witness_refuses: "a witness does not want to sign",
  witness_contradicts: "a witness signed another history than this one",
  alerts_lost: "earlier alerts cannot be read",
  defect: "a part of the program failed in a way that it does not know"
} as const

/** One kind of alert. */
export const Kind = Schema.Literals(Object.keys(kinds) as ReadonlyArray<keyof typeof kinds>)
export type Kind = typeof Kind.Type

/** An alert. `subject` is what it is about, such as a witness; `detail` and `remedy` are for people. */
export const Alert = Schema.Struct({
  kind: Kind,
  subject: Schema.String,
  detail: Schema.String,
  remedy: Schema.String,
  since: Schema.Natural,
  /** When it was last so. */
  last: Schema.Natural,
  /** How often it was found to be so. */
  times: Schema.Natural,
  /** When it was so no longer; null while it is open. */
  resolvedAt: Schema.NullOr(Schema.Natural)
})
export type Alert = typeof Alert.Type

/** What happened. */
export type Notice = Pick<Alert, "detail" | "kind" | "remedy" | "subject">

/** The alerts of an installation. */
export class Alerts extends Context.Service<Alerts, {
  /** It is so: opens an alert, or counts on one that is open. Never fails: an alert must not stop the work. */
  readonly raise: (notice: Notice) => Effect.Effect<void>
  /** It is so no longer. Nothing happens when no such alert is open. */
  readonly resolve: (kind: Kind, subject: string) => Effect.Effect<void>
  /** Open alerts, oldest first, and after them the last ones that were resolved, newest first. */
  readonly list: Effect.Effect<ReadonlyArray<Alert>>
  /** Alerts as they are opened, told differently, and resolved, from now on; not each time that they are counted. */
  readonly changes: Stream.Stream<Alert>
}>()("aosiq/audit/Alerts") {}

/** Resolved alerts that are remembered. */
export const maxResolved = 50
/** Alerts that were not taken from `changes` yet, at most; later ones push the oldest out. */
const maxWaiting = 256

/** Alerts that begin with `earlier`; each change is handed to `keep` before it is told. */
export const make = Effect.fnUntraced(function*(
  earlier: ReadonlyArray<Alert> = [],
  keep: (alerts: ReadonlyArray<Alert>) => Effect.Effect<void> = () => Effect.void
): Effect.fn.Return<Alerts["Service"]> {
  const state = yield* SynchronizedRef.make(earlier)
  const told = yield* PubSub.sliding<Alert>(maxWaiting)
  const change = (
    next: (alerts: ReadonlyArray<Alert>, now: number) => readonly [Alert | undefined, ReadonlyArray<Alert>]
  ) =>
    SynchronizedRef.modifyEffect(state, (alerts) =>
      Effect.gen(function*() {
        const [news, after] = next(alerts, yield* Clock.currentTimeMillis)
        if (after !== alerts) yield* keep(after)
        return [news, after] as const
      })).pipe(Effect.flatMap((news) => news === undefined ? Effect.void : PubSub.publish(told, news)), Effect.asVoid)
  return {
    raise: (notice) => change((alerts, now) => raised(alerts, notice, now)),
    resolve: (kind, subject) => change((alerts, now) => resolved(alerts, { kind, subject }, now)),
    list: SynchronizedRef.get(state),
    changes: Stream.fromPubSub(told)
  }
})

/** Alerts that are forgotten with the process. */
export const layerMemory: Layer.Layer<Alerts> = Layer.effect(Alerts, make())

/** Writes each change to the log of the process. */
export const layerLog: Layer.Layer<never, never, Alerts> = Layer.effectDiscard(
  Effect.gen(function*() {
    const { changes, list } = yield* Alerts
    const open = (yield* list).filter(({ resolvedAt }) => resolvedAt === null)
    for (const alert of open) yield* logged(alert)
    yield* Effect.forkScoped(Stream.runForEach(changes, logged), { startImmediately: true })
  })
)

/** An alert in one line. */
export const sentence = ({ detail, kind, remedy, resolvedAt, subject }: Alert): string =>
  resolvedAt === null
    ? `${kind} (${subject}): ${detail}${remedy === "" ? "" : `; ${remedy}`}`
    : `${kind} (${subject}): no longer`

// internal

const isOf = (alert: Alert, { kind, subject }: Pick<Alert, "kind" | "subject">): boolean =>
  alert.resolvedAt === null && alert.kind === kind && alert.subject === subject

const raised = (
  alerts: ReadonlyArray<Alert>,
  notice: Notice,
  now: number
): readonly [Alert | undefined, ReadonlyArray<Alert>] => {
  const open = alerts.find((alert) => isOf(alert, notice))
  if (open === undefined) {
    const { detail, kind, remedy, subject } = notice
    const alert: Alert = { kind, subject, detail, remedy, since: now, last: now, times: 1, resolvedAt: null }
    return [alert, ordered([...alerts, alert])]
  }
  const { detail, remedy } = notice
  const again: Alert = { ...open, detail, remedy, last: now, times: open.times + 1 }
  const isNews = detail !== open.detail
  return [isNews ? again : undefined, alerts.map((alert) => alert === open ? again : alert)]
}

const resolved = (
  alerts: ReadonlyArray<Alert>,
  of: Pick<Alert, "kind" | "subject">,
  now: number
): readonly [Alert | undefined, ReadonlyArray<Alert>] => {
  const open = alerts.find((alert) => isOf(alert, of))
  if (open === undefined) return [undefined, alerts]
  const done: Alert = { ...open, resolvedAt: now }
  return [done, ordered(alerts.map((alert) => alert === open ? done : alert))]
}

const ordered = (alerts: ReadonlyArray<Alert>): ReadonlyArray<Alert> => {
  const open = alerts.filter(({ resolvedAt }) => resolvedAt === null).toSorted((a, b) => a.since - b.since)
  const closed = alerts
    .filter(({ resolvedAt }) => resolvedAt !== null)
    .toSorted((a, b) => (b.resolvedAt ?? 0) - (a.resolvedAt ?? 0))
  return [...open, ...closed.slice(0, maxResolved)]
}

const logged = (alert: Alert): Effect.Effect<void> =>
  alert.resolvedAt === null ? Effect.logError(sentence(alert)) : Effect.logInfo(sentence(alert))
