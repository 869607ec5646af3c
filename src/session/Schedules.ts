/**
 * What people do about schedules: make one, change it, start it by hand, see what it came to. Each change is a row in the
 * chain of the installation, in the same commit. Who sweeps starts what is due.
 */
import { Clock, Context, Effect, Layer, Option, Schedule as Repeat, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { Digest, Log } from "../audit/index.ts"
import { Governor, Store } from "../governor/index.ts"
import { Redact } from "../trust/index.ts"
import * as Firing from "./Firing.ts"
import { recording } from "./Installation.ts"
import { Launcher } from "./Launcher.ts"
import { outside } from "./Outside.ts"
import * as Schedule from "./Schedule.ts"
import * as Starting from "./Starting.ts"
import * as When from "./When.ts"

/** There is no such schedule. */
export class NoSuchSchedule extends Schema.TaggedError<NoSuchSchedule>()("NoSuchSchedule", {
  schedule: Schema.String,
  remedy: Schema.String
}) {}
/** The schedule cannot be made as it was asked for. Nothing was changed. */
export class NotSchedulable extends Schema.TaggedError<NotSchedulable>()("NotSchedulable", {
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** An actor tried to schedule. People do, at the doors of the runtime. Nothing was changed. */
export class InsideActor extends Schema.TaggedError<InsideActor>()("InsideActor", { session: Schema.String }) {}
/** The log did not answer, or somebody was faster. A retry can help. */
export class Unrecorded extends Schema.TaggedError<Unrecorded>()("Unrecorded", {
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** The one error of this module. */
export class ScheduleError extends Schema.TaggedError<ScheduleError>()("ScheduleError", {
  reason: Schema.Union([NoSuchSchedule, NotSchedulable, InsideActor, Unrecorded])
}) {
  override get message(): string {
    const { reason } = this
    switch (reason._tag) {
      case "NoSuchSchedule":
        return `there is no schedule ${reason.schedule}; ${reason.remedy}`
      case "NotSchedulable":
      case "Unrecorded":
        return `${reason.detail}; ${reason.remedy}`
      case "InsideActor":
        return `session ${reason.session} may not make or change schedules: people do`
    }
  }
}

/** An operator's word about a schedule. */
export interface Order {
  readonly schedule: string
  readonly by: string
}

/** A firing, and how its session stands; `null` when there is none. */
export interface FiringView {
  readonly firing: Firing.Firing
  readonly status: Log.Status | null
}

/** Makes schedules, changes them, and starts what is due. */
export class Schedules extends Context.Service<Schedules, {
  /** By the instant that is next, those that are over or paused among them. */
  readonly list: Effect.Effect<ReadonlyArray<Schedule.Schedule>, ScheduleError>
  readonly add: (definition: Schedule.Definition, by: string) => Effect.Effect<Schedule.Schedule, ScheduleError>
  /** What it started goes on; what waits is left out. */
  readonly remove: (order: Order) => Effect.Effect<Schedule.Schedule, ScheduleError>
  /** Nothing is started until it is resumed, and nothing of that time is made up for. */
  readonly pause: (order: Order) => Effect.Effect<Schedule.Schedule, ScheduleError>
  readonly resume: (order: Order) => Effect.Effect<Schedule.Schedule, ScheduleError>
  /** Starts it now, by hand; its overlap policy holds all the same. */
  readonly run: (order: Order) => Effect.Effect<Firing.Firing, ScheduleError>
  /** Its firings, the latest first. */
  readonly history: (schedule: string, limit: number) => Effect.Effect<ReadonlyArray<FiringView>, ScheduleError>
  /** Starts all that is due, once. Any number of processes may sweep at the same time. */
  readonly sweep: Effect.Effect<void, ScheduleError>
}>()("aosiq/session/Schedules") {}

/** Schedules of one installation. */
export const maxSchedules = 1000
/** How often a process sweeps: what is due starts so much later at most. */
export const everyMs = 1000
/** Attempts at a change that others got in the way of. */
const maxAttempts = 5

/** Sweeps until it is interrupted. A sweep that fails is made up for by the next. */
export const sweeping: Effect.Effect<never, never, Schedules> = Effect.flatMap(Schedules, ({ sweep }) =>
  sweep.pipe(
    Effect.ignore({ log: "Warn", message: "schedules could not be swept" }),
    Effect.repeat(Repeat.spaced(everyMs)),
    Effect.andThen(Effect.never)
  ))

/** Sweeps in this process for as long as it is up. */
export const layerSweep: Layer.Layer<never, never, Schedules> = Layer.effectDiscard(Effect.forkScoped(sweeping))

/** Schedules over a store, and a launcher for what they start. */
export const layer: Layer.Layer<
  Schedules,
  never,
  Store.Store | Log.Log | Digest.Digest | Governor | Launcher | SecureRandom.SecureRandom
> = Layer.effect(
  Schedules,
  Effect.gen(function*() {
    const store = yield* Store.Store
    const log = yield* Log.Log
    const digest = yield* Digest.Digest
    const random = yield* SecureRandom.SecureRandom
    const launcher = yield* Launcher
    const { mode } = yield* Governor
    const record = recording({ store, digest, mode })
    const { fire, sweep } = Starting.make({ store, log, digest, random, launcher, record })
    const asPerson = outside((session) => new ScheduleError({ reason: new InsideActor({ session }) }))

    const known = Effect.fnUntraced(function*(name: string) {
      const kept = yield* store.record({ kind: "schedule", id: name })
      const found = Option.flatMap(Option.fromUndefinedOr(kept), Schedule.read)
      return Option.isSome(found) ? found.value : yield* fail(new NoSuchSchedule({ schedule: name, remedy }))
    })

    /** Changes a schedule as it is now, whoever else does at the same time. */
    const change = (
      { by, schedule: name }: Order,
      what: Starting.Said["what"],
      next: (schedule: Schedule.Schedule, now: number) => Schedule.Schedule | null
    ) =>
      Effect.gen(function*() {
        const { schedule, version } = yield* known(name)
        const changed = next(schedule, yield* Clock.currentTimeMillis)
        const keep = changed === null
          ? { ...Schedule.keep(schedule, version), next: null }
          : Schedule.keep(changed, version)
        yield* record(Starting.said(schedule, what, by), [keep])
        return changed ?? schedule
      }).pipe(asPerson, faster)

    const all = Effect.gen(function*() {
      const kept = yield* Effect.mapError(store.records({ kind: "schedule", limit: maxSchedules }), unrecorded)
      return kept.flatMap((one) => Option.toArray(Schedule.read(one))).map(({ schedule }) => schedule)
    })

    const add = Effect.fnUntraced(function*(given: Schedule.Definition, by: string) {
      // A schedule is kept as long as it stands; what its actor could not be given is not kept either.
      const definition = { ...given, input: Redact.json(given.input) }
      const now = yield* Clock.currentTimeMillis
      const refuse = (detail: string, remedy: string) => fail(new NotSchedulable({ detail, remedy }))
      const objection = When.objection(definition.when, now)
      if (objection !== null) return yield* refuse(objection, "give an expression or instants that come some day")
      yield* launcher.check({ ...definition, grant: Schedule.grantOf(definition.grant) }).pipe(
        Effect.catch((error) =>
          error.reason._tag === "Unrecorded"
            ? Effect.fail(unrecorded(error))
            : refuse(Redact.redact(error.message), "change the order so that the actor could be started with it now")
        )
      )
      if ((yield* all).length >= maxSchedules) {
        return yield* refuse(`there are ${maxSchedules} schedules already`, "remove those that are not needed")
      }
      const text = Schedule.textOf(digest, definition)
      const schedule: Schedule.Schedule = {
        ...definition,
        id: `sch_${yield* random.ulid}`,
        terms: digest.sha256(text),
        createdBy: by,
        createdAt: now,
        state: Schedule.advance(definition.when, { isPaused: false, through: now, next: null, last: null }, now),
        current: null
      }
      const payloads = [{ hash: schedule.terms, text }]
      yield* record(Starting.said(schedule, "made", by), [Schedule.keep(schedule)], payloads).pipe(
        Effect.catch((error) =>
          Starting.isStale(error)
            ? refuse(`there is a schedule ${schedule.name} already`, "take another name, or remove it first")
            : Effect.fail(unrecorded(error))
        )
      )
      return schedule
    })

    const run = ({ by, schedule: name }: Order) =>
      Effect.gen(function*() {
        const entry = yield* known(name)
        const { firing } = yield* fire(entry, yield* Clock.currentTimeMillis, by)
        return firing
      }).pipe(asPerson, faster)

    const history = Effect.fnUntraced(function*(name: string, limit: number) {
      const { schedule } = yield* known(name)
      const kept = yield* store.records({ kind: "firing", owner: schedule.id, newest: true, limit })
      return yield* Effect.forEach(
        kept.flatMap((one) => Option.toArray(Firing.read(one))),
        ({ firing }) =>
          Effect.map(launcher.status(firing.session), (status) => ({ firing, status: Option.getOrNull(status) }))
      )
    })

    return Schedules.of({
      list: all,
      add: (definition, by) => asPerson(add(definition, by)),
      remove: (order) => change(order, "removed", () => null),
      pause: (order) => change(order, "paused", (schedule) => paused(schedule, true)),
      resume: (order) =>
        change(order, "resumed", (schedule, now) => {
          const { state, when } = paused(schedule, false)
          // A schedule that was never paused keeps what it has still to make up for.
          if (!schedule.state.isPaused) return schedule
          return { ...schedule, state: Schedule.advance(when, { ...state, through: now }, now) }
        }),
      run,
      history: (name, limit) => Effect.mapError(history(name, limit), unrecorded),
      sweep: Effect.mapError(sweep, unrecorded)
    })
  })
)

// internal

const remedy = "see aosiq schedules list"

const fail = (reason: ScheduleError["reason"]) => Effect.fail(new ScheduleError({ reason }))

type Failure = Starting.Failure | ScheduleError

const unrecorded = (error: Failure): ScheduleError => {
  if (error instanceof ScheduleError) return error
  const { detail, remedy } = error instanceof Log.LogError
    ? error
    : error instanceof Store.StoreError
    ? { detail: error.reason.detail, remedy: error.reason._tag === "Unavailable" ? error.reason.remedy : "try again" }
    : { detail: error.message, remedy: "try again" }
  return new ScheduleError({ reason: new Unrecorded({ detail, remedy }) })
}

/** Again, when somebody else changed the same a moment ago. */
const faster = <A>(self: Effect.Effect<A, Failure>): Effect.Effect<A, ScheduleError> =>
  Effect.mapError(Effect.retry(self, { while: Starting.isStale, times: maxAttempts - 1 }), unrecorded)

const paused = (schedule: Schedule.Schedule, isPaused: boolean): Schedule.Schedule => ({
  ...schedule,
  state: { ...schedule.state, isPaused }
})
