/** What callers try who want more than they were given: each is refused, and what it was for did not happen. */
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Layer, Stream } from "effect"
import { HttpDoor } from "../../../layers/http/index.ts"
import { Digest } from "../../../src/audit/index.ts"
import { defaultTerms } from "../../../src/capability/index.ts"
import { Desk } from "../../../src/operator/index.ts"
import { type Schedule, Schedules } from "../../../src/session/index.ts"
import { address, ask, ceiling, done, letIn, runtimeUnder, served } from "./world.ts"

const holds = ceiling("tool:look")
const schedule = (name: string, caller: string, grant: Schedule.Grant = holds) => ({
  name,
  actor: "Clerk",
  input: { order: "s" },
  grant,
  caller,
  when: { kind: "at", instants: [4_000_000_000_000] },
  overlap: "skip",
  catchUp: "none",
  jitterMs: 0
})
/** A request whose answer is left open. */
const opened = async (url: string, token: string) => {
  const ending = new AbortController()
  // oxlint-disable-next-line no-restricted-globals -- as any client sends it
  const { status } = await fetch(url, { headers: { authorization: `Bearer ${token}` }, signal: ending.signal })
  return { status, end: () => ending.abort() }
}
const schedules = Effect.flatMap(Schedules.Schedules, ({ list }) => list)

layer(served({ perSecond: 10_000, burst: 10_000 }), { excludeTestServices: true, timeout: "60 seconds" })(
  "an operator",
  (it) => {
    it.effect("makes no schedule that goes beyond its ceiling in any term", () =>
      Effect.gen(function*() {
        const url = yield* address
        const token = yield* letIn("otto", "operator", holds)
        const { limits } = defaultTerms
        const wider: ReadonlyArray<Schedule.Grant> = [
          ...(["budgetMicroUsd", "lifetimeSeconds", "depth"] as const).map((term) => ({
            ...holds,
            [term]: holds[term] + 1
          })),
          ...Object.entries(limits).map(([term, most]) => ({ ...holds, limits: { ...limits, [term]: most + 1 } })),
          { ...holds, capabilities: ["tool:look", "tool:refund"] }
        ]
        assert.lengthOf(wider, 10)
        for (const grant of wider) {
          const { status, text } = yield* ask(token, "POST", `${url}/v1/schedules`, schedule("wide", "otto", grant))
          assert.strictEqual(status, 403, text)
        }
        assert.lengthOf(yield* schedules, 0)
        // What says nothing of how many sessions it starts may start as many as usual, and no more than the ceiling has.
        const { children: _, descendants: __, ...some } = limits
        const few = yield* letIn("fred", "operator", { ...holds, limits: { ...limits, children: 1 } })
        const silent = schedule("silent", "fred", { ...holds, limits: some })
        assert.strictEqual((yield* ask(few, "POST", `${url}/v1/schedules`, silent)).status, 403)
        assert.strictEqual((yield* ask(token, "POST", `${url}/v1/schedules`, schedule("same", "otto"))).status, 201)
      }))

    it.effect("has no act done once more that only an approver lets happen", () =>
      Effect.gen(function*() {
        const url = yield* address
        const token = yield* letIn("rick", "operator")
        const approver = yield* letIn("grace", "approver")
        const order = { actor: "Shop", input: { order: "lost-1" } }
        const { json: { id } } = yield* ask(token, "POST", `${url}/v1/sessions`, order)
        const session = `${url}/v1/sessions/${id}`
        yield* Effect.repeat(ask(token, "GET", session), { until: ({ json }) => json.status === "waiting" })
        const [ticket] = (yield* ask(token, "GET", `${url}/v1/approvals?state=proposed`)).json.items
        const decision = { tickets: [{ id: ticket.id, binding: ticket.binding }], approve: true, reason: "" }
        assert.strictEqual((yield* ask(approver, "POST", `${url}/v1/approvals/decide`, decision)).status, 200)
        const { json: { items: [{ id: unknown }] } } = yield* Effect.repeat(ask(token, "GET", `${url}/v1/unknown`), {
          until: ({ json }) => json.items.length > 0
        })
        assert.deepStrictEqual(done.filter((what) => what === "refund lost-1"), ["refund lost-1"])
        const rows = (yield* ask(token, "GET", session)).json.rows
        const word = { unknown, choice: "retry", reason: "again" }
        assert.strictEqual((yield* ask(token, "POST", `${url}/v1/unknown/settle`, word)).status, 403)
        assert.strictEqual((yield* ask(token, "GET", session)).json.rows, rows)
        // It knows what became of it, and says so.
        const known = { ...word, choice: "not_done" }
        assert.strictEqual((yield* ask(token, "POST", `${url}/v1/unknown/settle`, known)).status, 200)
        assert.deepStrictEqual(done.filter((what) => what === "refund lost-1"), ["refund lost-1"])
      }))

    it.effect("is not told under one key about another place what was done at the first", () =>
      Effect.gen(function*() {
        const url = yield* address
        const token = yield* letIn("kim", "operator")
        const order = { actor: "Shop", input: { order: "k" } }
        const open = Effect.map(
          ask(token, "POST", `${url}/v1/sessions`, order),
          ({ json }) => `${url}/v1/sessions/${json.id}`
        )
        const [one, other] = [yield* open, yield* open]
        const key = { "idempotency-key": "c-1" }
        const body = { reason: "" }
        assert.strictEqual((yield* ask(token, "POST", `${one}/cancel`, body, key)).json.status, "cancelled")
        assert.strictEqual((yield* ask(token, "POST", `${other}/cancel`, body, key)).status, 422)
        assert.strictEqual((yield* ask(token, "POST", `${one}/pause`, body, key)).status, 422)
        assert.notStrictEqual((yield* ask(token, "GET", other)).json.status, "cancelled")
      }))

    it.effect("brings no name to the database that it cannot keep", () =>
      Effect.gen(function*() {
        const url = yield* address
        const token = yield* letIn("nora", "admin")
        const digest = yield* Digest.Digest
        const place = JSON.stringify({ startedAt: 1, id: "ses_\u0000" })
        const seal = digest.sha256(digest.canonical([["sessions", {}], place])).slice(0, 16)
        const forged = Buffer.from(`${seal}${place}`).toString("base64url")
        const paths = [
          "/sessions/ses_%00",
          "/sessions?actor=%00",
          "/sessions?caller=a%00",
          "/approvals/%00",
          "/dead-letters/%00",
          "/schedules/%00/history",
          "/proposals/ses_%00",
          "/audit/rows?since=0&session=ses_%00",
          "/audit/rows?since=0&kind=%00",
          // A cursor is no secret, and anybody can write one.
          `/sessions?cursor=${forged}`
        ]
        for (const path of paths) {
          const { json, status, text } = yield* ask(token, "GET", `${url}/v1${path}`)
          assert.strictEqual(status, 400, `${path} ${text}`)
          assert.strictEqual(json.type, "urn:aosiq:problem:malformed")
        }
      }))
  }
)

/** The world with a log that takes for ever to export. */
const endless = HttpDoor.layer({ port: 0 }).pipe(
  Layer.provide(Layer.effect(
    Desk.Desk,
    Effect.map(Desk.Desk, (desk) => ({
      ...desk,
      audit_export: () => Stream.map(Stream.tick("50 millis"), () => "{\"row\":{}}\n")
    }))
  )),
  Layer.provideMerge(runtimeUnder({}))
)
layer(endless, { excludeTestServices: true, timeout: "60 seconds" })("an export", (it) => {
  it.effect("under way ends when its caller is revoked", () =>
    Effect.gen(function*() {
      const url = yield* address
      const exporting = yield* Effect.forkChild(
        ask(yield* letIn("anita", "admin"), "GET", `${url}/v1/audit/export`),
        { startImmediately: true }
      )
      const admin = yield* letIn("anna", "admin")
      yield* Effect.sleep("500 millis")
      assert.isUndefined(exporting.pollUnsafe())
      const gone = yield* ask(admin, "POST", `${url}/v1/callers/anita/revoke`, { reason: "left" })
      assert.strictEqual(gone.status, 200)
      const { status, text } = yield* Effect.timeout(Fiber.join(exporting), "5 seconds")
      assert.strictEqual(status, 200)
      // What is there has no last line, and passes for no export.
      assert.include(text, "row")
      assert.notInclude(text, "\"end\"")
    }))
})

layer(served({ streams: 2, perSecond: 1000, burst: 1000 }), { excludeTestServices: true, timeout: "60 seconds" })(
  "a watcher",
  (it) => {
    it.effect("does not take all connections with streams, and has its place again when one ends", () =>
      Effect.gen(function*() {
        const url = yield* address
        const token = yield* letIn("wanda", "operator")
        const { json: { id } } = yield* ask(token, "POST", `${url}/v1/sessions`, {
          actor: "Shop",
          input: { order: "w" }
        })
        const open = (who: string) => Effect.promise(() => opened(`${url}/v1/sessions/${id}/events`, who))
        const [one, two] = [yield* open(token), yield* open(token)]
        assert.deepStrictEqual([one.status, two.status], [200, 200])
        const refused = yield* ask(token, "GET", `${url}/v1/sessions/${id}/events`)
        assert.deepStrictEqual([refused.status, refused.headers.get("retry-after")], [429, "1"])
        // Neither other requests nor other callers are in the way.
        assert.strictEqual((yield* ask(token, "GET", `${url}/v1/self`)).status, 200)
        const other = yield* open(yield* letIn("will", "viewer"))
        assert.strictEqual(other.status, 200)
        one.end()
        const three = yield* Effect.repeat(open(token), { until: ({ status }) => status === 200 })
        for (const { end } of [two, three, other]) end()
      }))
  }
)

layer(
  HttpDoor.layer({ port: 0 }).pipe(Layer.provideMerge(runtimeUnder({ requesterMayApprove: false }))),
  { excludeTestServices: true, timeout: "60 seconds" }
)("where requesters may not approve", (it) => {
  it.effect("an admin makes no schedule in a name that is not its own, to approve by itself what it asked for", () =>
    Effect.gen(function*() {
      const url = yield* address
      const token = yield* letIn("anna", "admin")
      const other = { ...schedule("mine", "bob", ceiling("tool:refund")), actor: "Shop" }
      const { status, text } = yield* ask(token, "POST", `${url}/v1/schedules`, other)
      assert.strictEqual(status, 403, text)
      assert.lengthOf(yield* schedules, 0)
      const own = { ...other, caller: "anna" }
      assert.strictEqual((yield* ask(token, "POST", `${url}/v1/schedules`, own)).status, 201)
      yield* ask(token, "POST", `${url}/v1/schedules/mine/run`)
      const tickets = ask(token, "GET", `${url}/v1/approvals?state=proposed`)
      const [ticket] = (yield* Effect.repeat(tickets, { until: ({ json }) => json.items.length > 0 })).json.items
      const decision = { tickets: [{ id: ticket.id, binding: ticket.binding }], approve: true, reason: "" }
      const decided = yield* ask(token, "POST", `${url}/v1/approvals/decide`, decision)
      assert.deepStrictEqual(decided.json.decided, [])
      assert.include(decided.text, "the requester may not decide")
      assert.notInclude(done, "refund s")
    }))
})
