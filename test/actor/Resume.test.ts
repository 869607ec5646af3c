/** A run that ended before its time, at any moment, goes on as if it had not: answered from the log, doing nothing twice. */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Schema } from "effect"
import { Actor, Agent, DeterministicActor } from "../../src/actor/index.ts"
import { Log, type Row } from "../../src/audit/index.ts"
import { type Claims, Grant } from "../../src/capability/index.ts"
import { Store } from "../../src/governor/index.ts"
import { Approvals, Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import * as W from "./world.ts"

const Seeker = Agent.make("Seeker", {
  description: "seeks",
  input: Schema.String,
  output: Schema.String,
  tools: [W.Look, W.Deploy],
  backends: ["scripted"],
  instructions: "seek",
  task: (question) => question
})

const Walker = DeterministicActor.make("Walker", {
  description: "walks from place to place",
  input: Schema.Array(Schema.String),
  output: Schema.Array(Schema.String),
  tools: [W.Look],
  run: (places) => Effect.forEach(places, (at) => Effect.orDie(Tool.call(W.Look, { at })))
})

const Sender = DeterministicActor.make("Sender", {
  description: "sends walkers",
  input: Schema.String,
  output: Schema.Array(Schema.Array(Schema.String)),
  tools: [Walker.tool, W.Look],
  run: (name) =>
    Effect.gen(function*() {
      const first = yield* Actor.spawn(Walker, [`${name} 1`, `${name} 2`])
      const between = yield* Effect.orDie(Tool.call(W.Look, { at: "between" }))
      const second = yield* Actor.spawn(Walker, [`${name} 3`])
      return [first, [between], second]
    })
})

const grant = Grant.make(["tool:look", "tool:deploy", "backend:scripted", "spawn:Walker"])

beforeEach(() => {
  W.done.length = 0
  W.revive()
})

const agentTurns = [
  { calls: [W.look("a"), W.look("b")] },
  { text: "hm" },
  { calls: [W.look("nowhere"), W.look("c")] },
  W.conclude("there")
]

/** How often each act was done, against how often it was about to start: an act starts once for each intent. */
const counted = (rows: ReadonlyArray<Row.Row>, act: string, times: number) => {
  const intents = W.bodies(rows, "intent").filter((intent) => intent.act === act).length
  assert.isAtMost(times, intents)
  const lost = W.bodies(rows, "unknown").filter((unknown) => unknown.act === act).length
  assert.isAtLeast(times, intents - lost)
  assert.isAtMost(lost, 1)
}

const sessions = Effect.flatMap(Log.Log, (log) => log.sessions)

/** Runs `start`, dying at one commit after another until none is left to die at. */
const dyingEverywhere = <A, R, R2>(
  start: Effect.Effect<A, object, R>,
  proceed: (session: Claims.SessionId, commit: number) => Effect.Effect<void, object, R2>
) =>
  Effect.gen(function*() {
    for (const when of ["before", "after"] as const) {
      for (let at = 1;; at++) {
        W.done.length = 0
        Object.assign(W.killed, { at, when, commits: 0 })
        const known = new Set((yield* sessions).map(({ id }) => id))
        const exit = yield* Effect.exit(start)
        W.revive()
        const opened = (yield* sessions).find(({ id, parent }) => parent === null && !known.has(id))
        if (opened === undefined) return assert.fail("no session was opened")
        if (Exit.isSuccess(exit)) {
          assert.isAbove(at, 8, "there were commits to die at")
          break
        }
        yield* proceed(opened.id, at)
      }
    }
  })

describe("a run that was killed at any commit", () => {
  it.live(
    "of an agent goes on, and no model call or tool call that was recorded is made again",
    () =>
      Effect.gen(function*() {
        let said = 0
        // The turn to take is read from the conversation, so that a repeated call is answered as it was.
        const model = yield* W.model((_, prompt) => {
          said++
          return agentTurns[prompt.filter(({ role }) => role === "assistant").length] ?? {}
        })
        const agent = yield* Agent.on(Seeker, model.backend)
        yield* Effect.gen(function*() {
          const dispatch = yield* Dispatch.Dispatch
          const start = Effect.suspend(() => (said = 0, dispatch.start(agent, "find it", { grant, caller: "test" })))
          yield* dyingEverywhere(start, (id) =>
            Effect.gen(function*() {
              const ended = yield* dispatch.resume(id)
              assert.deepInclude(ended, { _tag: "Succeeded", output: "there" })
              const rows = yield* W.rows(id)
              counted(rows, "model:scripted", said)
              counted(rows, "look", W.done.length)
              const acts = [
                "model:scripted",
                "look",
                "look",
                "model:scripted",
                "model:scripted",
                "look",
                "model:scripted"
              ]
              assert.deepStrictEqual(W.succeeded(rows), acts)
              assert.strictEqual(W.bodies(rows, "ended").length, 1)
            }))
        }).pipe(Effect.provide(Actor.layer(agent)))
      }).pipe(Effect.provide(W.app)),
    60_000
  )

  it.live("of an actor with children goes on, in the same children", () =>
    Effect.gen(function*() {
      const dispatch = yield* Dispatch.Dispatch
      const start = dispatch.start(Sender, "x", { grant, caller: "test" })
      yield* dyingEverywhere(start, (id, commit) =>
        Effect.gen(function*() {
          const ended = yield* dispatch.resume(id)
          const output = [["seen x 1", "seen x 2"], ["seen between"], ["seen x 3"]]
          assert.deepInclude(ended, { _tag: "Succeeded", output }, `died at commit ${commit}`)
          const family = (yield* sessions).filter((one) => one.id.startsWith(id))
          assert.deepStrictEqual(family.map(({ actor, status }) => `${actor} ${status}`), [
            "Sender succeeded",
            "Walker succeeded",
            "Walker succeeded"
          ])
          const rows = (yield* Effect.forEach(family, (one) => W.rows(one.id))).flat()
          counted(rows, "look", W.done.length)
          assert.strictEqual(W.succeeded(rows).filter((act) => act === "look").length, 4)
        }))
    }).pipe(Effect.provide(
      Actor.layer(Sender).pipe(
        Layer.provideMerge(Actor.layer(Walker)),
        Layer.provideMerge(W.app)
      )
    )), 60_000)
})

describe("an act inside an agent that waits for a person", () => {
  const turns = [
    { calls: [W.look("a"), W.call("deploy", { version: "v1" }), W.look("b")] },
    W.conclude("shipped")
  ]
  const decided = (approve: boolean) =>
    Effect.gen(function*() {
      const model = yield* W.turns(...turns)
      const agent = yield* Agent.on(Seeker, model.backend)
      return yield* Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        const approvals = yield* Approvals.Approvals
        const first = yield* dispatch.start(agent, "ship it", { grant, caller: "test" })
        if (first._tag !== "Waiting") return assert.fail(first._tag)
        assert.deepStrictEqual([W.done.length, model.prompts.length], [1, 1])
        // Nobody has decided: it waits on, on the same ticket, and still does nothing twice.
        assert.deepInclude(yield* dispatch.resume(first.session), { _tag: "Waiting", ticket: first.ticket })
        yield* approvals.decide({ ticket: first.ticket, by: "ada", approve, reason: "because" })
        const ended = yield* dispatch.resume(first.session)
        return { ended, model, rows: yield* W.rows(first.session) }
      }).pipe(Effect.provide(Actor.layer(agent)))
    }).pipe(Effect.provide(W.app))

  it.live("goes on once it was approved", () =>
    Effect.gen(function*() {
      const { ended, model, rows } = yield* decided(true)
      assert.deepInclude(ended, { _tag: "Succeeded", output: "shipped" })
      assert.deepStrictEqual(W.done, ["look a", "deploy v1", "look b"])
      assert.strictEqual(model.prompts.length, 2)
      assert.strictEqual(W.bodies(rows, "proposed").length, 1)
    }))

  it.live("tells the model when it was denied, and does not run", () =>
    Effect.gen(function*() {
      const { ended, model } = yield* decided(false)
      assert.deepInclude(ended, { _tag: "Succeeded", output: "shipped" })
      assert.deepStrictEqual(W.done, ["look a", "look b"])
      assert.match(JSON.stringify(model.prompts[1]), /refused by approval: denied by ada: because/)
    }))

  it.live("whose process died in the middle of it is not repeated", () =>
    Effect.gen(function*() {
      const model = yield* W.turns(...turns)
      const agent = yield* Agent.on(Seeker, model.backend)
      yield* Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        const approvals = yield* Approvals.Approvals
        const first = yield* dispatch.start(agent, "ship it", { grant, caller: "test" })
        if (first._tag !== "Waiting") return assert.fail(first._tag)
        yield* approvals.decide({ ticket: first.ticket, by: "ada", approve: true, reason: "fine" })
        // Claimed, begun, and then the outcome is lost.
        Object.assign(W.killed, { at: 2, when: "before", commits: 0 })
        yield* Effect.exit(dispatch.resume(first.session))
        W.revive()
        assert.deepStrictEqual(W.done, ["look a", "deploy v1"])
        const ended = yield* dispatch.resume(first.session)
        assert.deepInclude(ended, { _tag: "Unsettled", session: first.session })
        assert.deepStrictEqual(W.done, ["look a", "deploy v1"])
      }).pipe(Effect.provide(Actor.layer(agent)))
    }).pipe(Effect.provide(W.app)))
})

describe("an agent that is asked something else when it goes on", () => {
  it.live("stops there and does nothing", () =>
    Effect.gen(function*() {
      let question = "one"
      const Fickle = Agent.make("Fickle", { ...Seeker, task: () => question })
      const model = yield* W.turns({ calls: [W.call("deploy", { version: "v1" })] })
      const agent = yield* Agent.on(Fickle, model.backend)
      yield* Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        const first = yield* dispatch.start(agent, "x", { grant, caller: "test" })
        question = "another"
        const ended = yield* dispatch.resume(first.session)
        assert.deepInclude(ended, { _tag: "Failed", abandoned: false })
        assert.match(
          ended._tag === "Failed" ? ended.detail : "",
          /the run differs from the recorded one at \/think-0#0/
        )
        assert.strictEqual(model.prompts.length, 1)
      }).pipe(Effect.provide(Actor.layer(agent)))
    }).pipe(Effect.provide(W.app)))
})

describe("what children spend", () => {
  it.live("is drawn from their parent's account and its caller's", () =>
    Effect.gen(function*() {
      const dispatch = yield* Dispatch.Dispatch
      const { session } = yield* dispatch.start(Sender, "x", { grant, caller: "ada" })
      const accounts = yield* Effect.flatMap(Store.Store, (store) => store.accounts)
      const spent = (id: string) => accounts.find((account) => account.id === id)?.spent
      const children = (yield* sessions).filter(({ parent }) => parent === session)
      assert.deepStrictEqual(children.map(({ id }) => spent(`session:${id}`)), [14, 7])
      assert.deepStrictEqual([spent(`session:${session}`), spent("caller:ada"), spent("class:Sender")], [28, 28, 28])
    }).pipe(Effect.provide(
      Actor.layer(Sender).pipe(
        Layer.provideMerge(Actor.layer(Walker)),
        Layer.provideMerge(W.app)
      )
    )))

  it.live("ends where the parent's account ends", () =>
    Effect.gen(function*() {
      const dispatch = yield* Dispatch.Dispatch
      const poor = Grant.make(["tool:look", "spawn:Walker"], { budgetMicroUsd: 20 })
      const ended = yield* dispatch.start(Sender, "x", { grant: poor, caller: "ada" })
      assert.deepInclude(ended, { _tag: "Failed" })
      assert.deepStrictEqual(W.done, ["look x 1", "look x 2"])
    }).pipe(Effect.provide(
      Actor.layer(Sender).pipe(
        Layer.provideMerge(Actor.layer(Walker)),
        Layer.provideMerge(W.app)
      )
    )))
})
