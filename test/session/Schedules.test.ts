/** Schedules over time, which the tests move: what they start, leave out, put off, and take up again. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Effect, Layer, Option, Schema, type Scope } from "effect"
import { TestClock } from "effect/testing"
import fc from "fast-check"
import { MemoryStore } from "../../layers/memory/index.ts"
import { digest } from "../../layers/node/Digest.ts"
import { NodeDigest } from "../../layers/node/index.ts"
import { Memory } from "../../layers/presets/index.ts"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import { Log } from "../../src/audit/index.ts"
import { Claims, defaultTerms, Grant } from "../../src/capability/index.ts"
import { Store } from "../../src/governor/index.ts"
import { DeadLetters, Dispatch, Firing, Launcher, Schedule, Schedules } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import * as C from "../governor/commits.ts"
import * as D from "./desk.ts"

/** The tests are the same in every run. */
const seed = 7301946
const minute = 60_000

/** Runs `self` with desks over a store in memory, and a launcher that does as it is told. */
const staged = <E>(
  self: (
    on: D.Stage
  ) => Effect.Effect<void, E, Schedules.Schedules | DeadLetters.DeadLetters | Store.Store | Log.Log | Scope.Scope>
) =>
  Effect.suspend(() => {
    const on = D.stage()
    return Effect.provide(self(on), D.desks(on, MemoryStore.layer.pipe(Layer.provide(NodeDigest.layer))))
  })

const sweep = Effect.flatMap(Schedules.Schedules, ({ sweep }) => sweep)
const add = (definition: Schedule.Definition) =>
  Effect.flatMap(Schedules.Schedules, (schedules) => schedules.add(definition, "grace"))
const history = (name: string) =>
  Effect.map(
    Effect.flatMap(Schedules.Schedules, (schedules) => schedules.history(name, 1000)),
    (views) => views.map(({ firing }) => firing).toReversed()
  )
const said = Effect.map(
  Effect.flatMap(Log.Log, (log) => log.rows(D.installation)),
  (rows) => rows.flatMap(({ body }) => body.kind === "scheduled" ? [body] : [])
)
/** Lets so many minutes pass, with a look each second or so. */
const pass = (minutes: number) =>
  Effect.repeat(Effect.andThen(TestClock.adjust("30 seconds"), sweep), { times: minutes * 2 - 1 })

describe("a schedule over time", () => {
  it.effect("starts its actor with what was kept, at each instant, once", () =>
    staged((on) =>
      Effect.gen(function*() {
        const made = yield* add(D.definition(D.cron("*/5 * * * *"), { input: "the input" }))
        assert.strictEqual(made.state.next, 5 * minute)
        yield* pass(16)
        assert.lengthOf(on.opened, 1)
        const first = on.opened[0]
        assert.deepInclude(first, { actor: "Walker", input: "the input", caller: "ada" })
        assert.deepStrictEqual([first?.grant.names, first?.grant.terms], [["tool:step"], defaultTerms])
        // It has not come to its end: the others were left out.
        const firings = yield* history(made.name)
        assert.deepStrictEqual(firings.map(({ instant, state }) => [instant / minute, state]), [
          [5, "opened"],
          [10, "skipped"],
          [15, "skipped"]
        ])
        on.statuses.set(first?.session ?? "", "succeeded")
        yield* pass(5)
        assert.lengthOf(on.opened, 2)
        const [listed] = yield* (yield* Schedules.Schedules).list
        assert.deepInclude(listed?.state, { last: 20 * minute, next: 25 * minute, through: 20 * minute })
      })
    ))

  it.effect("queues, and starts one after the other in their order", () =>
    staged((on) =>
      Effect.gen(function*() {
        const made = yield* add(D.definition(D.cron("* * * * *"), { overlap: "queue" }))
        yield* pass(4)
        assert.lengthOf(on.opened, 1)
        for (let turn = 1; turn <= 3; turn++) {
          on.statuses.set(on.opened.at(-1)?.session ?? "", "succeeded")
          yield* sweep
          yield* sweep
          assert.lengthOf(on.opened, turn + 1)
        }
        const sessions = (yield* history(made.name)).map(({ session }) => session)
        assert.deepStrictEqual(on.opened.map(({ session }) => session), sessions)
        const what = (yield* said).map(({ instant, what }) => [what, (instant ?? 0) / minute])
        assert.deepStrictEqual(what, [
          ["made", 0],
          ["fired", 1],
          ["opened", 1],
          ["queued", 2],
          ["queued", 3],
          ["queued", 4],
          ["fired", 2],
          ["opened", 2],
          ["fired", 3],
          ["opened", 3],
          ["fired", 4],
          ["opened", 4]
        ])
      })
    ))

  it.effect("queues a hundred at most", () =>
    staged((on) =>
      Effect.gen(function*() {
        const made = yield* add(D.definition(D.cron("* * * * *"), { overlap: "queue", catchUp: "all" }))
        yield* pass(1)
        yield* TestClock.adjust("100 minutes")
        yield* sweep
        yield* TestClock.adjust("5 minutes")
        yield* sweep
        assert.lengthOf(on.opened, 1)
        const states = (yield* history(made.name)).map(({ state }) => state)
        assert.lengthOf(states.filter((state) => state === "waiting"), Firing.maxQueued)
        assert.lengthOf(states.filter((state) => state === "skipped"), 5)
      })
    ))

  it.effect("ends the one before, where it says so", () =>
    staged((on) =>
      Effect.gen(function*() {
        const made = yield* add(D.definition(D.cron("* * * * *"), { overlap: "cancel_previous" }))
        yield* pass(3)
        const sessions = (yield* history(made.name)).map(({ session }) => session)
        assert.deepStrictEqual(on.opened.map(({ session }) => session), sessions)
        assert.deepStrictEqual(on.cancelled, sessions.slice(0, 2))
        const fired = (yield* said).filter(({ what }) => what === "fired").map(({ detail }) => detail)
        assert.deepStrictEqual(fired, ["", `it ends ${sessions[0]}`, `it ends ${sessions[1]}`])
      })
    ))

  it.effect("is kept from nothing by a session that is paused or waits for a person elsewhere", () =>
    staged((on) =>
      Effect.gen(function*() {
        yield* add(D.definition(D.cron("* * * * *")))
        yield* pass(1)
        on.statuses.set(on.opened[0]?.session ?? "", "paused")
        yield* pass(1)
        assert.lengthOf(on.opened, 2)
        on.statuses.set(on.opened[1]?.session ?? "", "waiting")
        yield* pass(1)
        assert.lengthOf(on.opened, 2)
      })
    ))

  for (
    const [catchUp, expected, skipped] of [
      ["none", [1, 240], 1],
      ["last", [1, 180, 240], 1],
      ["all", [1, 60, 120, 180, 240], 0]
    ] as const
  ) {
    it.effect(`makes up for ${catchUp} of what it missed, and says what it left out`, () =>
      staged((on) =>
        Effect.gen(function*() {
          const when = D.cron("0 * * * *")
          const made = yield* add(D.definition(when, { catchUp, overlap: "queue" }))
          const done = Effect.gen(function*() {
            yield* sweep
            for (const { session } of on.opened) on.statuses.set(session, "succeeded")
          })
          yield* TestClock.adjust("1 minute")
          yield* (yield* Schedules.Schedules).run({ schedule: made.name, by: "ada" })
          yield* Effect.repeat(done, { times: 3 })
          // Nobody is there for a little over three hours.
          yield* TestClock.adjust("184 minutes")
          yield* Effect.repeat(done, { times: 6 })
          yield* TestClock.adjust("55 minutes")
          yield* Effect.repeat(done, { times: 3 })
          const fired = (yield* history(made.name)).filter(({ state }) => state === "opened")
          assert.deepStrictEqual(fired.map(({ instant }) => instant / minute), [...expected])
          assert.lengthOf((yield* said).filter(({ what }) => what === "skipped"), skipped)
        })
      ))
  }

  it.effect("does not start twice what a clock that goes back shows again", () =>
    staged((on) =>
      Effect.gen(function*() {
        const made = yield* add(D.definition(D.cron("* * * * *"), { overlap: "cancel_previous" }))
        yield* pass(3)
        yield* TestClock.setTime(minute)
        yield* pass(2)
        assert.lengthOf(on.opened, 3)
        yield* pass(1)
        assert.lengthOf(on.opened, 4)
        // Nor when somebody has it start over from there.
        const schedules = yield* Schedules.Schedules
        yield* TestClock.setTime(2 * minute - 1)
        yield* schedules.pause({ schedule: made.name, by: "ada" })
        yield* schedules.resume({ schedule: made.name, by: "ada" })
        yield* pass(3)
        assert.deepStrictEqual((yield* history(made.name)).map(({ instant }) => instant / minute), [1, 2, 3, 4])
        assert.lengthOf(on.opened, 4)
      })
    ))

  it.effect("puts starts off by chance, each once and no further than it says", () =>
    staged((on) =>
      Effect.gen(function*() {
        const made = yield* add(D.definition(D.cron("* * * * *"), { jitterMs: 40_000, overlap: "cancel_previous" }))
        yield* pass(30)
        const firings = yield* history(made.name)
        const offs = firings.map(({ instant, notBefore }) => notBefore - instant)
        assert.isTrue(offs.every((off) => 0 <= off && off <= 40_000))
        assert.isAbove(new Set(offs).size, 5)
        assert.isAbove(on.opened.length, 25)
        const sessions = on.opened.map(({ session }) => session)
        assert.deepStrictEqual(sessions, [...new Set(sessions)])
      })
    ))

  it.effect("keeps the last thousand of its firings, and the one that runs", () =>
    staged((on) =>
      Effect.gen(function*() {
        const made = yield* add(D.definition(D.cron("* * * * *"), { catchUp: "all" }))
        for (let look = 0; look < 11; look++) {
          yield* TestClock.adjust("100 minutes")
          yield* sweep
        }
        const store = yield* Store.Store
        const kept = yield* store.records({ kind: "firing", owner: made.id, limit: 10_000 })
        assert.isAtMost(kept.length, Firing.maxKept + 2)
        assert.strictEqual(kept[0]?.state, "opened")
        assert.lengthOf(on.opened, 1)
      })
    ))

  it.effect("leaves out what waits when it is removed or paused", () =>
    staged((on) =>
      Effect.gen(function*() {
        const schedules = yield* Schedules.Schedules
        for (const end of [schedules.remove, schedules.pause]) {
          const made = yield* add(D.definition(D.cron("* * * * *"), { overlap: "queue" }))
          yield* pass(2)
          const before = on.opened.length
          yield* end({ schedule: made.name, by: "ada" })
          for (const { session } of on.opened) on.statuses.set(session, "succeeded")
          yield* pass(2)
          assert.strictEqual(on.opened.length, before)
          assert.lengthOf(
            (yield* said).filter(({ detail }) => detail.startsWith("its schedule was")),
            end === schedules.remove ? 1 : 2
          )
        }
      })
    ))

  it.effect("is served though another cannot be, and waits for a log that is away", () =>
    staged((on) =>
      Effect.gen(function*() {
        const made = yield* add(D.definition(D.cron("* * * * *")))
        on.isUp = false
        yield* pass(1)
        assert.lengthOf(on.opened, 0)
        assert.deepStrictEqual((yield* history(made.name)).map(({ state }) => state), ["opening"])
        on.isUp = true
        yield* sweep
        assert.lengthOf(on.opened, 1)
        assert.deepStrictEqual((yield* history(made.name)).map(({ state }) => state), ["opened"])
      })
    ))
})

describe("a firing", () => {
  const parts = { schedule: Schedule.Name.make("x"), owner: "sch_1", notBefore: 60_000, terms: C.hashOf("x") }

  it("has a session whose name follows from schedule and instant, and by whom it was started", () => {
    const sessionOf = (owner: string, instant: number, by: string | null = null) =>
      Firing.make(digest, { ...parts, owner, instant, by }).session
    assert.match(sessionOf("sch_1", 60_000), /^ses_[0-9a-f]{26}$/)
    assert.strictEqual(sessionOf("sch_1", 60_000), sessionOf("sch_1", 60_000))
    const all = [sessionOf("sch_1", 60_000), sessionOf("sch_1", 120_000), sessionOf("sch_2", 60_000)]
    assert.lengthOf([...new Set([...all, sessionOf("sch_1", 60_000, "ada")])], 4)
  })

  it.effect("that could not be opened yet is in the way of the next", () =>
    staged((on) =>
      Effect.gen(function*() {
        const made = yield* add(D.definition(D.cron("* * * * *")))
        on.isUp = false
        yield* pass(2)
        assert.deepStrictEqual((yield* history(made.name)).map(({ state }) => state), ["opening", "skipped"])
        on.isUp = true
        yield* sweep
        assert.lengthOf(on.opened, 1)
      })
    ))
})

describe("a start that breaks down", () => {
  it.effect("is set aside, and keeps no other from its turn", () =>
    staged((on) =>
      Effect.gen(function*() {
        const broken = yield* add(D.definition(D.cron("* * * * *"), { input: "broken" }))
        yield* add(D.definition(D.cron("* * * * *"), { input: "whole" }))
        on.at = (when, { input }) =>
          when === "before" && input === "broken" ? Effect.die(new Error("password=hunter22hunter22")) : Effect.void
        yield* pass(1)
        assert.deepStrictEqual(on.opened.map(({ input }) => input), ["whole"])
        const [letter, ...others] = yield* (yield* DeadLetters.DeadLetters).list(true)
        assert.deepStrictEqual(others, [])
        assert.deepInclude(letter?.payload, { schedule: broken.name, instant: minute })
        assert.match(letter?.reason ?? "", /^it broke down: /)
        assert.notInclude(JSON.stringify(letter), "hunter22")
        assert.deepStrictEqual((yield* history(broken.name)).map(({ state }) => state), ["dead"])
        // What is dead is in nobody's way.
        on.at = () => Effect.void
        yield* pass(1)
        assert.sameMembers(on.opened.map(({ input }) => input), ["whole", "broken"])
      })
    ))
})

describe("a start by hand", () => {
  it.effect("is made now, by whoever asks, and moves no other", () =>
    staged((on) =>
      Effect.gen(function*() {
        const schedules = yield* Schedules.Schedules
        const made = yield* add(D.definition(D.cron("0 0 1 1 *")))
        yield* TestClock.adjust("7 seconds")
        const firing = yield* schedules.run({ schedule: made.name, by: "ada" })
        assert.deepInclude(firing, { by: "ada", instant: 7000, state: "opening" })
        assert.deepStrictEqual(on.opened.map(({ session }) => session), [firing.session])
        assert.deepStrictEqual((yield* schedules.list)[0]?.state, made.state)
        assert.deepInclude((yield* said)[1], { what: "fired", by: "ada", instant: 7000 })
        // Its overlap policy holds for people too.
        yield* TestClock.adjust("1 second")
        assert.deepInclude(yield* schedules.run({ schedule: made.name, by: "ada" }), { state: "skipped" })
        assert.lengthOf(on.opened, 1)
      })
    ))
})

describe("a schedule that cannot be made", () => {
  const refused: ReadonlyArray<readonly [string, Partial<Schedule.Definition>, RegExp]> = [
    ["an expression that is none", { when: D.cron("soon") }, /segments/],
    ["a day that never comes", { when: D.cron("0 0 31 2 *") }, /no date ever matches/],
    ["a zone that is none", { when: D.cron("* * * * *", "Mars/Olympus") }, /time zone/],
    ["instants that have passed", { when: D.at(0) }, /has passed/],
    ["an actor that nobody knows", { actor: "Stranger" }, /no actor Stranger/],
    ["an input that does not fit", { input: { not: "text" } }, /does not fit/]
  ]
  for (const [name, parts, why] of refused) {
    it.effect(`for ${name}, leaves no trace`, () =>
      staged((on) =>
        Effect.gen(function*() {
          const error = yield* Effect.flip(add(D.definition(D.cron("* * * * *"), parts)))
          assert.strictEqual(error.reason._tag, "NotSchedulable")
          assert.match(error.message, why)
          assert.deepStrictEqual(yield* (yield* Schedules.Schedules).list, [])
          assert.deepStrictEqual(yield* said, [])
          yield* pass(2)
          assert.deepStrictEqual(on.opened, [])
        })
      ))
  }

  it.effect("for a name that is taken, leaves the other as it is", () =>
    staged(() =>
      Effect.gen(function*() {
        const made = yield* add(D.definition(D.cron("* * * * *")))
        const error = yield* Effect.flip(add({ ...D.definition(D.cron("5 * * * *")), name: made.name }))
        assert.match(error.message, /there is a schedule/)
        assert.deepStrictEqual(yield* (yield* Schedules.Schedules).list, [made])
      })
    ))
})

// --- any history -----------------------------------------------------------------

type Move =
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "sweep"; readonly by: number }
  | { readonly kind: "crash"; readonly when: "before" | "after"; readonly by: number }
  | { readonly kind: "end" }

const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({ kind: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 3 * minute }) }),
  fc.record({ kind: fc.constant("sweep" as const), by: fc.nat(2) }),
  fc.record({ kind: fc.constant("crash" as const), when: fc.constantFrom("before", "after"), by: fc.nat(2) }),
  fc.constant({ kind: "end" as const })
)

describe("three processes that crash", () => {
  it.live("start every instant once or say that they left it out, in whatever order they come", () =>
    Effect.gen(function*() {
      const seen = { opened: 0, skipped: 0, crashed: 0 }
      const play = (overlap: Schedule.Overlap, catchUp: Schedule.CatchUp, moves: ReadonlyArray<Move>) =>
        staged((on) =>
          Effect.gen(function*() {
            const made = yield* add(D.definition(D.cron("* * * * *"), { overlap, catchUp }))
            const desks = yield* Effect.all([D.another(on), D.another(on), D.another(on)])
            const sweepBy = (by: number) => {
              const desk = desks[by]
              return desk === undefined ? assert.fail("there are three") : Context.get(desk, Schedules.Schedules).sweep
            }
            const settle = Effect.sync(() => on.opened.forEach(({ session }) => on.statuses.set(session, "succeeded")))
            for (const one of moves) {
              if (one.kind === "wait") yield* TestClock.adjust(one.ms)
              if (one.kind === "sweep") yield* sweepBy(one.by)
              if (one.kind === "end") yield* settle
              if (one.kind === "crash") {
                on.at = (now) =>
                  now === one.when
                    ? Effect.sync(() => seen.crashed++).pipe(Effect.andThen(Effect.interrupt))
                    : Effect.void
                yield* Effect.exit(sweepBy(one.by))
                on.at = () => Effect.void
              }
            }
            for (let turn = 0; turn < 200; turn++) {
              yield* settle
              yield* sweepBy(turn % 3)
            }
            const now = yield* Clock.currentTimeMillis
            const firings = yield* history(made.name)
            const states = new Set(firings.map(({ state }) => state))
            assert.isTrue([...states].every((state) => state === "opened" || state === "skipped"), [...states].join())
            const sessions = on.opened.map(({ session }) => session)
            assert.deepStrictEqual(sessions, [...new Set(sessions)])
            const started = firings.filter(({ state }) => state === "opened")
            assert.sameMembers(sessions, started.map(({ session }) => session))
            const rows = yield* said
            for (let instant = minute; instant <= now; instant += minute) {
              const about = rows.filter((row) => row.instant === instant).map(({ what }) => what)
              const isOpened = about.filter((what) => what === "opened").length === 1
              if (isOpened) assert.lengthOf(about.filter((what) => what === "fired"), 1)
              seen[isOpened ? "opened" : "skipped"]++
              if (catchUp === "all" && overlap !== "skip") assert.isTrue(isOpened)
            }
            const log = yield* Log.Log
            assert.deepStrictEqual(C.faults(yield* log.rows(D.installation)), [])
          })
        ).pipe(Effect.scoped, Effect.provide(TestClock.layer()))
      yield* Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(
            fc.constantFrom<Schedule.Overlap>("skip", "queue", "cancel_previous"),
            fc.constantFrom<Schedule.CatchUp>("none", "last", "all"),
            fc.array(move, { minLength: 1, maxLength: 30 }),
            (overlap, catchUp, moves) => Effect.runPromise(play(overlap, catchUp, moves))
          ),
          { seed, numRuns: 60 }
        )
      )
      assert.isAbove(Math.min(seen.opened, seen.skipped, seen.crashed), 20)
    }))
})

// --- the whole runtime -------------------------------------------------------------

const Step = Tool.make("step", {
  description: "takes a step",
  capabilities: ["tool:step"],
  params: Schema.String,
  success: Schema.String
})
const steps: Array<string> = []

const Walker = DeterministicActor.make("Walker", {
  description: "takes a step",
  input: Schema.String,
  output: Schema.String,
  tools: [Step],
  run: (name) => Tool.call(Step, name)
})
let plot: Effect.Effect<unknown, ScheduleTrouble, Reach> = Effect.void
type Reach = Schedules.Schedules | DeadLetters.DeadLetters | Launcher.Launcher
type ScheduleTrouble = Schedules.ScheduleError | DeadLetters.DeadLetterError | Dispatch.DispatchError
const told: Array<string> = []

/** An actor that was handed desks that are people's. */
const Plotter = DeterministicActor.make("Plotter", {
  description: "reaches for what is not its own",
  input: Schema.String,
  output: Schema.String,
  tools: [],
  run: () =>
    Effect.suspend(() => plot).pipe(Effect.match({
      onFailure: ({ reason }) => (told.push(reason._tag), reason._tag),
      onSuccess: () => (told.push("done"), "done")
    }))
})

const runtime = Layer.mergeAll(Actor.layer(Walker), Actor.layer(Plotter)).pipe(
  Layer.provide(Tool.layer(Step, (name) => Effect.sync(() => (steps.push(name), `did ${name}`)))),
  Layer.provideMerge(Memory.layer())
)

describe("the whole runtime", () => {
  it.effect("runs what a schedule comes to, with its token and its accounts, and can verify all of it", () =>
    Effect.gen(function*() {
      steps.length = 0
      const log = yield* Log.Log
      const schedules = yield* Schedules.Schedules
      const definition = D.definition(D.cron("* * * * *"), { input: "one", caller: "night" })
      yield* schedules.add(definition, "grace")
      yield* TestClock.adjust("1 minute")
      yield* schedules.sweep
      // Signatures take time that no clock here counts.
      const look = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve))).pipe(
        Effect.andThen(TestClock.adjust("10 millis")),
        Effect.andThen(schedules.history(definition.name, 10))
      )
      const [view] = yield* Effect.repeat(look, { until: ([view]) => view?.status === "succeeded", times: 5000 })
      assert.deepStrictEqual(steps, ["one"])
      assert.strictEqual(view?.status, "succeeded")
      const session = Option.getOrThrow(yield* log.session(view?.firing.session ?? D.installation))
      assert.deepInclude(session, { actor: "Walker", caller: "night", parent: null })
      assert.include(session.accounts, "caller:night")
      const chain = Option.getOrThrow(yield* log.session(D.installation))
      assert.deepInclude(chain, { status: "standing", actor: "aosiq" })
      assert.deepStrictEqual(C.faults(yield* log.rows(D.installation), chain), [])
      // The same firing again is the same session.
      const dispatch = yield* Dispatch.Dispatch
      const again = { session: session.id, actor: "Walker", input: "one", grant: Grant.make([]), caller: "x" }
      assert.isFalse(yield* dispatch.open(again))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(steps, ["one"])
    }).pipe(Effect.provide(runtime)))

  it.effect("makes no schedule whose grant holds less than its actor needs", () =>
    Effect.gen(function*() {
      const schedules = yield* Schedules.Schedules
      const poor = D.definition(D.cron("* * * * *"), { grant: { capabilities: ["tool:other"], ...defaultTerms } })
      const error = yield* Effect.flip(schedules.add(poor, "grace"))
      assert.match(error.message, /Walker needs what the grant does not hold: tool:step/)
      assert.deepStrictEqual(yield* schedules.list, [])
    }).pipe(Effect.provide(runtime)))

  const attempts: ReadonlyArray<readonly [string, typeof plot]> = [
    ["make a schedule", Schedules.Schedules.use((desk) => desk.add(D.definition(D.cron("* * * * *")), "ada"))],
    ["start one by hand", Schedules.Schedules.use((desk) => desk.run({ schedule: "nightly", by: "ada" }))],
    ["remove one", Schedules.Schedules.use((desk) => desk.remove({ schedule: "nightly", by: "ada" }))],
    ["replay a letter", DeadLetters.DeadLetters.use((desk) => desk.replay({ letter: "D1", by: "ada", reason: "" }))],
    [
      "open a session of its own",
      Launcher.Launcher.use((launcher) =>
        launcher.open({
          session: Claims.SessionId.make("ses_own"),
          actor: "Walker",
          input: "mine",
          grant: Grant.make(["tool:step"]),
          caller: "ada"
        })
      )
    ]
  ]
  for (const [what, attempt] of attempts) {
    it.effect(`lets no actor ${what}, whatever it was handed`, () =>
      Effect.gen(function*() {
        told.length = 0
        steps.length = 0
        const schedules = yield* Schedules.Schedules
        const dispatch = yield* Dispatch.Dispatch
        const log = yield* Log.Log
        const nightly = { ...D.definition(D.cron("0 0 1 1 *")), name: Schedule.Name.make("nightly") }
        const made = yield* schedules.add(nightly, "grace")
        const context = yield* Effect.context<Reach>()
        plot = Effect.provideContext(attempt, context)
        yield* dispatch.start(Plotter, "x", { grant: Grant.make([]), caller: "ada" })
        assert.deepStrictEqual(told, ["InsideActor"])
        assert.deepStrictEqual(yield* schedules.list, [made])
        assert.deepStrictEqual(yield* schedules.history("nightly", 10), [])
        assert.strictEqual((yield* log.session(Claims.SessionId.make("ses_own")))._tag, "None")
        yield* TestClock.adjust("5 minutes")
        assert.deepStrictEqual(steps, [])
      }).pipe(Effect.provide(runtime)))
  }
})
