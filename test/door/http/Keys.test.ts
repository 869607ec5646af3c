/**
 * Keys of requests, over every POST of the API: each takes one; the same request under it acts once and is answered the same,
 * and another under it is a problem and does nothing.
 */
import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Option, Schedule } from "effect"
import { HttpApi, OpenApi } from "effect/http-api"
import { Log } from "../../../src/audit/index.ts"
import { Claims } from "../../../src/capability/index.ts"
import { Api } from "../../../src/door/http/index.ts"
import { make, operations, type Request, requestsOf, type Target } from "./requests.ts"
import { address, ask, letIn, served } from "./world.ts"

/** What gives a token tells it once: asked again it does not tell it. */
const tellOnce = new Set(["callers.add", "callers.rotate"])
/**
 * What cannot be done here, for no MCP server runs, one person's word makes a rule stand, and nothing was lost: these are
 * refused, and the refusal is what is kept.
 */
const refused = ["mcp.approve", "mcp.withdraw", "rules.approve", "unknown.settle"]

/** A request that finds what it is about, so that it is carried out. */
const real = Effect.fnUntraced(function*(request: Request, { caller, session }: Target) {
  const [endpoint, method, path, body] = request
  const url = `${yield* address}/v1`
  const ann = yield* letIn(`ann-${caller}-${endpoint.replaceAll(/[^a-z]/g, "")}`, "admin")
  const now = yield* Clock.currentTimeMillis
  const until = `${new Date(now + 86_400_000).toISOString().slice(0, 16)}Z`
  const endorsement = { terms: { value: "a@b", for: { tools: ["refund"] }, until }, reason: "known" }
  const where = { actor: "Shop", act: "refund", capabilities: ["tool:refund"], where: [], definition: null }
  const rule = { terms: { ...where, maxUses: 1, expiresAt: now + 86_400_000 }, reason: "" }
  switch (endpoint) {
    case "approvals.decide": {
      const { json } = yield* ask(ann, "GET", `${url}/approvals?limit=200`)
      const { binding, id } = json.items.find((ticket: { readonly session: string }) => ticket.session === session)
      return [endpoint, method, path, { tickets: [{ id, binding }], approve: true, reason: "" }] as const
    }
    case "rules.make":
      return [endpoint, method, path, rule] as const
    case "rules.approve":
    case "rules.revoke": {
      const { json } = yield* ask(ann, "POST", `${url}/rules`, rule)
      const own = endpoint === "rules.approve" ? { binding: json.binding, reason: "" } : body
      return [endpoint, method, path.replace("R0", json.id), own] as const
    }
    case "sessions.resume": {
      yield* ask(ann, "POST", `${url}/sessions/${session}/pause`, { reason: "" })
      return request
    }
    case "sessions.endorse":
      return [endpoint, method, path, endorsement] as const
    case "endorsements.revoke": {
      const { json } = yield* ask(ann, "POST", `${url}/sessions/${session}/endorse`, endorsement)
      return [endpoint, method, path.replace(/0{64}/, json.terms), body] as const
    }
    case "callers.bind":
    case "callers.rotate":
    case "callers.revoke": {
      yield* letIn(/callers\/([^/]+)\//.exec(path)?.[1] ?? "", "viewer")
      return request
    }
    default:
      return request
  }
})

/** A run that a request wakes begins a little later, and comes to the same wait: these rows are not the request's. */
const ofRuns: ReadonlySet<string> = new Set(["started", "suspended"])

/** How much every chain holds beside, once nothing has been added by itself for a while. */
const settled = Effect.gen(function*() {
  const log = yield* Log.Log
  const recorded = Effect.gen(function*() {
    const all: Array<string> = []
    for (const { id } of yield* log.sessions) {
      const rows = yield* log.rows(id)
      all.push(`${id} ${rows.filter(({ body }) => !ofRuns.has(body.kind)).length}`)
    }
    return all.toSorted().join()
  })
  for (let before = yield* recorded;;) {
    yield* Effect.sleep("150 millis")
    const now = yield* recorded
    if (now === before) return now
    before = now
  }
})

const untilEnded = ({ session }: Target) =>
  Effect.flatMap(Log.Log, (log) =>
    Effect.repeat(log.session(Claims.SessionId.make(session)), {
      until: Option.exists(({ status }) => status === "succeeded"),
      schedule: Schedule.spaced("50 millis")
    }))

/** What fits no less, but is another request. */
const another = (body: unknown) => typeof body === "object" ? { ...body, other: 1 } : { other: 1 }

layer(served({ perSecond: 10_000, burst: 10_000, failures: 10_000 }), {
  excludeTestServices: true,
  timeout: "120 seconds"
})("a key", (it) => {
  it.effect("goes with every POST: once under it, and nothing else", () =>
    Effect.gen(function*() {
      const url = yield* address
      const token = yield* letIn("key-admin", "admin")
      const asked: Array<string> = []
      const turnedDown: Array<string> = []
      for (const operation of operations) {
        const target = yield* make(`holder-${asked.length}`)
        for (const one of requestsOf(operation, target)) {
          if (one[1] !== "POST") continue
          // Some of an operation's endpoints would find it done by the others.
          const isFirst = one === requestsOf(operation, target)[0]
          const about = isFirst ? target : yield* make(`holder-${asked.length}`)
          const at = requestsOf(operation, about).find(([endpoint]) => endpoint === one[0]) ?? one
          const [endpoint, method, path, body] = yield* real(at, about)
          asked.push(endpoint)
          const key = { "idempotency-key": `key-${endpoint}` }
          const before = yield* settled
          const long = yield* ask(token, method, `${url}/v1${path}`, body, { "idempotency-key": "k".repeat(201) })
          assert.strictEqual(long.status, 400, endpoint)
          assert.strictEqual(yield* settled, before, endpoint)
          const first = yield* ask(token, method, `${url}/v1${path}`, body, key)
          const what = `${endpoint} ${first.status} ${first.text.slice(0, 200)}`
          if (first.status >= 300) turnedDown.push(what)
          assert.isNull(first.headers.get("idempotent-replayed"), what)
          // A decision is answered before its session goes on.
          if (endpoint === "approvals.decide") yield* untilEnded(about)
          const after = yield* settled

          const again = yield* ask(token, method, `${url}/v1${path}`, body, key)
          if (tellOnce.has(endpoint)) {
            assert.strictEqual(again.status, 409, what)
            assert.strictEqual(again.json.type, "urn:aosiq:problem:conflict")
            assert.notInclude(again.text, first.json.token)
          } else {
            assert.deepStrictEqual([again.status, again.text], [first.status, first.text], what)
            assert.strictEqual(again.headers.get("content-type"), first.headers.get("content-type"), what)
            assert.strictEqual(again.headers.get("idempotent-replayed"), "true", what)
          }
          const other = yield* ask(token, method, `${url}/v1${path}`, another(body), key)
          assert.strictEqual(other.status, 422, `${what} / ${other.text}`)
          assert.strictEqual(other.json.type, "urn:aosiq:problem:invalid", what)
          assert.include(other.json.detail, "another request", what)
          assert.strictEqual(yield* settled, after, what)
        }
      }
      assert.sameMembers(turnedDown.map((what) => what.split(" ", 1)[0]), refused, turnedDown.join("\n"))
      const posts: Array<string> = []
      HttpApi.reflect(Api, {
        onGroup: () => undefined,
        onEndpoint: ({ endpoint, group }) => {
          if (endpoint.method !== "GET") posts.push(`${endpoint.method} ${group.identifier}.${endpoint.identifier}`)
        }
      })
      assert.sameMembers(asked.map((endpoint) => `POST ${endpoint}`), posts)
    }), 120_000)

  it("is declared where it may be sent, and nowhere else", () => {
    const document = OpenApi.fromApi(Api)
    for (const [path, item] of Object.entries(document.paths)) {
      for (const method of ["get", "post", "put", "patch", "delete"] as const) {
        const operation = item[method]
        if (operation === undefined) continue
        const names = operation.parameters.flatMap(({ in: where, name }) => where === "header" ? [name] : [])
        assert.strictEqual(names.includes("idempotency-key"), method === "post", `${method} ${path}`)
      }
    }
  })
})
