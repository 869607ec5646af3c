/** What the MCP server reads for an answer: so much of the log and of the tickets as it says, however much there is. */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { HttpDoor } from "../../../layers/http/index.ts"
import { Memory } from "../../../layers/presets/index.ts"
import { Actor } from "../../../src/actor/index.ts"
import { Log } from "../../../src/audit/index.ts"
import { Store } from "../../../src/governor/index.ts"
import { Approvals } from "../../../src/session/index.ts"
import { letIn, runtime } from "../http/world.ts"
import { call, client, Writer } from "./world.ts"

/** Pages that were read, in order: what of, and how much at the most. */
const read: Array<readonly [what: string, limit: number]> = []
const never = Effect.die("all of it is read")

/** The desk over a log and a store that do not give all there is. */
const sparing = Layer.fresh(Memory.layerDesk).pipe(
  Layer.provide(
    Layer.effectContext(Effect.gen(function*() {
      const log = yield* Log.Log
      const store = yield* Store.Store
      const approvals = yield* Approvals.Approvals
      return yield* Layer.build(Layer.mergeAll(
        Layer.succeed(Log.Log, {
          ...log,
          sessions: never,
          since: () => never,
          page: (query) => (read.push(["sessions", query.limit]), log.page(query))
        }),
        Layer.succeed(Store.Store, {
          ...store,
          tickets: () => never,
          ticketPage: (query) => (read.push(["tickets", query.limit]), store.ticketPage(query))
        }),
        Layer.succeed(Approvals.Approvals, { ...approvals, list: never })
      ))
    }))
  )
)

const served = HttpDoor.layer({ port: 0, limits: { perSecond: 10_000, burst: 10_000 } }).pipe(
  Layer.provideMerge(sparing),
  Layer.provideMerge(Actor.layer(Writer)),
  Layer.provideMerge(runtime)
)

/** More than one answer has of tickets. */
const many = 104

layer(served, { excludeTestServices: true, timeout: "60 seconds" })("what is read", (it) => {
  it.effect(
    "is so much as an answer has, and that first which waits longest, or is the latest",
    () =>
      Effect.gen(function*() {
        const operator = yield* client(yield* letIn("runs", "operator"))
        const approver = yield* client(yield* letIn("decides", "approver"))
        const dispatch = (actor: string, order: string, waitSeconds = 0) =>
          Effect.map(call(operator, "session_dispatch", { actor, input: { order }, waitSeconds }), ({ data }) => data)
        const store = yield* Store.Store
        for (let at = 0; at < many; at++) yield* dispatch("Shop", `${at}`)
        const filed = yield* Effect.repeat(store.tickets(), { until: ({ length }) => length === many })
        const ids = filed.map(({ session }) => session)
        const writer = (yield* dispatch("Writer", "w", 20)).session.id
        /** What an answer says, and what was read for it. */
        const asked = <A>(ask: Effect.Effect<A>) =>
          Effect.suspend(() => {
            read.length = 0
            return Effect.map(ask, (answer) => ({ answer, read: [...read] }))
          })
        const list = (args: object = {}) =>
          asked(Effect.map(call(approver, "approvals_list", { ...args }), ({ data }) => data.tickets))
        const resource = (uri: string) =>
          asked(Effect.promise(async () => {
            const { contents: [content] } = await approver.readResource({ uri })
            return JSON.parse(content !== undefined && "text" in content ? content.text : "null")
          }))
        const sessions = (tickets: ReadonlyArray<{ readonly session: string }>) => tickets.map(({ session }) => session)

        const waiting = yield* list()
        assert.deepStrictEqual(waiting.read, [["tickets", 101]])
        assert.deepStrictEqual(sessions(waiting.answer), ids.slice(0, 100))
        const acts = yield* resource("aosiq://approvals")
        assert.deepStrictEqual([acts.read, sessions(acts.answer)], [[["tickets", 101]], ids.slice(0, 100)])
        const last = ids.at(-1) ?? ""
        const own = yield* list({ session: last })
        assert.deepStrictEqual(sessions(own.answer), [last])
        const status = yield* asked(call(approver, "session_status", { session: last }))
        assert.deepStrictEqual(status.read, [["tickets", 101]])
        assert.deepStrictEqual(status.answer.data.waitsFor, [own.answer[0].id])
        const review = yield* asked(Effect.promise(() => approver.getPrompt({ name: "review_approvals" })))
        assert.deepStrictEqual(review.read, [["tickets", 101]])

        // What was decided comes with the latest first.
        const tickets = [...waiting.answer.slice(0, 2), own.answer[0]].map(({ binding, id }) => ({ id, binding }))
        yield* call(approver, "approval_decide", { tickets, approve: false, reason: "no" })
        const denied = yield* list({ state: "denied" })
        assert.deepStrictEqual([denied.read, sessions(denied.answer)], [[["tickets", 101]], [last, ids[1], ids[0]]])

        const proposals = yield* resource("aosiq://proposals")
        assert.deepStrictEqual([proposals.read, sessions(proposals.answer)], [[["sessions", 500]], [writer]])
        // Of one session, its tree alone is read.
        const one = yield* resource(`aosiq://proposals/${writer}`)
        assert.deepStrictEqual([one.read.length, sessions(one.answer)], [1, [writer]])
        assert.lengthOf((yield* call(approver, "proposal_get", { session: writer })).data.proposals, 1)

        for (
          const ref of [
            { type: "ref/resource", uri: "aosiq://sessions/{session}/audit" },
            { type: "ref/resource", uri: "aosiq://proposals/{session}" },
            { type: "ref/prompt", name: "explain_session" }
          ] as const
        ) {
          const { answer, read } = yield* asked(
            Effect.promise(() => approver.complete({ ref, argument: { name: "session", value: "ses_" } }))
          )
          assert.deepStrictEqual(read, [["sessions", 500]])
          assert.lengthOf(answer.completion.values, 100)
          assert.strictEqual(answer.completion.values[0], writer)
        }
        const audit = yield* resource(`aosiq://sessions/${last}/audit`)
        assert.deepStrictEqual(audit.read, [])
        assert.strictEqual(audit.answer.rows[0].kind, "genesis")
      }).pipe(Effect.scoped),
    60_000
  )
})
