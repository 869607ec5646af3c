/** Following what can be read: who hears of what, how much of it, until when, and what a cut stream goes on with. */
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, type Scope } from "effect"
import { Log } from "../../../src/audit/index.ts"
import { Following } from "../../../src/door/mcp/index.ts"
import { Caller, Callers } from "../../../src/session/index.ts"
import { address, type Answer, letIn, send, served } from "../http/world.ts"
import { call, client, follow, heard, until } from "./world.ts"

type Client = Effect.Success<ReturnType<typeof client>>

const dispatched = (one: Client, actor: string, order: string, waitSeconds = 20) =>
  Effect.map(
    call(one, "session_dispatch", { actor, input: { order }, waitSeconds }),
    ({ data }) => data.session.id as string
  )

const approvals = "aosiq://approvals"
const json = { "content-type": "application/json", accept: "application/json, text/event-stream" }
const message = (method: string, params: object, id: number | undefined = 1) =>
  JSON.stringify({ jsonrpc: "2.0", ...id === undefined ? {} : { id }, method, params })

/** A session of the protocol, spoken by hand. */
const begun = Effect.fnUntraced(function*(token: string) {
  const url = `${yield* address}/mcp`
  const headers = { ...json, authorization: `Bearer ${token}` }
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } }
  const answer = yield* send(url, { method: "POST", headers, body: message("initialize", params) })
  const own = { ...headers, "mcp-session-id": answer.headers.get("mcp-session-id") ?? "" }
  return {
    answer,
    post: (method: string, params: object): Effect.Effect<Answer> =>
      send(url, { method: "POST", headers: own, body: message(method, params) }),
    stream: (more: Record<string, string> = {}) => streamed(url, { ...own, ...more })
  }
})

// oxlint-disable-next-line no-restricted-globals -- a stream as any client reads it
const fetched = (url: string, init: RequestInit) => fetch(url, init)

/** An event stream that is read as it comes. */
const streamed = (url: string, headers: Record<string, string>, init: RequestInit = {}) =>
  Effect.gen(function*() {
    const abort = new AbortController()
    yield* Effect.addFinalizer(() => Effect.sync(() => abort.abort()))
    const response = yield* Effect.promise(() => fetched(url, { headers, signal: abort.signal, ...init }))
    const got = { status: response.status, text: "", isOver: false, cut: () => abort.abort() }
    const read = async () => {
      const decoder = new TextDecoder()
      for await (const piece of response.body ?? []) got.text += decoder.decode(piece, { stream: true })
    }
    void read().catch(() => undefined).finally(() => (got.isOver = true))
    return got
  }) satisfies Effect.Effect<unknown, never, Scope.Scope>

/** A subscription of the revision without sessions. */
const listening = (url: string, token: string, resourceSubscriptions: ReadonlyArray<string>) =>
  streamed(url, {}, {
    method: "POST",
    headers: {
      ...json,
      authorization: `Bearer ${token}`,
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "subscriptions/listen"
    },
    body: message("subscriptions/listen", {
      notifications: { resourceSubscriptions },
      _meta: {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { name: "t", version: "1" },
        "io.modelcontextprotocol/clientCapabilities": {}
      }
    }, 7)
  })

layer(served({ perSecond: 10_000, burst: 10_000 }), { excludeTestServices: true, timeout: "60 seconds" })(
  "following",
  (it) => {
    it.effect(
      "tells a session of its record, of what waits and of proposals, and no other session",
      () =>
        Effect.gen(function*() {
          const mine = yield* client(yield* letIn("mine", "operator"))
          const other = yield* client(yield* letIn("other", "viewer"))
          const [told, toldOther] = [heard(mine), heard(other)]
          assert.isTrue(mine.getServerCapabilities()?.resources?.subscribe)
          const session = yield* dispatched(mine, "Shop", "f1")
          const record = `aosiq://sessions/${session}/audit`
          assert.strictEqual(yield* follow(mine, record), "")
          assert.strictEqual(yield* follow(mine, approvals), "")
          assert.strictEqual(yield* follow(other, "aosiq://proposals"), "")
          const { binding, id } = (yield* call(mine, "approvals_list")).data.tickets.find((one: { session: string }) =>
            one.session === session
          )
          const approver = yield* client(yield* letIn("decides", "approver"))
          yield* call(approver, "approval_decide", { tickets: [{ id, binding }], approve: false, reason: "no" })
          yield* until(() => told.includes(record) && told.includes(approvals))
          // A session that ended with something else than a proposal is no news of proposals.
          yield* dispatched(mine, "Clerk", "f2")
          yield* Effect.promise(() => mine.unsubscribeResource({ uri: approvals }))
          yield* Effect.sleep("1 second")
          const last = told.filter((uri) => uri === approvals).length
          yield* dispatched(mine, "Shop", "f3")
          yield* Effect.sleep("1200 millis")
          assert.lengthOf(told.filter((uri) => uri === approvals), last)
          assert.deepStrictEqual(new Set(told), new Set([record, approvals]))
          assert.deepStrictEqual(toldOther, [])
        }).pipe(Effect.scoped),
      60_000
    )

    it.effect("is for what there is, and for so much of it", () =>
      Effect.gen(function*() {
        const mine = yield* client(yield* letIn("bounded", "operator"))
        for (
          const uri of [
            "aosiq://secrets",
            "file:///etc/passwd",
            "aosiq://sessions/a/b/audit",
            "aosiq://sessions//audit"
          ]
        ) {
          assert.include(yield* follow(mine, uri), "nothing to follow")
        }
        assert.include(yield* follow(mine, "aosiq://sessions/ses_none/audit"), "no session ses_none")
        const { data } = yield* call(mine, "swarm_dispatch", {
          actor: "Clerk",
          inputs: Array.from({ length: Following.maxFollowed / 2 }, (_, at) => ({ order: `b${at}` })),
          budgetMicroUsd: 0
        })
        const ids = data.sessions.map(({ session }: { session: { id: string } }) => session.id)
        for (const id of ids) {
          assert.strictEqual(yield* follow(mine, `aosiq://sessions/${id}/audit`), "")
          assert.strictEqual(yield* follow(mine, `aosiq://proposals/${id}`), "")
        }
        assert.include(yield* follow(mine, approvals), "at the most")
        // What is followed already is not one more.
        assert.strictEqual(yield* follow(mine, `aosiq://sessions/${ids[0]}/audit`), "")
      }).pipe(Effect.scoped), 60_000)

    it.effect("ends for a caller that was revoked, within a second", () =>
      Effect.gen(function*() {
        const runs = yield* client(yield* letIn("runs", "operator"))
        const { post, stream } = yield* begun(yield* letIn("leaves", "viewer"))
        yield* post("resources/subscribe", { uri: approvals })
        const events = yield* stream()
        yield* dispatched(runs, "Shop", "r1")
        yield* until(() => events.text.includes(approvals))
        const { text } = events
        const callers = yield* Callers.Callers
        yield* callers.revoke({ caller: Caller.Name.make("leaves"), by: "local:ada", reason: "left" })
        const began = performance.now()
        yield* until(() => events.isOver)
        assert.isBelow(performance.now() - began, 1500)
        yield* dispatched(runs, "Shop", "r2")
        assert.strictEqual(events.text, text)
        assert.strictEqual((yield* stream()).status, 401)
      }).pipe(Effect.scoped), 60_000)

    it.effect("goes on after a cut, with the latest about each thing once", () =>
      Effect.gen(function*() {
        const token = yield* letIn("cut", "operator")
        const runs = yield* client(token)
        const { post, stream } = yield* begun(token)
        yield* post("resources/subscribe", { uri: approvals })
        const first = yield* stream()
        yield* dispatched(runs, "Shop", "c1")
        yield* until(() => first.text.includes("id: 1\n"))
        first.cut()
        yield* dispatched(runs, "Shop", "c2")
        yield* dispatched(runs, "Shop", "c3")
        const second = yield* stream({ "last-event-id": "1" })
        yield* until(() => second.text.includes("data:"))
        assert.strictEqual(second.text.split("data:").length, 2)
        assert.include(second.text, "id: 2\n")
        // One that its client never saw comes again; the stream that was open ends.
        const third = yield* stream({ "last-event-id": "1" })
        yield* until(() => third.text.includes("id: 2\n") && second.isOver)
        // Nothing is told twice to whoever does not ask for it.
        const fourth = yield* stream()
        yield* Effect.sleep("700 millis")
        assert.notInclude(fourth.text, "data:")
        assert.strictEqual((yield* stream({ accept: "application/json" })).status, 406)
      }).pipe(Effect.scoped), 60_000)

    it.effect("is there for the revision without sessions, too", () =>
      Effect.gen(function*() {
        const url = `${yield* address}/mcp`
        const token = yield* letIn("listens", "operator")
        const runs = yield* client(token)
        const listen = (uris: ReadonlyArray<string>) => listening(url, token, uris)
        const events = yield* listen([approvals])
        yield* until(() => events.text.includes("acknowledged") || events.isOver)
        assert.include(events.text, "notifications/subscriptions/acknowledged")
        yield* dispatched(runs, "Shop", "l1")
        yield* until(() => events.text.includes("notifications/resources/updated") || events.isOver)
        assert.include(events.text, "\"io.modelcontextprotocol/subscriptionId\":7")
        const refused = yield* listen(["aosiq://secrets"])
        yield* until(() => refused.isOver)
        assert.include(refused.text, "nothing to follow")
        const callers = yield* Callers.Callers
        yield* callers.revoke({ caller: Caller.Name.make("listens"), by: "local:ada", reason: "left" })
        yield* until(() => events.isOver)
      }).pipe(Effect.scoped), 60_000)
  }
)

layer(served({ streams: 2, perSecond: 10_000, burst: 10_000 }), { excludeTestServices: true, timeout: "60 seconds" })(
  "streams of one caller",
  (it) => {
    it.effect("are counted together, by whatever door they come and whatever they are", () =>
      Effect.gen(function*() {
        const url = yield* address
        const token = yield* letIn("many", "operator")
        const runs = yield* client(yield* letIn("one", "operator"))
        const session = yield* dispatched(runs, "Shop", "m1")
        const watch = streamed(`${url}/v1/sessions/${session}/events`, { authorization: `Bearer ${token}` })
        // Of another caller: the client keeps a stream of its own open.
        const { stream } = yield* begun(token)
        const second = yield* begun(token)
        const events = yield* watch
        const listens = yield* listening(`${url}/mcp`, token, [approvals])
        yield* until(() => listens.text.includes("acknowledged"))
        // Two are open: none of any kind is begun.
        assert.strictEqual((yield* watch).status, 429)
        assert.strictEqual((yield* stream()).status, 429)
        const refused = yield* listening(`${url}/mcp`, token, [approvals])
        yield* until(() => refused.isOver)
        assert.include(refused.text, "2 streams open already")
        const order = { actor: "Shop", input: { order: "m2" } }
        const call = (more: object) =>
          second.post("tools/call", { name: "session_dispatch", arguments: { ...order, ...more } })
        const list = Effect.map(Effect.flatMap(Log.Log, ({ sessions }) => sessions), ({ length }) => length)
        const before = yield* list
        assert.include((yield* call({ waitSeconds: 1 })).text, "2 streams open already")
        assert.strictEqual(yield* list, before)
        // What does not wait is no stream.
        assert.notInclude((yield* call({})).text, "streams open already")
        assert.strictEqual(yield* list, before + 1)
        // A place that is free again is anybody's of them, and a call that waits takes one.
        events.cut()
        const held = yield* Effect.repeat(stream(), { until: ({ status }) => status === 200 })
        held.cut()
        listens.cut()
        yield* Effect.repeat(call({ waitSeconds: 1 }), { until: ({ text }) => !text.includes("streams open already") })
        const waits = yield* Effect.forkChild(
          Effect.all([call({ waitSeconds: 40 }), call({ waitSeconds: 40 })], { concurrency: 2 })
        )
        yield* Effect.repeat(list, { until: (count) => count >= before + 4 })
        assert.strictEqual((yield* watch).status, 429)
        yield* Fiber.interrupt(waits)
      }).pipe(Effect.scoped), 60_000)
  }
)
