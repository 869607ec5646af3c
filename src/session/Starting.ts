/**
 * What schedules come to: instants become firings, firings become sessions. Everything is decided in the database: a firing
 * is a record that can be made once, so of many processes that look one wins; and it is made before anything is started,
 * so that what a crash left behind is taken up by whoever looks next. Each step is a row in the chain of the
 * installation, in the same commit.
 */
import { Cause, Clock, Effect, Exit, Option, type Schema } from "effect"
import type { SecureRandom } from "effect/crypto"
import { type Digest, Installation, type Log, type Row } from "../audit/index.ts"
import { Store } from "../governor/index.ts"
import { Redact } from "../trust/index.ts"
import * as DeadLetter from "./DeadLetter.ts"
import type { DispatchError } from "./Ended.ts"
import * as Firing from "./Firing.ts"
import { type recording, why } from "./Installation.ts"
import type { Launcher } from "./Launcher.ts"
import * as Schedule from "./Schedule.ts"

/** What it is made of. */
export interface Parts {
  readonly store: Store.Store["Service"]
  readonly log: Log.Log["Service"]
  readonly digest: Digest.Digest["Service"]
  readonly random: SecureRandom.SecureRandom["Service"]
  readonly launcher: Launcher["Service"]
  readonly record: ReturnType<typeof recording>
}

/** A schedule or a firing as it was read. */
export interface Entry {
  readonly schedule: Schedule.Schedule
  readonly version: number
}
export interface Turn {
  readonly firing: Firing.Firing
  readonly version: number
}

/** Why something was not done. */
export type Failure = Store.StoreError | Log.LogError | DispatchError

/** Whether somebody else changed the same at the same time: then nothing was done here. */
export const isStale = (error: unknown): boolean => error instanceof Store.StoreError && why(error) === "stale"

/** What a row says of a schedule. */
export type Said = Extract<Row.Body, { readonly kind: "scheduled" }>

/** The row about a schedule, or about one of its firings. */
export const said = (
  { name, terms }: Pick<Schedule.Schedule, "name" | "terms">,
  what: Said["what"],
  by: string,
  firing?: Firing.Firing
): Said => ({
  kind: "scheduled",
  schedule: name,
  what,
  by,
  instant: firing?.instant ?? null,
  session: firing === undefined || firing.state === "skipped" ? null : firing.session,
  terms,
  detail: firing === undefined ? "" : firing.ends === null ? firing.detail : `it ends ${firing.ends}`
})

/** Records that one look takes from the database. */
const page = 256

/** The two ways in: an operator's hand, and a look at everything. */
export const make = ({ digest, launcher, log, random, record, store }: Parts) => {
  const find = Effect.fnUntraced(function*(name: string) {
    const kept = yield* store.record({ kind: "schedule", id: name })
    return kept === undefined ? undefined : Option.getOrUndefined(Schedule.read(kept))
  })

  /** The session of the start before, unless it has come to its end. One that is paused is in nobody's way. */
  const running = Effect.fnUntraced(function*({ current }: Schedule.Schedule) {
    const kept = current === null ? undefined : yield* store.record({ kind: "firing", id: current })
    const before = Option.getOrUndefined(Option.flatMap(Option.fromUndefinedOr(kept), Firing.read))?.firing
    if (before === undefined) return null
    if (before.state === "opening") return before.session
    if (before.state !== "opened") return null
    const status = yield* launcher.status(before.session)
    return Option.exists(status, (status) => status === "running" || status === "waiting") ? before.session : null
  })

  /** Settled firings beyond what is kept. */
  const outdated = Effect.fnUntraced(function*({ current, id }: Schedule.Schedule) {
    const old = yield* store.records({ kind: "firing", owner: id, newest: true, offset: Firing.maxKept, limit: 16 })
    return old.filter((kept) => kept.id !== current && (kept.state === "opened" || kept.state === "skipped"))
      .map(({ id, kind, version }): Store.Change => ({ id, kind, version, next: null }))
  })

  /** One instant of a schedule: kept, and started if nothing is in its way. */
  const fire = Effect.fnUntraced(function*(entry: Entry, instant: number, by: string | null) {
    const { schedule, version } = entry
    const jitter = by === null ? yield* random.intBetween(0, schedule.jitterMs) : 0
    const made = Firing.make(digest, {
      schedule: schedule.name,
      owner: schedule.id,
      instant,
      notBefore: instant + jitter,
      terms: schedule.terms,
      by
    })
    const waiting = yield* store.records({
      kind: "firing",
      owner: schedule.id,
      state: "waiting",
      limit: Firing.maxQueued
    })
    const firing = Firing.admit(made, schedule.overlap, {
      now: yield* Clock.currentTimeMillis,
      queued: waiting.length,
      running: yield* running(schedule)
    })
    const state = firing.state === "skipped" ? schedule.state : { ...schedule.state, last: instant }
    const next: Schedule.Schedule = {
      ...schedule,
      state: by === null ? Schedule.advance(schedule.when, state, instant) : schedule.state,
      current: firing.state === "opening" ? firing.id : schedule.current
    }
    const keep = [Schedule.keep(next, version), Firing.keep(firing), ...yield* outdated(schedule)]
    yield* record(said(schedule, words[firing.state], by ?? Installation.actor, firing), keep)
    if (firing.state === "opening") yield* alone(launch({ firing, version: 1 }))
    return { entry: { schedule: next, version: version + 1 }, firing }
  })

  /** Instants that are passed over are a row too. */
  const passOver = Effect.fnUntraced(function*({ schedule, version }: Entry, until: number, detail: string) {
    const next = { ...schedule, state: Schedule.advance(schedule.when, schedule.state, until) }
    const body = { ...said(schedule, "skipped", Installation.actor), detail }
    yield* record(body, [Schedule.keep(next, version)])
    return { schedule: next, version: version + 1 }
  })

  const fireDue = Effect.fnUntraced(function*(first: Entry) {
    const now = yield* Clock.currentTimeMillis
    const { firings, skipped } = Schedule.due(first.schedule, first.schedule.state, now)
    let entry = first
    if (skipped !== null) {
      const detail = `nobody was there after ${skipped.after} and before ${skipped.before}`
      entry = yield* passOver(entry, skipped.before - 1, detail)
    }
    if (firings.length === 0 && skipped === null && now > first.schedule.state.through) {
      entry = yield* passOver(entry, now, "nothing was due after all")
    }
    for (const instant of firings) {
      // A schedule that was resumed after its clock went back comes to the same instants again.
      const isFired = (yield* store.record(Firing.keyOf(first.schedule.id, instant))) !== undefined
      entry = isFired
        ? yield* passOver(entry, instant, `${instant} was fired before`)
        : (yield* fire(entry, instant, null)).entry
    }
  })

  /** Starts the session of a firing that is to be opened, however often it is asked to. */
  const launch = Effect.fnUntraced(function*({ firing, version }: Turn) {
    const { ends, schedule, session } = firing
    if (ends !== null) {
      yield* launcher.cancel({ session: ends, by: Installation.actor, reason: `schedule ${schedule} starts anew` })
    }
    const text = yield* log.payload(firing.terms)
    const definition = Option.filter(text, (text) => digest.sha256(text) === firing.terms).pipe(Option.match({
      onNone: () => Effect.fail("its definition was erased or altered"),
      onSome: Schedule.parse
    }))
    const order = yield* Effect.result(definition)
    if (order._tag === "Failure") return yield* bury({ firing, version }, order.failure, null)
    const { actor, caller, grant, input } = order.success
    const opened = yield* Effect.exit(
      launcher.open({ session, actor, caller, input, grant: Schedule.grantOf(grant) })
    )
    if (Exit.isSuccess(opened)) {
      return yield* settle(
        { ...firing, state: "opened" },
        version,
        said(named(firing), "opened", Installation.actor, firing)
      )
    }
    const reason = hopeless(opened.cause)
    if (reason === undefined) return yield* Effect.failCause(opened.cause)
    yield* bury({ firing, version }, reason, { actor, input })
  })

  /** Sets a firing aside that cannot be started. */
  const bury = Effect.fnUntraced(function*({ firing, version }: Turn, detail: string, what: Schema.Json) {
    const reason = Redact.redact(detail)
    const dead: Firing.Firing = { ...firing, state: "dead", attempts: firing.attempts + 1, detail: reason }
    const letter = DeadLetter.make(digest, {
      kind: "firing",
      subject: firing.id,
      session: firing.session,
      reason,
      payload: { firing: firing.id, schedule: firing.schedule, instant: firing.instant, order: what },
      at: yield* Clock.currentTimeMillis,
      attempts: dead.attempts
    })
    yield* settle(dead, version, DeadLetter.row(letter, "filed", Installation.actor, reason), [DeadLetter.keep(letter)])
  })

  /** Another process may have come to the same: then there is nothing more to say. */
  const settle = (firing: Firing.Firing, version: number, body: Row.Body, keep: ReadonlyArray<Store.Change> = []) =>
    Effect.catchIf(record(body, [Firing.keep(firing, version), ...keep]), isStale, () => Effect.void)

  /** Looks at a firing that waits; `false` when it goes on waiting. */
  const admit = Effect.fnUntraced(function*({ firing, version }: Turn, queued: number) {
    const entry = yield* find(firing.schedule)
    if (entry?.schedule.id !== firing.owner || entry.schedule.state.isPaused) {
      const detail = entry === undefined ? "its schedule was removed" : "its schedule was paused or made anew"
      const left: Firing.Firing = { ...firing, state: "skipped", detail }
      yield* settle(left, version, said(named(firing), "skipped", Installation.actor, left))
      return true
    }
    const { schedule } = entry
    const now = yield* Clock.currentTimeMillis
    const next = Firing.admit(firing, schedule.overlap, { now, queued, running: yield* running(schedule) })
    if (next.state === "waiting") return false
    const body = said(schedule, words[next.state], Installation.actor, next)
    if (next.state === "skipped") {
      yield* settle(next, version, body)
      return true
    }
    const current = Schedule.keep({ ...schedule, current: next.id }, entry.version)
    yield* record(body, [Firing.keep(next, version), current])
    yield* alone(launch({ firing: next, version: version + 1 }))
    return true
  })

  /** All that waits, in order; of a schedule that queues, one after the other. */
  const admitAll = Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    const queued = new Map<string, number>()
    for (let offset = 0;;) {
      const kept = yield* store.records({ kind: "firing", state: "waiting", until: now, offset, limit: page })
      const turns = yield* legible(kept, Firing.read)
      offset += kept.length - turns.length
      for (const turn of turns) {
        const before = queued.get(turn.firing.owner) ?? 0
        if (yield* alone(admit(turn, before))) continue
        queued.set(turn.firing.owner, before + 1)
        offset++
      }
      if (kept.length < page) return
    }
  })

  /** Starts all that is due, and what waits or was left behind. */
  const sweep = Effect.gen(function*() {
    const opening = yield* store.records({ kind: "firing", state: "opening", limit: page })
    for (const turn of yield* legible(opening, Firing.read)) yield* alone(launch(turn))
    const now = yield* Clock.currentTimeMillis
    const due = yield* store.records({ kind: "schedule", state: "active", until: now, limit: page })
    for (const entry of yield* legible(due, Schedule.read)) yield* alone(fireDue(entry))
    yield* admitAll
  })

  return { fire, sweep }
}

// internal

/** What another version of the program wrote may be beyond this one: it stays as it is, and is not passed over in silence. */
const legible = <A>(kept: ReadonlyArray<Store.Kept>, read: (one: Store.Kept) => Option.Option<A>) =>
  Effect.map(
    Effect.forEach(kept, (one) =>
      Option.match(read(one), {
        onNone: () => Effect.as(Effect.logWarning(`${one.kind} ${one.id} cannot be read by this program`), []),
        onSome: (entry) => Effect.succeed([entry])
      })),
    (found) => found.flat()
  )

/** Why another attempt would come to the same; nothing when it may not. */
const hopeless = (cause: Cause.Cause<DispatchError>): string | undefined => {
  const error = Cause.findErrorOption(cause)
  if (Option.isNone(error)) return Cause.hasInterruptsOnly(cause) ? undefined : `it broke down: ${Cause.squash(cause)}`
  const { _tag } = error.value.reason
  return _tag === "NoSuchActor" || _tag === "BadInput" ? error.value.message : undefined
}

/** What fails for one schedule or firing keeps no other from its turn. What another process did is no failure. */
const alone = <A>(self: Effect.Effect<A, Failure>): Effect.Effect<A | undefined> =>
  Effect.catch(self, (error) =>
    Effect.as(
      isStale(error) ? Effect.void : Effect.logWarning("a schedule was not served; the next sweep tries again", error),
      undefined
    ))

/** What is said of a firing that came to that state. */
const words: { readonly [S in Firing.State]: Said["what"] } = {
  waiting: "queued",
  opening: "fired",
  opened: "opened",
  skipped: "skipped",
  dead: "skipped"
}

const named = ({ schedule, terms }: Firing.Firing) => ({ name: schedule, terms })
