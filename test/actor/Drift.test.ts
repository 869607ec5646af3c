/** An agent that is led away step by step is paused, says so in its chain, and goes on when an operator has looked. */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Actor, Agent } from "../../src/actor/index.ts"
import type { Row } from "../../src/audit/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { Dispatch } from "../../src/session/index.ts"
import * as W from "./world.ts"

const define = (drift?: Agent.Watch | null) =>
  Agent.make("Walker", {
    description: "walks",
    input: Schema.String,
    output: Schema.Struct({ answer: Schema.String }),
    tools: [W.Look],
    backends: ["scripted"],
    instructions: "walk",
    task: (goal) => goal,
    ...(drift === undefined ? {} : { drift })
  })
const grant = Grant.make(["tool:look", "backend:scripted"])
const goal = "look after the orders queue: consumer, backlog, metrics"
const course = [
  ["orders queue consumer", "orders queue backlog", "orders queue metrics"],
  ["payroll employees archive", "salaries spreadsheet export", "passwords vault contents", "badges register"]
].flat()
const done = W.conclude({ answer: "done" })
const walk = W.turns(...course.map((at) => ({ calls: [W.look(at)] })), done, done, done, done)

const drifted = (rows: ReadonlyArray<Row.Row>) => rows.filter(({ body }) => body.kind === "drifted")
const acts = () => W.done.filter((what) => what.startsWith("look"))

beforeEach(() => {
  W.done.length = 0
  W.revive()
})

describe("an agent that drifts", () => {
  it.live("is paused before its model is asked again, and a row says how far it had gone", () =>
    Effect.gen(function*() {
      const model = yield* walk
      const Walker = yield* Agent.on(define(), model.backend)
      yield* Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        const ended = yield* dispatch.start(Walker, goal, { grant, caller: "ada" })
        assert.strictEqual(ended._tag, "Paused")
        const asked = model.prompts.length
        assert.isBelow(acts().length, course.length)
        const rows = yield* W.rows(ended.session)
        const [row] = drifted(rows)
        assert.isTrue(row?.body.kind === "drifted" && row.body.score >= row.body.threshold)
        assert.deepInclude(rows.at(-1)?.body, { kind: "noted", what: "paused" })
        // Nobody but an operator has it go on.
        assert.strictEqual((yield* dispatch.resume(ended.session))._tag, "Paused")
        assert.strictEqual(model.prompts.length, asked)
      }).pipe(Effect.provide(Actor.layer(Walker)))
    }).pipe(Effect.provide(W.app)))

  it.live("goes on when an operator resumes it, and what it had come to is accepted", () =>
    Effect.gen(function*() {
      const model = yield* walk
      const Walker = yield* Agent.on(define(), model.backend)
      yield* Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        const { session } = yield* dispatch.start(Walker, goal, { grant, caller: "ada" })
        yield* dispatch.unpause({ session, by: "grace", reason: "it does as I told it" })
        const ended = yield* dispatch.resume(session)
        assert.strictEqual(ended._tag, "Succeeded")
        assert.deepStrictEqual(acts().length, course.length)
        assert.strictEqual(drifted(yield* W.rows(session)).length, 1)
      }).pipe(Effect.provide(Actor.layer(Walker)))
    }).pipe(Effect.provide(W.app)))

  it.live("is not paused where its class does not ask for it, nor before the score that it names", () =>
    Effect.gen(function*() {
      for (const drift of [null, { threshold: 1000 }]) {
        const model = yield* walk
        const Walker = yield* Agent.on(define(drift), model.backend)
        const ended = yield* Effect.flatMap(
          Dispatch.Dispatch,
          (dispatch) => dispatch.start(Walker, goal, { grant, caller: "ada" })
        ).pipe(Effect.provide(Actor.layer(Walker)))
        assert.strictEqual(ended._tag, "Succeeded")
        assert.deepStrictEqual(drifted(yield* W.rows(ended.session)), [])
      }
    }).pipe(Effect.provide(W.app)))

  it.live("is not paused while it does what it began with, however long", () =>
    Effect.gen(function*() {
      const places = ["consumer", "backlog", "metrics"].flatMap((part) =>
        ["orders", "queue"].map((what) => `${what} ${part}`)
      )
      const model = yield* W.turns(...places.map((at) => ({ calls: [W.look(at)] })), done)
      const Walker = yield* Agent.on(define(), model.backend)
      const ended = yield* Effect.flatMap(
        Dispatch.Dispatch,
        (dispatch) => dispatch.start(Walker, goal, { grant, caller: "ada" })
      ).pipe(Effect.provide(Actor.layer(Walker)))
      assert.strictEqual(ended._tag, "Succeeded")
    }).pipe(Effect.provide(W.app)))
})
