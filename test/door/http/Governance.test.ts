/** In which mode the installation is, on every answer of every endpoint, whatever is answered; and nothing of it while it is enforced. */
import { assert, layer } from "@effect/vitest"
import { ConfigProvider, Effect, Layer } from "effect"
import { Claims } from "../../../src/capability/index.ts"
import type { Mode } from "../../../src/governor/index.ts"
import { Dispatch } from "../../../src/session/index.ts"
import { make, operations, type Request, requestsOf } from "./requests.ts"
import { address, type Answer, ask, letIn, served } from "./world.ts"

const never = "T0"
const open: ReadonlyArray<Request> = [
  ["system.health", "GET", "/health"],
  ["system.ready", "GET", "/ready"]
]
const longKey = { "idempotency-key": "k".repeat(201) }

/** Every endpoint by whoever may, by nobody, by a caller who may little, and malformed; what is beside the API; no place at all. */
const answers = Effect.gen(function*() {
  const url = yield* address
  const admin = yield* letIn("ada-admin", "admin")
  const viewer = yield* letIn("vera-viewer", "viewer")
  const dispatch = yield* Dispatch.Dispatch
  const found: Array<readonly [what: string, answer: Answer]> = []
  const note = Effect.fnUntraced(function*(what: string, asking: Effect.Effect<Answer>) {
    const answer = yield* asking
    found.push([`${what}: ${answer.status} ${answer.text.slice(0, 100)}`, answer])
  })
  for (const operation of operations) {
    const target = yield* make("somebody")
    for (const [endpoint, method, path, body] of requestsOf(operation, target)) {
      yield* note(`${endpoint} by nobody`, ask(never, method, `${url}/v1${path}`, body))
      yield* note(`${endpoint} by a viewer`, ask(viewer, method, `${url}/v1${path}`, body))
      yield* note(
        `${endpoint} malformed`,
        ask(admin, method, `${url}/v1${path}`, method === "GET" ? undefined : 7, longKey)
      )
      yield* note(`${endpoint} with another method`, ask(admin, "PUT", `${url}/v1${path.split("?", 1).join("")}`, {}))
      yield* note(endpoint, ask(admin, method, `${url}/v1${path}`, body))
    }
  }
  for (const [endpoint, method, path] of open) yield* note(endpoint, ask(admin, method, `${url}/v1${path}`))
  const { session } = yield* make("somebody")
  // In modes that let it run it has ended by itself.
  yield* Effect.ignore(dispatch.cancel({ session: Claims.SessionId.make(session), by: "ada", reason: "" }))
  yield* note("sessions.events", ask(viewer, "GET", `${url}/v1/sessions/${session}/events`))
  yield* note("sessions.events of none", ask(viewer, "GET", `${url}/v1/sessions/ses_none/events`))
  for (const path of ["/openapi.json", "/docs", "/nowhere", "/v1/nowhere", "/mcp"]) {
    yield* note(path, ask(admin, "GET", `${url}${path}`))
  }
  yield* note("too large", ask(admin, "POST", `${url}/v1/sessions`, "x".repeat(2_000_000)))
  return found
})

const limits = { perSecond: 10_000, burst: 10_000, failures: 10_000 }
const modes: ReadonlyArray<readonly [Mode.Mode, string | null]> = [
  ["warn", "warn"],
  ["disabled", "disabled"],
  ["enforced", null]
]
for (const [mode, said] of modes) {
  layer(
    served(limits).pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ AOSIQ_GOVERNANCE: mode })))),
    {
      excludeTestServices: true,
      timeout: "120 seconds"
    }
  )(`an answer while governance is ${mode}`, (it) => {
    it.effect(`says ${said ?? "nothing of it"}, whatever it is`, () =>
      Effect.gen(function*() {
        const found = yield* answers
        for (const [what, { headers }] of found) assert.strictEqual(headers.get("aosiq-governance"), said, what)
        // Of every kind, or little was asked.
        const statuses = new Set(found.map(([, { status }]) => status))
        for (const status of [200, 201, 400, 401, 403, 404, 405, 413]) {
          assert.isTrue(statuses.has(status), `${status} was not among ${[...statuses].join()}`)
        }
      }), 50_000)
  })
}
