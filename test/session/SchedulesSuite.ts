/** What schedules promise over any store: one line for each. Time is real here, and put forward instead of waited for. */
import { assert, layer } from "@effect/vitest"
import { Clock, Context, Effect, type Layer } from "effect"
import { Log } from "../../src/audit/index.ts"
import type { Store } from "../../src/governor/index.ts"
import { DeadLetters, type Schedule, Schedules } from "../../src/session/index.ts"
import * as C from "../governor/commits.ts"
import * as D from "./desk.ts"

const hour = 3_600_000
/** How far the clock was put forward. */
let ahead = 0

/** Runs `self` by a clock that is put forward; all else it does as the real one. */
const forward = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Clock.Clock, (real) => {
    const clock: Clock.Clock = Object.assign(Object.create(real), {
      currentTimeMillisUnsafe: () => real.currentTimeMillisUnsafe() + ahead,
      currentTimeMillis: Effect.map(real.currentTimeMillis, (now) => now + ahead)
    })
    return Effect.provideService(self, Clock.Clock, clock)
  })

/** Runs the contract against `store`, which may hold schedules of others that are not due. */
export const suite = <E>(name: string, store: Layer.Layer<Store.Store | Log.Log, E>): void => {
  const on = D.stage()
  layer(D.desks(on, store), { excludeTestServices: true, timeout: "60 seconds" })(name, (it) => {
    /** A schedule whose first instant has just come. */
    const added = (parts: Partial<Schedule.Definition> = {}) =>
      Effect.gen(function*() {
        const schedules = yield* Schedules.Schedules
        const instant = (yield* Clock.currentTimeMillis) + hour
        const definition = D.definition(D.at(instant, instant + 86_400_000), { catchUp: "all", ...parts })
        const schedule = yield* schedules.add(definition, "grace")
        ahead += hour
        return { schedule, instant }
      })
    const sweep = Effect.flatMap(Schedules.Schedules, ({ sweep }) => sweep)
    const openedOf = (schedule: Schedule.Schedule) => on.opened.filter(({ input }) => input === schedule.input)
    const rowsOf = (schedule: string) =>
      Effect.map(
        Effect.flatMap(Log.Log, (log) => log.rows(D.installation)),
        (rows) => rows.flatMap(({ body }) => body.kind === "scheduled" && body.schedule === schedule ? [body] : [])
      )

    it.effect("keeps a schedule and what was done about it, in one chain", () =>
      Effect.gen(function*() {
        const schedules = yield* Schedules.Schedules
        const log = yield* Log.Log
        const { schedule } = yield* added()
        const order = { schedule: schedule.name, by: "ada" }
        assert.isTrue((yield* schedules.pause(order)).state.isPaused)
        yield* sweep
        assert.deepStrictEqual(yield* schedules.history(schedule.name, 10), [])
        const resumed = yield* schedules.resume(order)
        assert.isFalse(resumed.state.isPaused)
        assert.deepInclude((yield* schedules.list).find(({ id }) => id === schedule.id), resumed)
        // What came while it was paused is not made up for.
        yield* sweep
        assert.deepStrictEqual(yield* schedules.history(schedule.name, 10), [])
        yield* schedules.remove(order)
        assert.isUndefined((yield* schedules.list).find(({ id }) => id === schedule.id))
        assert.strictEqual((yield* Effect.flip(schedules.pause(order))).reason._tag, "NoSuchSchedule")
        const rows = yield* rowsOf(schedule.name)
        assert.deepStrictEqual(rows.map(({ by, what }) => [what, by]), [
          ["made", "grace"],
          ["paused", "ada"],
          ["resumed", "ada"],
          ["removed", "ada"]
        ])
        const text = yield* log.payload(schedule.terms)
        assert.include(text._tag === "Some" ? text.value : "", schedule.name)
        assert.deepStrictEqual(C.faults(yield* log.rows(D.installation)), [])
      }).pipe(forward))

    it.effect("fires an instant once, however many processes look at the same time", () =>
      Effect.gen(function*() {
        const { instant, schedule } = yield* added({ input: C.fresh("once") })
        const others = yield* Effect.all(Array.from({ length: 4 }, () => D.another(on)))
        const sweeps = others.map((context) => Context.get(context, Schedules.Schedules).sweep)
        yield* Effect.all([...sweeps, sweep, ...sweeps], { concurrency: "unbounded", discard: true })
        yield* sweep
        assert.lengthOf(openedOf(schedule), 1)
        const rows = yield* rowsOf(schedule.name)
        assert.deepStrictEqual(rows.map(({ instant, what }) => [what, instant]), [
          ["made", null],
          ["fired", instant],
          ["opened", instant]
        ])
        assert.strictEqual(rows[1]?.session, openedOf(schedule)[0]?.session)
      }).pipe(forward))

    for (const when of ["before", "after"] as const) {
      it.effect(`takes up a firing whose process died just ${when} its session was opened`, () =>
        Effect.gen(function*() {
          const { schedule } = yield* added({ input: C.fresh("died") })
          on.at = (now, { input }) => now === when && input === schedule.input ? Effect.interrupt : Effect.void
          yield* Effect.exit(sweep)
          on.at = () => Effect.void
          assert.lengthOf(openedOf(schedule), when === "before" ? 0 : 1)
          const other = Context.get(yield* D.another(on), Schedules.Schedules)
          yield* other.sweep
          yield* sweep
          assert.lengthOf(openedOf(schedule), 1)
          const [view] = yield* other.history(schedule.name, 10)
          assert.deepInclude(view, { status: "running" })
          assert.deepStrictEqual([view?.firing.state, view?.firing.session], ["opened", openedOf(schedule)[0]?.session])
          assert.deepStrictEqual((yield* rowsOf(schedule.name)).map(({ what }) => what), ["made", "fired", "opened"])
        }).pipe(forward))
    }

    it.effect("sets a firing aside that cannot be started, and starts it when it is replayed", () =>
      Effect.gen(function*() {
        const desk = yield* DeadLetters.DeadLetters
        const actor = C.fresh("Actor")
        on.actors.add(actor)
        const { instant, schedule } = yield* added({ input: C.fresh("dead"), actor })
        on.actors.delete(actor)
        yield* sweep
        yield* sweep
        const mine = Effect.map(
          desk.list(false),
          (all) => all.filter(({ reason }) => reason.includes(`actor ${actor}`))
        )
        const [letter, ...others] = yield* mine
        assert.deepStrictEqual(others, [])
        assert.deepInclude(letter, { kind: "firing", state: "open", attempts: 1, by: null })
        assert.deepInclude(letter?.payload, { schedule: schedule.name, instant })
        assert.lengthOf(openedOf(schedule), 0)
        // Too early: it comes back as another letter, and the first stays decided.
        yield* desk.replay({ letter: letter?.id ?? "", by: "ada", reason: "try" })
        yield* sweep
        const [second, first] = (yield* mine).toSorted((a, b) => b.attempts - a.attempts)
        assert.deepStrictEqual([first?.id, first?.state, first?.by], [letter?.id, "replayed", "ada"])
        assert.deepInclude(second, { state: "open", attempts: 2 })
        on.actors.add(actor)
        yield* desk.replay({ letter: second?.id ?? "", by: "ada", reason: "it is back" })
        yield* sweep
        assert.lengthOf(openedOf(schedule), 1)
        const decided = yield* Effect.result(desk.drop({ letter: second?.id ?? "", by: "ada", reason: "" }))
        assert.strictEqual(decided._tag, "Failure")
      }).pipe(forward))

    it.effect("decides about a letter once when two people do together", () =>
      Effect.gen(function*() {
        const desk = yield* DeadLetters.DeadLetters
        const actor = C.fresh("Actor")
        on.actors.add(actor)
        yield* added({ input: C.fresh("twice"), actor })
        on.actors.delete(actor)
        yield* sweep
        const letter = (yield* desk.list(true)).find(({ reason }) => reason.includes(`actor ${actor}`))
        const order = { letter: letter?.id ?? "", by: "ada", reason: "" }
        const results = yield* Effect.all(
          [Effect.result(desk.replay(order)), Effect.result(desk.drop(order)), Effect.result(desk.replay(order))],
          { concurrency: "unbounded" }
        )
        assert.lengthOf(results.filter(({ _tag }) => _tag === "Success"), 1)
        const rows = (yield* Effect.flatMap(Log.Log, (log) => log.rows(D.installation)))
          .flatMap(({ body }) => body.kind === "letter" && body.letter === letter?.id ? [body.what] : [])
        assert.lengthOf(rows, 2)
        assert.strictEqual(rows[0], "filed")
      }).pipe(forward))
  })
}
