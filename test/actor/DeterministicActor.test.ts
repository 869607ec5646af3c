/** A function that runs again from its top: answered where it asks for the same, stopped where it does not. */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Schema } from "effect"
import { Actor, ActorError, DeterministicActor } from "../../src/actor/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { branch } from "../../src/governor/index.ts"
import { Approvals, Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import * as W from "./world.ts"

const look = (at: string) => Effect.orDie(Tool.call(W.Look, { at }))
const deploy = (version: string) => Tool.call(W.Deploy, { version })
type Body = (run: number) => Effect.Effect<string, Effect.Error<ReturnType<typeof deploy>>, Needs>
type Needs = Effect.Services<ReturnType<typeof look>> | Effect.Services<ReturnType<typeof deploy>>

let runs = 0
let body: Body = () => Effect.succeed("")

/** Runs `body`, which is told how often it ran before: no honest actor knows. */
const Teller = DeterministicActor.make("Teller", {
  description: "does as it is told",
  input: Schema.String,
  output: Schema.String,
  tools: [W.Look, W.Deploy],
  // Whatever it dies of ends it: what is looked at here is one run after the other.
  supervision: { on: [] },
  run: () => Effect.suspend(() => body(runs++))
})

const app = Layer.provideMerge(Actor.layer(Teller), W.app)
const grant = Grant.make(["tool:look", "tool:deploy"])

/** Runs the body until it waits, approves, and runs it again. */
const twice = (what: Body) =>
  Effect.gen(function*() {
    body = what
    const dispatch = yield* Dispatch.Dispatch
    const approvals = yield* Approvals.Approvals
    const first = yield* dispatch.start(Teller, "x", { grant, caller: "test" })
    if (first._tag !== "Waiting") return assert.fail(first._tag)
    yield* approvals.decide({ ticket: first.ticket, by: "ada", approve: true, reason: "fine" })
    const ended = yield* dispatch.resume(first.session)
    return { ended, rows: yield* W.rows(first.session) }
  }).pipe(Effect.provide(app))

beforeEach(() => {
  W.done.length = 0
  W.revive()
  runs = 0
})

describe("a second run", () => {
  it.live("starts at the top and is answered from the log, with the same stamps", () =>
    Effect.gen(function*() {
      const stamps: Array<string> = []
      const { ended } = yield* twice(() =>
        Effect.gen(function*() {
          const { stamp, value } = yield* Effect.orDie(Tool.cite(W.Look, { at: "a" }))
          stamps.push(stamp)
          return `${value}, ${yield* deploy("v1")}, ${yield* look("b")}`
        })
      )
      assert.deepInclude(ended, { _tag: "Succeeded", output: "seen a, shipped v1, seen b" })
      assert.deepStrictEqual(W.done, ["look a", "deploy v1", "look b"])
      assert.strictEqual(stamps.length, 2)
      assert.strictEqual(stamps[0], stamps[1])
    }))

  it.live("meets failures again as they were, without failing again", () =>
    Effect.gen(function*() {
      const { ended } = yield* twice(() =>
        Effect.gen(function*() {
          const seen = yield* Tool.call(W.Look, { at: "nowhere" }).pipe(Effect.catchTags({
            Broken: ({ what }) => Effect.succeed(`no ${what}`),
            GovernorError: (error) => Effect.die(error)
          }))
          return `${seen}, ${yield* deploy("v1")}`
        })
      )
      assert.deepInclude(ended, { _tag: "Succeeded", output: "no nowhere, shipped v1" })
      assert.deepStrictEqual(W.done, ["look nowhere", "deploy v1"])
    }))

  it.live("of one that has ended is not made: its end is told again", () =>
    Effect.gen(function*() {
      body = () => look("a")
      const dispatch = yield* Dispatch.Dispatch
      const first = yield* dispatch.start(Teller, "x", { grant, caller: "test" })
      assert.deepStrictEqual(yield* dispatch.resume(first.session), first)
      assert.strictEqual(runs, 1)
    }).pipe(Effect.provide(app)))
})

describe("a run that asks for something else", () => {
  const differing: ReadonlyArray<readonly [name: string, what: Body, key: string]> = [
    [
      "with a changed argument",
      (run) => Effect.andThen(look(`a${run}`), deploy("v1")),
      "#0"
    ],
    [
      "in another order",
      (run) => Effect.andThen(Effect.forEach(run === 0 ? ["a", "b"] : ["b", "a"], look), deploy("v1")),
      "#0"
    ],
    [
      "with a call more, before",
      (run) => Effect.andThen(Effect.forEach(run === 0 ? ["a", "b"] : ["a", "more", "b"], look), deploy("v1")),
      "#1"
    ],
    [
      "with a call less",
      (run) => Effect.andThen(Effect.forEach(run === 0 ? ["a", "b"] : ["b"], look), deploy("v1")),
      "#0"
    ],
    [
      "of another tool",
      (run) =>
        Effect.gen(function*() {
          if (run === 0) yield* look("a")
          else yield* deploy("v0")
          return yield* deploy("v1")
        }),
      "#0"
    ]
  ]
  for (const [name, what, key] of differing) {
    it.live(`${name}, is stopped there`, () =>
      Effect.gen(function*() {
        const { ended, rows } = yield* twice(what)
        assert.deepInclude(ended, { _tag: "Failed", abandoned: false })
        assert.include(ended._tag === "Failed" ? ended.detail : "", `the run differs from the recorded one at ${key}`)
        assert.deepStrictEqual(W.bodies(rows, "noted").map((row) => row.what), ["nondeterminism"])
        assert.notInclude(W.done.join(), "deploy")
        assert.notInclude(W.done.join(), "more")
        assert.isAtMost(W.done.length, 2)
      }))
  }

  it.live("in side branches without a path of their own, is stopped too", () =>
    Effect.gen(function*() {
      const { ended } = yield* twice((run) =>
        Effect.andThen(
          Effect.all(run === 0 ? [look("a"), look("b")] : [look("b"), look("a")], { concurrency: "unbounded" }),
          deploy("v1")
        )
      )
      assert.include(ended._tag === "Failed" ? ended.detail : "", "the run differs from the recorded one")
    }))
})

describe("branches side by side", () => {
  it.live("are answered each on its own path, whichever came first", () =>
    Effect.gen(function*() {
      const { ended } = yield* twice((run) =>
        Effect.gen(function*() {
          const gate = yield* Deferred.make<void>()
          const opens = (at: string) => Effect.ensuring(look(at), Deferred.succeed(gate, undefined))
          const waits = (at: string) => Effect.andThen(Deferred.await(gate), look(at))
          const [left, right] = run === 0 ? [opens, waits] : [waits, opens]
          const seen = yield* Effect.all([
            branch("left")(Effect.andThen(left("a"), left("b"))),
            branch("right")(Effect.andThen(right("c"), right("d")))
          ], { concurrency: "unbounded" })
          return `${seen.join(", ")}, ${yield* deploy("v1")}`
        })
      )
      assert.deepInclude(ended, { _tag: "Succeeded", output: "seen b, seen d, shipped v1" })
      assert.sameMembers(W.done, ["look a", "look b", "look c", "look d", "deploy v1"])
    }))

  it.live("may wait for different people", () =>
    Effect.gen(function*() {
      body = () =>
        Effect.map(
          Effect.all([branch("a")(deploy("v1")), branch("b")(deploy("v2"))], { concurrency: 1 }),
          (shipped) => shipped.join(", ")
        )
      const dispatch = yield* Dispatch.Dispatch
      const approvals = yield* Approvals.Approvals
      const approve = (ticket: string) => approvals.decide({ ticket, by: "ada", approve: true, reason: "fine" })
      const first = yield* dispatch.start(Teller, "x", { grant, caller: "test" })
      if (first._tag !== "Waiting") return assert.fail(first._tag)
      yield* approve(first.ticket)
      const second = yield* dispatch.resume(first.session)
      if (second._tag !== "Waiting") return assert.fail(second._tag)
      assert.notStrictEqual(second.ticket, first.ticket)
      yield* approve(second.ticket)
      assert.deepInclude(yield* dispatch.resume(first.session), { output: "shipped v1, shipped v2" })
      assert.deepStrictEqual(W.done, ["deploy v1", "deploy v2"])
    }).pipe(Effect.provide(app)))
})

describe("a run that fails", () => {
  it.live("in its own words, says them", () =>
    Effect.gen(function*() {
      const Failing = DeterministicActor.make("Failing", {
        description: "fails",
        input: Schema.String,
        output: Schema.String,
        tools: [],
        run: (input) => new ActorError({ actor: "Failing", detail: `no ${input}`, abandoned: false })
      })
      const ended = yield* Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        return yield* dispatch.start(Failing, "luck", { grant: Grant.make([]), caller: "test" })
      }).pipe(Effect.provide(Actor.layer(Failing)))
      assert.deepInclude(ended, { _tag: "Failed", detail: "no luck", abandoned: false })
    }).pipe(Effect.provide(W.app)))

  it.live("by breaking down, says so without its secrets", () =>
    Effect.gen(function*() {
      body = () => Effect.die(new Error("lost password=hunter22hunter22"))
      const dispatch = yield* Dispatch.Dispatch
      const ended = yield* dispatch.start(Teller, "x", { grant, caller: "test" })
      assert.deepInclude(ended, { _tag: "Failed", abandoned: false })
      assert.match(ended._tag === "Failed" ? ended.detail : "", /^it broke down: Error: lost \[redacted:password\]$/)
    }).pipe(Effect.provide(app)))
})
