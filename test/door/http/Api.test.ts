/** The HTTP API, asked by real requests: what each kind of answer looks like, and what was done by then. */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Log } from "../../../src/audit/index.ts"
import { Store } from "../../../src/governor/index.ts"
import { address, type Answer, ask, ceiling, done, letIn, send, served } from "./world.ts"

const asked = { actor: "Clerk", input: { order: "o-1" } }

layer(served(), { excludeTestServices: true, timeout: "60 seconds" })("the HTTP API", (it) => {
  it.effect("lets in by a token alone, and says so as a problem", () =>
    Effect.gen(function*() {
      const url = yield* address
      const none = yield* send(`${url}/v1/sessions`)
      assert.strictEqual(none.status, 401)
      assert.strictEqual(none.headers.get("content-type"), "application/problem+json")
      assert.include(none.headers.get("www-authenticate"), "Bearer")
      assert.deepInclude(none.json, { type: "urn:aosiq:problem:unauthenticated", status: 401 })
      const wrong = yield* ask(`aosiq_${"0".repeat(12)}_${"A".repeat(43)}`, "GET", `${url}/v1/sessions`)
      assert.strictEqual(wrong.status, 401)
      const health = yield* send(`${url}/v1/health`)
      assert.deepStrictEqual([health.status, health.json], [200, { status: "up" }])
      assert.deepStrictEqual((yield* send(`${url}/v1/ready`)).json, { status: "ready" })
    }))

  it.effect("dispatches in the name of who asks, and tells how it went", () =>
    Effect.gen(function*() {
      const url = yield* address
      const token = yield* letIn("olga", "operator")
      const opened = yield* ask(token, "POST", `${url}/v1/sessions`, asked)
      assert.strictEqual(opened.status, 201, opened.text)
      assert.deepInclude(opened.json, { actor: "Clerk", caller: "olga" })
      const id: string = opened.json.id
      yield* Effect.repeat(ask(token, "GET", `${url}/v1/sessions/${id}`), {
        until: ({ json }) => json.status === "succeeded"
      })
      const rows = yield* ask(token, "GET", `${url}/v1/sessions/${id}/rows?limit=2`)
      assert.strictEqual(rows.json.items.length, 2)
      assert.strictEqual(rows.json.next, 2)
      assert.deepInclude(rows.json.items[0].body, { kind: "genesis", caller: "olga" })
      const result = yield* ask(token, "GET", `${url}/v1/sessions/${id}/result`)
      assert.deepStrictEqual(result.json, { result: "order o-1" })
      assert.deepStrictEqual((yield* ask(token, "GET", `${url}/v1/self`)).json.role, "operator")
    }))

  it.effect("says what is wrong with a request, and does nothing", () =>
    Effect.gen(function*() {
      const url = yield* address
      const token = yield* letIn("otto", "operator")
      const before = done.length
      const sessions = `${url}/v1/sessions`
      const bad = (body: string) =>
        send(sessions, {
          method: "POST",
          headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
          body
        })
      const problems: ReadonlyArray<readonly [Effect.Effect<Answer>, number, string]> = [
        [bad("{"), 400, "malformed"],
        [bad(JSON.stringify({ actor: 1 })), 400, "malformed"],
        [bad(`{"actor":"Clerk","input":${"[".repeat(100)}${"]".repeat(100)}}`), 400, "malformed"],
        [bad(`"${"x".repeat(2_000_000)}"`), 413, "too-large"],
        [ask(token, "POST", sessions, { actor: "Nobody", input: {} }), 404, "missing"],
        [ask(token, "POST", sessions, { actor: "Clerk", input: { order: 1 } }), 422, "invalid"],
        [ask(token, "POST", sessions, asked, { "content-type": "text/plain" }), 415, "media-type"],
        [ask(token, "GET", `${sessions}/ses_none`), 404, "missing"],
        [ask(token, "GET", `${url}/nothing`), 404, "missing"],
        [ask(token, "DELETE", sessions), 405, "method"],
        [ask(token, "GET", `${sessions}?limit=0`), 400, "malformed"],
        [ask(token, "GET", `${sessions}?cursor=bm9uZQ`), 400, "malformed"],
        [ask(token, "GET", `${url}/v1/audit/rows?since=0&cursor=${"A".repeat(900)}`), 400, "malformed"]
      ]
      for (const [request, status, name] of problems) {
        const { headers, json, status: was, text } = yield* request
        assert.strictEqual(was, status, text)
        assert.strictEqual(headers.get("content-type"), "application/problem+json")
        assert.deepInclude(json, { type: `urn:aosiq:problem:${name}`, status })
      }
      assert.strictEqual((yield* ask(token, "DELETE", sessions)).headers.get("allow"), "GET, POST")
      assert.strictEqual(done.length, before)
    }))

  it.effect("gives a list page by page, whatever comes meanwhile", () =>
    Effect.gen(function*() {
      const url = yield* address
      const token = yield* letIn("page", "operator")
      const open = ask(token, "POST", `${url}/v1/sessions`, asked)
      for (let at = 0; at < 5; at++) yield* open
      const seen: Array<string> = []
      let cursor: string | null = ""
      while (cursor !== null) {
        const from: string = cursor === "" ? "" : `&cursor=${cursor}`
        const { json, text } = yield* ask(token, "GET", `${url}/v1/sessions?caller=page&limit=2${from}`)
        assert.isArray(json.items, text)
        for (const { id } of json.items) seen.push(id)
        cursor = json.next
        yield* open
      }
      assert.strictEqual(seen.length, 5)
      assert.strictEqual(new Set(seen).size, 5)
    }))

  it.effect("turns a cursor down that was changed, or is of another list", () =>
    Effect.gen(function*() {
      const url = yield* address
      const token = yield* letIn("curious", "admin")
      for (let at = 0; at < 3; at++) yield* ask(token, "POST", `${url}/v1/sessions`, asked)
      const lists = ["/sessions?", "/sessions?actor=Clerk&", "/audit/rows?since=0&", "/cost?", "/agents?"]
      const cursors: Array<string> = []
      for (const list of lists) {
        const { json, text } = yield* ask(token, "GET", `${url}/v1${list}limit=1`)
        assert.isString(json.next, text)
        cursors.push(json.next)
      }
      for (const [at, list] of lists.entries()) {
        for (const [other, cursor] of cursors.entries()) {
          const { status } = yield* ask(token, "GET", `${url}/v1${list}limit=1&cursor=${cursor}`)
          assert.strictEqual(status, at === other ? 200 : 400, `${list} ${lists[other]}`)
        }
        const cursor = cursors[at] ?? ""
        for (let place = 0; place < cursor.length; place += 7) {
          const changed = `${cursor.slice(0, place)}${cursor[place] === "A" ? "B" : "A"}${cursor.slice(place + 1)}`
          const { json, status } = yield* ask(token, "GET", `${url}/v1${list}limit=1&cursor=${changed}`)
          assert.strictEqual(status, 400, changed)
          assert.strictEqual(json.type, "urn:aosiq:problem:malformed")
        }
      }
      // The rows of all sessions, page by page, are those of each.
      const seen: Array<string> = []
      for (let cursor: string | null = ""; cursor !== null;) {
        const more: string = cursor === "" ? "" : `&cursor=${cursor}`
        const { json } = yield* ask(token, "GET", `${url}/v1/audit/rows?since=0&caller=curious&limit=4${more}`)
        for (const { seq, session } of json.items) seen.push(`${session}/${seq}`)
        cursor = json.next
      }
      const log = yield* Log.Log
      const own = (yield* log.sessions).filter(({ caller }) => caller === "curious")
      assert.strictEqual(new Set(seen).size, seen.length)
      assert.isAtLeast(seen.length, own.length * 2)
    }))

  it.effect("forks within what the asker and the origin hold, and never for somebody else", () =>
    Effect.gen(function*() {
      const url = yield* address
      const token = yield* letIn("frank", "operator", { ...ceiling("tool:look"), budgetMicroUsd: 70 })
      const opened = yield* ask(token, "POST", `${url}/v1/sessions`, asked)
      const at = `${url}/v1/sessions/${opened.json.id}`
      yield* Effect.repeat(ask(token, "GET", at), { until: ({ json }) => json.status === "succeeded" })
      const before = done.length
      const log = yield* Log.Log
      const key = { "idempotency-key": "f-1" }
      const fork = yield* ask(token, "POST", `${at}/fork`, { budgetMicroUsd: 9_000_000 }, key)
      assert.strictEqual(fork.status, 201, fork.text)
      assert.deepInclude(fork.json, { actor: "Clerk", caller: "frank", parent: null })
      assert.notStrictEqual(fork.json.id, opened.json.id)
      assert.strictEqual((yield* ask(token, "POST", `${at}/fork`, { budgetMicroUsd: 9_000_000 }, key)).text, fork.text)
      yield* Effect.repeat(ask(token, "GET", `${url}/v1/sessions/${fork.json.id}`), {
        until: ({ json }) => json.status === "succeeded"
      })
      assert.strictEqual(done.length, before)
      const account = (yield* Effect.flatMap(Store.Store, (store) => store.accounts))
        .find(({ id }) => id === `session:${fork.json.id}`)
      assert.strictEqual(account?.ceiling, 70)
      const count = (yield* log.sessions).length
      const other = yield* letIn("fiona", "operator")
      const less = yield* letIn("felix", "admin", ceiling("tool:refund"))
      const refused: ReadonlyArray<readonly [Effect.Effect<Answer>, number]> = [
        [ask(other, "POST", `${at}/fork`, {}), 403],
        [ask(less, "POST", `${at}/fork`, {}), 403],
        [ask(token, "POST", `${at}/fork`, { capabilities: [] }), 403],
        [ask(token, "POST", `${at}/fork`, { seq: 2 }), 409],
        [ask(token, "POST", `${at}/fork`, { seq: 99 }), 409],
        [ask(token, "POST", `${at}/fork`, { seq: 1, checkpoint: "c" }), 422],
        [ask(token, "POST", `${at}/fork`, { seq: -1 }), 400],
        [ask(token, "POST", `${url}/v1/sessions/ses_none/fork`, {}), 404]
      ]
      for (const [request, status] of refused) {
        const { json, status: was, text } = yield* request
        assert.strictEqual(was, status, text)
        if (status === 409) assert.isString(json.remedy)
      }
      assert.lengthOf(yield* log.sessions, count)
    }))

  it.effect("carries a request out once, however often it is made under one key", () =>
    Effect.gen(function*() {
      const url = yield* address
      const token = yield* letIn("once", "operator")
      const key = { "idempotency-key": "k-1" }
      const first = yield* ask(token, "POST", `${url}/v1/sessions`, asked, key)
      const again = yield* ask(token, "POST", `${url}/v1/sessions`, asked, key)
      assert.deepStrictEqual([again.status, again.text], [first.status, first.text])
      assert.strictEqual(again.headers.get("idempotent-replayed"), "true")
      const other = yield* ask(token, "POST", `${url}/v1/sessions`, { ...asked, input: { order: "o-2" } }, key)
      assert.strictEqual(other.status, 422)
      const log = yield* Log.Log
      const own = (yield* log.sessions).filter(({ caller }) => caller === "once")
      assert.strictEqual(own.length, 1)
      // Another caller's key is another key.
      const stranger = yield* letIn("twice", "operator")
      assert.strictEqual((yield* ask(stranger, "POST", `${url}/v1/sessions`, asked, key)).status, 201)
    }))

  it.effect("tells a token once, and not again under the same key", () =>
    Effect.gen(function*() {
      const url = yield* address
      const admin = yield* letIn("anna", "admin")
      const key = { "idempotency-key": "k-2" }
      const definition = {
        name: "new",
        role: "viewer",
        ceiling: (yield* ask(admin, "GET", `${url}/v1/self`)).json.ceiling
      }
      const given = yield* ask(admin, "POST", `${url}/v1/callers`, definition, key)
      assert.strictEqual(given.status, 201, given.text)
      assert.match(given.json.token, /^aosiq_[0-9a-f]{12}_/)
      assert.strictEqual((yield* ask(given.json.token, "GET", `${url}/v1/self`)).json.name, "new")
      const again = yield* ask(admin, "POST", `${url}/v1/callers`, definition, key)
      assert.strictEqual(again.status, 409)
      assert.notInclude(again.text, given.json.token)
      const list = yield* ask(admin, "GET", `${url}/v1/callers`)
      assert.notInclude(list.text, given.json.token)
    }))
})
