/** Callers with client certificates, over real TLS: who is let in, who does not even get a connection, and who is out again. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it, layer } from "@effect/vitest"
import { Clock, Context, Effect, Exit, Fiber, Layer } from "effect"
import { HttpServer } from "effect/http"
import { readFileSync } from "node:fs"
import { Agent, request } from "node:https"
import { connect } from "node:tls"
import { HttpDoor, type Tls } from "../../../layers/http/index.ts"
import { Installation, Log } from "../../../src/audit/index.ts"
import { Caller, Callers, KnownBy } from "../../../src/session/index.ts"
import { ceiling, done, letIn, runtime } from "../../door/http/world.ts"
import { type Certificates, forClients, make, type Pair } from "./certificates.ts"

class Made extends Context.Service<Made, Certificates>()("aosiq/test/layers/http/ClientCertificate.test/Made") {}

const served = Layer.unwrap(
  Effect.map(
    Made,
    ({ ca, server }) => HttpDoor.layer({ port: 0, limits: { failures: 1000 }, tls: { ...server, clientCa: ca } })
  )
).pipe(
  Layer.provideMerge(Layer.effect(Made, make)),
  Layer.provideMerge(runtime)
)

interface Answer {
  readonly status: number
  // Whatever it is: tests look into it.
  // oxlint-disable-next-line typescript/no-explicit-any -- the shape is what is tested
  readonly json: any
}
interface Asking {
  readonly pair?: Pair | undefined
  readonly headers?: Readonly<Record<string, string>>
  readonly agent?: Agent
  readonly body?: unknown
}

/** Asks over TLS; fails when there is no connection. */
const ask = (path: string, { agent, body, headers = {}, pair }: Asking = {}) =>
  Effect.gen(function*() {
    const server = yield* HttpServer.HttpServer
    const { ca } = yield* Made
    const url = `${HttpServer.formatAddress(server.address).replace("http:", "https:")}/v1${path}`
    return yield* Effect.callback<Answer, string>((resume) => {
      const own = pair === undefined ? {} : { cert: readFileSync(pair.cert), key: readFileSync(pair.key) }
      const asked = request(
        url,
        {
          ca: readFileSync(ca),
          ...own,
          agent: agent ?? new Agent({ maxCachedSessions: 0 }),
          method: body === undefined ? "GET" : "POST",
          headers: { "content-type": "application/json", ...headers }
        },
        (response) => {
          const chunks: Array<Buffer> = []
          response.on("data", (chunk: Buffer) => chunks.push(chunk))
          response.on("end", () =>
            resume(Effect.succeed({
              status: response.statusCode ?? 0,
              json: read(Buffer.concat(chunks).toString())
            })))
        }
      )
      asked.on("error", (error) => resume(Effect.fail(error.message)))
      asked.end(body === undefined ? undefined : JSON.stringify(body))
    })
  })

/** JSON where it is some; a stream of events is none. */
const read = (text: string) => text.startsWith("{") ? JSON.parse(text) : text

const known = (name: string, role: Caller.Role, certificate: string) =>
  Effect.flatMap(Callers.Callers, (callers) =>
    callers.addKnown(
      { name: Caller.Name.make(name), role, ceiling: ceiling("tool:look", "tool:refund") },
      { kind: "certificate", name: KnownBy.normal(certificate) },
      "local:ada"
    ))

layer(served, { excludeTestServices: true, timeout: "60 seconds" })("client certificates", (it) => {
  it.effect("let in by what the operator said, and by nothing else that they say", () =>
    Effect.gen(function*() {
      const { client, fingerprintOf } = yield* Made
      const exact = client("exact", forClients)
      const named = client("named", `${forClients};subjectAltName=URI:spiffe://shop/deploy,DNS:deploy.shop`)
      const subject = client("subject", forClients, "/O=Shop/CN=clerk")
      const unknown = client("unknown", `${forClients};subjectAltName=URI:spiffe://shop/other`)
      for (const pair of [exact, named, subject, unknown]) {
        assert.strictEqual((yield* ask("/self", { pair })).status, 401)
      }
      yield* known("exact", "viewer", fingerprintOf(exact))
      yield* known("deploy", "operator", "uri:spiffe://shop/deploy")
      yield* known("clerk", "viewer", "subject:O=Shop,CN=clerk")
      const names = yield* Effect.forEach([exact, named, subject], (pair) =>
        Effect.repeat(ask("/self", { pair }), { until: ({ status }) => status === 200 }))
      assert.deepStrictEqual(
        names.map(({ json }) =>
          json.name
        ),
        ["exact", "deploy", "clerk"]
      )
      assert.strictEqual((yield* ask("/self", { pair: unknown })).status, 401)
      // One that is two callers is none.
      const two = client("two", `${forClients};subjectAltName=URI:spiffe://shop/deploy`, "/O=Shop/CN=clerk")
      assert.strictEqual((yield* ask("/self", { pair: two })).status, 401)
      // What would be read as several names is read as none.
      const forged = client("forged", `${forClients};subjectAltName=@n;[n];URI=http://a/, URI:spiffe://shop/deploy`)
      assert.strictEqual((yield* ask("/self", { pair: forged })).status, 401)
    }))

  it.effect("are in the rows that their callers cause, and reach as far as these may", () =>
    Effect.gen(function*() {
      const { client } = yield* Made
      const pair = client("robot", `${forClients};subjectAltName=DNS:robot.shop`)
      yield* known("robot", "operator", "dns:robot.shop")
      const log = yield* Log.Log
      const before = done.length
      const body = { actor: "Clerk", input: { order: "o-9" } }
      const opened = yield* ask("/sessions", { pair, body })
      assert.deepStrictEqual([opened.status, opened.json.caller], [201, "robot"])
      yield* Effect.repeat(Effect.sync(() => done.length), { until: (count) => count > before })
      const decision = { tickets: [{ id: "T0", binding: "0".repeat(64) }], approve: true, reason: "" }
      assert.strictEqual((yield* ask("/approvals/decide", { pair, body: decision })).status, 403)
      const [genesis] = yield* log.rows(opened.json.id)
      assert.deepInclude(genesis?.body, { kind: "genesis", caller: "robot" })
      const rows = (yield* log.rows(Installation.id)).flatMap(({ body }) =>
        body.kind === "admitted" && body.caller === "robot" ? [body] : []
      )
      assert.match(rows[0]?.credential ?? "", /^certificate_[0-9a-f]{24}$/)
    }))

  it.effect("of another authority, of none, out of time or for servers get no answer at all", () =>
    Effect.gen(function*() {
      const { client, expired, own, stranger } = yield* Made
      yield* known("late", "admin", "uri:spiffe://shop/late")
      const forServers = client("servers", "extendedKeyUsage=serverAuth;subjectAltName=URI:spiffe://shop/late")
      for (const pair of [stranger, own, expired, forServers]) {
        const exit = yield* Effect.exit(ask("/health", { pair }))
        assert.isTrue(Exit.isFailure(exit), pair.cert)
      }
      // Without one there is an answer, and tokens are good as ever.
      assert.strictEqual((yield* ask("/health")).status, 200)
      assert.strictEqual((yield* ask("/self")).status, 401)
      const token = yield* letIn("tina", "viewer")
      const headers = { authorization: `Bearer ${token}` }
      assert.strictEqual((yield* ask("/self", { headers })).json.name, "tina")
      // A token that is shown counts, and not the certificate beside it.
      const pair = client("beside", `${forClients};subjectAltName=URI:spiffe://shop/beside`)
      yield* known("beside", "admin", "uri:spiffe://shop/beside")
      assert.strictEqual((yield* ask("/self", { headers, pair })).json.name, "tina")
      assert.strictEqual((yield* ask("/self", { headers: { authorization: "Bearer no" }, pair })).status, 401)
    }))

  it.effect("are not what a header says that they are", () =>
    Effect.gen(function*() {
      const { client, fingerprintOf } = yield* Made
      const pair = client("header", `${forClients};subjectAltName=URI:spiffe://shop/header`)
      yield* known("header", "admin", "uri:spiffe://shop/header")
      const value = encodeURIComponent(readFileSync(pair.cert, "utf8"))
      const headers = {
        "x-forwarded-client-cert": `Hash=${fingerprintOf(pair)};URI=spiffe://shop/header`,
        "x-ssl-cert": value,
        "client-cert": `:${Buffer.from(value).toString("base64")}:`,
        "x-client-verify": "SUCCESS",
        "x-forwarded-user": "header"
      }
      assert.strictEqual((yield* ask("/self", { headers })).status, 401)
    }))

  it.effect("let no page of another site in, for which a browser shows them by itself", () =>
    Effect.gen(function*() {
      const server = yield* HttpServer.HttpServer
      const { client } = yield* Made
      const pair = client("browser", `${forClients};subjectAltName=URI:spiffe://shop/browser`)
      yield* known("browser", "operator", "uri:spiffe://shop/browser")
      yield* Effect.repeat(ask("/self", { pair }), { until: ({ status }) => status === 200 })
      const own = HttpServer.formatAddress(server.address).replace("http:", "https:")
      const log = yield* Log.Log
      const before = (yield* log.sessions).length
      const order = { actor: "Clerk", input: { order: "page" } }
      for (const origin of ["https://evil.example", "null", own.replace("https:", "http:"), `${own}0`]) {
        // A form or a beacon sends what needs no asking before.
        for (const type of ["text/plain", "application/json"]) {
          const headers = { origin, "content-type": type }
          assert.strictEqual((yield* ask("/sessions", { pair, headers, body: order })).status, 401, origin)
          assert.strictEqual((yield* ask("/audit/verify", { pair, headers, body: "" })).status, 401, origin)
        }
      }
      assert.lengthOf(yield* log.sessions, before)
      assert.strictEqual((yield* ask("/audit/verify", { pair, headers: { origin: own }, body: "" })).status, 200)
    }))

  it.effect("let in no more within a second after their caller was revoked, on the same connection too", () =>
    Effect.gen(function*() {
      const { client } = yield* Made
      const pair = client("gone", `${forClients};subjectAltName=URI:spiffe://shop/gone`)
      yield* known("gone", "viewer", "uri:spiffe://shop/gone")
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      assert.strictEqual((yield* ask("/self", { pair, agent })).status, 200)
      const callers = yield* Callers.Callers
      yield* callers.revoke({ caller: "gone", by: "local:ada", reason: "lost" })
      const at = yield* Clock.currentTimeMillis
      yield* Effect.repeat(ask("/self", { pair, agent }), { until: ({ status }) => status === 401 })
      assert.isBelow((yield* Clock.currentTimeMillis) - at, 1000)
      agent.destroy()
    }))

  it.effect("are shown by TLS 1.2 and later, and by no connection that was resumed", () =>
    Effect.gen(function*() {
      const server = yield* HttpServer.HttpServer
      const { ca, client } = yield* Made
      const pair = client("resumed", forClients)
      const port = Number(new URL(HttpServer.formatAddress(server.address)).port)
      const own = { cert: readFileSync(pair.cert), key: readFileSync(pair.key) }
      const shaken = (more: object) =>
        Effect.callback<{ readonly isReused: boolean; readonly session: Buffer | undefined } | string>((resume) => {
          const socket = connect({ host: "127.0.0.1", port, ca: readFileSync(ca), ...own, ...more }, () => {
            resume(Effect.succeed({ isReused: socket.isSessionReused(), session: socket.getSession() }))
            socket.end()
          })
          socket.on("error", (error) => resume(Effect.succeed(error.message)))
        })
      for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
        const first = yield* shaken({ maxVersion })
        assert.isObject(first)
        const session = typeof first === "object" ? first.session : undefined
        assert.deepInclude(yield* shaken({ maxVersion, ...session === undefined ? {} : { session } }), {
          isReused: false
        })
      }
      assert.isString(yield* shaken({ minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }))
    }))
})

/** How far the server's clock goes before ours, milliseconds. */
const ahead = { ms: 0 }
const early = Layer.effect(
  Clock.Clock,
  Effect.map(Clock.Clock, (clock): Clock.Clock => {
    const currentTimeMillisUnsafe = () => clock.currentTimeMillisUnsafe() + ahead.ms
    return {
      currentTimeMillisUnsafe,
      currentTimeMillis: Effect.sync(currentTimeMillisUnsafe),
      currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
      currentTimeNanos: clock.currentTimeNanos,
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos,
      sleep: (duration) => clock.sleep(duration)
    }
  })
)

layer(Layer.provide(served, early), { excludeTestServices: true, timeout: "60 seconds" })("a connection", (it) => {
  it.effect("lets in no more when the time of its certificate has ended", () =>
    Effect.gen(function*() {
      const { client } = yield* Made
      const pair = client("ending", `${forClients};subjectAltName=URI:spiffe://shop/ending`)
      yield* known("ending", "viewer", "uri:spiffe://shop/ending")
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      yield* Effect.repeat(ask("/self", { pair, agent }), { until: ({ status }) => status === 200 })
      ahead.ms = 2 * 86_400_000
      assert.strictEqual((yield* ask("/self", { pair, agent })).status, 401)
      ahead.ms = 0
      assert.strictEqual((yield* ask("/self", { pair, agent })).status, 200)
      agent.destroy()
    }))

  it.effect("ends its streams when the time of its certificate has ended", () =>
    Effect.gen(function*() {
      const { client } = yield* Made
      const pair = client("watching", `${forClients};subjectAltName=URI:spiffe://shop/watching`)
      yield* known("watching", "operator", "uri:spiffe://shop/watching")
      const body = { actor: "Shop", input: { order: "w-1" } }
      const { json: { id } } = yield* Effect.repeat(ask("/sessions", { pair, body }), {
        until: ({ status }) => status === 201
      })
      yield* Effect.repeat(ask(`/sessions/${id}`, { pair }), { until: ({ json }) => json.status === "waiting" })
      const stream = yield* Effect.forkChild(ask(`/sessions/${id}/events`, { pair }))
      yield* Effect.sleep("500 millis")
      assert.isUndefined(stream.pollUnsafe())
      ahead.ms = 2 * 86_400_000
      assert.notInclude((yield* Fiber.join(stream)).json, "event: end")
      ahead.ms = 0
    }), 20_000)
})

describe("files for TLS", () => {
  it.effect("that cannot be read or do not belong together start nothing", () =>
    Effect.gen(function*() {
      const { ca, client, server, takenBack } = yield* make
      const other = client("other", forClients)
      const build = (tls: Tls) =>
        Effect.map(
          Effect.exit(
            Effect.flip(Effect.scoped(Layer.build(Layer.provide(HttpDoor.layer({ port: 0, tls }), runtime))))
          ),
          (exit) => Exit.isSuccess(exit) ? exit.value._tag : "started"
        )
      assert.strictEqual(yield* build({ cert: server.cert, key: other.key }), "NotServed")
      assert.strictEqual(yield* build({ ...server, cert: `${server.cert}.none` }), "NotServed")
      assert.strictEqual(yield* build({ cert: server.key, key: server.key }), "NotServed")
      assert.strictEqual(yield* build({ ...server, clientCa: server.key }), "NotServed")
      assert.strictEqual(yield* build({ ...server, clientCa: ca, clientCrls: [ca] }), "NotServed")
      assert.strictEqual(yield* build({ ...server, clientCa: ca, clientCrls: [takenBack()] }), "started")
    }).pipe(Effect.provide(NodeServices.layer), Effect.scoped))
})
