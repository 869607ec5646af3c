/** Whom fields are for: what is for some goes to nobody else, and what stands beside it goes where it may. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, type Schema } from "effect"
import { Egress, Flowing, Store } from "../../src/governor/index.ts"
import type { Flow, Label } from "../../src/trust/index.ts"
import * as C from "./commits.ts"
import { act, action, kind, marks, refused, run, send, session, stopped, world } from "./world.ts"

const anything: Flow.Rule = { name: "anything", sinks: ["outbound", "change"], arguments: { "*": "any" } }
const under = (policy: Partial<Flow.Policy> = {}, covers: Egress.Table = { post: ["clinic"] }) =>
  world().pipe(Layer.provide([
    Layer.succeed(Flowing.Current, { version: 1, rules: [anything], ...policy }),
    Egress.layer(covers)
  ]))

const answers = (json: Schema.Json) => ({
  encode: () => Effect.succeed(json),
  decode: () => Effect.succeed("")
})
const fields: Label.ReadersByField = { rest: ["clinic"], fields: { mail: [], "visits.*.bill": ["billing"] } }
/** A patient's record: the mail address is for nobody in particular. */
const patient = {
  mail: "ann@home.example",
  note: "sleeps badly",
  visits: [{ day: "2026-02-01", bill: "R-77" }]
}
const record = act(action("record", () => Effect.succeed(""), {
  trust: "trusted",
  readers: fields,
  success: answers(patient)
}))

describe("an argument", () => {
  it.effect("that stands in a field for readers goes to who covers them, and to nobody else", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      yield* run(
        id,
        Effect.gen(function*() {
          yield* record
          for (const value of ["sleeps badly", "badly", "R-77", "2026-02-01"]) {
            const { detail, layer, remedy } = yield* refused(send(value, mark))
            assert.strictEqual(layer, "policy")
            const reader = value === "R-77" ? "billing" : "clinic"
            assert.match(
              detail,
              new RegExp(`^who may read it: args is for ${reader}, whom the act does not cover, from `)
            )
            assert.include(remedy, "AOSIQ_COVERS")
          }
          yield* refused(send("R-77", mark, { name: "post" }))
          yield* send("sleeps badly", mark, { name: "post" })
          yield* send("ann@home.example", mark)
        })
      )
      assert.deepStrictEqual(done, ["sleeps badly", "ann@home.example"])
      const [outcome] = yield* kind(id, "outcome")
      assert.deepStrictEqual(outcome?.readers, fields)
      const [intent] = yield* kind(id, "intent")
      assert.deepInclude(intent, { readers: ["billing", "clinic"], byField: true })
    }).pipe(Effect.provide(under())))

  it.effect("that was made up, put together, or spelt otherwise is for all that the session knows", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      yield* run(
        id,
        Effect.gen(function*() {
          yield* send("made up before", mark)
          yield* record
          for (
            const value of [
              "c2xlZXBzIGJhZGx5",
              "mail to ann@home.example: sleeps badly",
              "ANN@home.example",
              "ann@home.example\u200b\u200c",
              "ann@home.example  "
            ]
          ) {
            assert.include((yield* refused(send(value, mark))).detail, "billing, clinic")
          }
        })
      )
      assert.deepStrictEqual(done, ["made up before"])
    }).pipe(Effect.provide(under())))

  it.effect("that a tool says again, or makes of it, is for the same readers", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const other = { name: "other", capabilities: ["tool:act"], trust: "trusted" } as const
      const encode = (json: Schema.Json) =>
        act(action("sleeps badly", () => Effect.succeed(""), { ...other, success: answers(json) }))
      const look = act(action("ann@home.example", () => Effect.succeed(""), { ...other, success: answers("42 Elm") }))
      yield* run(
        id,
        Effect.gen(function*() {
          yield* record
          yield* encode("sleeps badly")
          yield* encode({ text: "c2xlZXBzIGJhZGx5" })
          yield* look
          yield* refused(send("sleeps badly", mark))
          yield* refused(send("c2xlZXBzIGJhZGx5", mark))
          // What is made of an open field alone is open.
          yield* send("42 Elm", mark)
        })
      )
      assert.deepStrictEqual(done, ["42 Elm"])
    }).pipe(Effect.provide(under())))

  it.effect("is held to the same in the next run, which reads the labels back", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      yield* run(id, record)
      yield* run(
        id,
        Effect.gen(function*() {
          yield* record
          yield* refused(send("sleeps badly", mark))
          yield* send("ann@home.example", mark)
        })
      )
      assert.deepStrictEqual(done, ["ann@home.example"])
    }).pipe(Effect.provide(under())))

  it.effect("waits for a person where the policy says so, who is shown for whom it is", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const body = Effect.andThen(record, send("sleeps badly", mark))
      assert.strictEqual((yield* stopped(run(id, body)))._tag, "AwaitingApproval")
      assert.deepStrictEqual(done, [])
      const store = yield* Store.Store
      const [ticket] = yield* store.tickets(id)
      if (ticket === undefined) return assert.fail("no ticket")
      assert.match(ticket.shown.provenance?.[0] ?? "", /^who may read it: args is for clinic/)
      yield* store.commit(C.decide(ticket, true))
      yield* run(id, body)
      assert.deepStrictEqual(done, ["sleeps badly"])
    }).pipe(Effect.provide(under({ readers: "approve" }))))

  it.effect("is recorded and goes under a policy in shadow", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      yield* run(id, Effect.andThen(record, send("sleeps badly", mark)))
      assert.deepStrictEqual(done, ["sleeps badly"])
      assert.deepInclude((yield* kind(id, "refusal"))[0], { act: "send", layer: "policy", ran: true })
    }).pipe(Effect.provide(under({ mode: "shadow" }))))

  it.effect("goes as it is where somebody vouches for that value, and nothing beside it", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      yield* run(
        id,
        Effect.gen(function*() {
          yield* record
          yield* send("urgent", mark)
          yield* refused(send("urgent.", mark))
        })
      )
      assert.deepStrictEqual(done, ["urgent"])
    }).pipe(Effect.provide(under({
      endorsed: [{
        name: "priorities",
        by: "ada",
        reason: "a word of ours",
        value: "urgent",
        for: { tools: ["send"] },
        until: "2030-01-01T00:00Z"
      }]
    }))))

  it.effect("stays within the session where nothing leaves by the act", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      yield* run(id, Effect.andThen(record, send("sleeps badly", mark, { name: "file", sinks: ["change"] })))
      assert.deepStrictEqual(done, ["sleeps badly"])
    }).pipe(Effect.provide(under())))
})

describe("a session that has seen fields for readers", () => {
  it.effect("asks no backend that does not cover all of them: a model is shown the whole", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session({ capabilities: ["tool:act", "backend:scripted"], backends: ["scripted"] })
      const ask = act(action("think", mark, { capabilities: ["backend:scripted"], backend: "scripted" }))
      yield* run(
        id,
        Effect.andThen(record, Effect.map(refused(ask), ({ layer }) => assert.strictEqual(layer, "egress")))
      )
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(under({}, { scripted: ["clinic"] }))))

  it.effect("sends nothing at all when a record of them failed or was lost: nobody told its fields apart", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const broken = act(action("record", () => Effect.die("broken"), { readers: fields }))
      yield* run(
        id,
        Effect.gen(function*() {
          yield* Effect.exit(broken)
          assert.strictEqual((yield* refused(send("anything", mark))).layer, "egress")
        })
      )
      yield* run(
        id,
        Effect.gen(function*() {
          yield* Effect.exit(broken)
          assert.strictEqual((yield* refused(send("anything", mark))).layer, "egress")
        })
      )
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(under())))

  it.effect("sends nothing from within the handler that reads them", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      yield* run(
        id,
        act(action("relay", () => Effect.orDie(Effect.as(refused(send("sleeps badly", mark)), "held")), {
          readers: fields
        }))
      )
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(under())))
})
