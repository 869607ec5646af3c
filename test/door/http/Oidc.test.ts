/** Callers whom an issuer vouches for: who they are is recorded, and what they may is for the operator to say. */
import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Option } from "effect"
import { Installation, Log } from "../../../src/audit/index.ts"
import { Claims } from "../../../src/capability/index.ts"
import { served, Trusted } from "./issuers.ts"
import { address, ask, ceiling, done, letIn } from "./world.ts"

const order = { actor: "Shop", input: { order: "o-1" } }
const admitted = (name: string) =>
  Effect.map(
    Effect.flatMap(Log.Log, (log) => log.rows(Installation.id)),
    (rows) => rows.flatMap(({ body }) => body.kind === "admitted" && body.caller === name ? [body] : [])
  )
const waiting = (url: string, token: string, session: string) =>
  Effect.repeat(ask(token, "GET", `${url}/v1/sessions/${session}`), { until: ({ json }) => json.status === "waiting" })

layer(served({ failures: 1000 }), { excludeTestServices: true, timeout: "60 seconds" })(
  "callers of an issuer",
  (it) => {
    it.effect("are nobody until an operator says who they are, and then have what they were given", () =>
      Effect.gen(function*() {
        const url = yield* address
        const issuer = yield* Trusted
        const token = issuer.token({ sub: "u-1" })
        const rows = (yield* Effect.flatMap(Log.Log, (log) => log.rows(Installation.id))).length
        assert.strictEqual((yield* ask(token, "GET", `${url}/v1/self`)).status, 401)
        assert.strictEqual((yield* ask(token, "POST", `${url}/v1/sessions`, order)).status, 401)
        assert.lengthOf(yield* Effect.flatMap(Log.Log, (log) => log.rows(Installation.id)), rows)
        const admin = yield* letIn("ann", "admin")
        const knownBy = { kind: "subject", issuer: issuer.url, subject: "u-1" }
        const given = yield* ask(admin, "POST", `${url}/v1/callers`, {
          name: "olga",
          role: "operator",
          ceiling: ceiling("tool:refund"),
          knownBy
        })
        assert.deepStrictEqual([given.status, given.json.token], [201, null], given.text)
        const self = yield* Effect.repeat(ask(token, "GET", `${url}/v1/self`), {
          until: ({ status }) => status === 200
        })
        assert.deepInclude(self.json, { name: "olga", role: "operator" })
        // The same subject of nobody else, and nobody else for the same subject.
        const again = yield* ask(admin, "POST", `${url}/v1/callers`, {
          name: "other",
          role: "admin",
          ceiling: ceiling(),
          knownBy
        })
        assert.strictEqual(again.status, 409)
        assert.strictEqual((yield* ask(issuer.token({ sub: "u-2" }), "GET", `${url}/v1/self`)).status, 401)
      }))

    it.effect("are in every row that they cause, by kind and by name; an approval is a person's", () =>
      Effect.gen(function*() {
        const url = yield* address
        const issuer = yield* Trusted
        const admin = yield* letIn("anna", "admin")
        for (const [name, role] of [["otto", "operator"], ["grace", "approver"]] as const) {
          yield* letIn(name, role)
          const knownBy = { kind: "subject", issuer: issuer.url, subject: name }
          assert.strictEqual((yield* ask(admin, "POST", `${url}/v1/callers/${name}/bind`, { knownBy })).status, 200)
        }
        const [operator, approver] = [issuer.token({ sub: "otto" }), issuer.token({ sub: "grace" })]
        const opened = yield* ask(operator, "POST", `${url}/v1/sessions`, order)
        assert.strictEqual(opened.status, 201, opened.text)
        const session: string = opened.json.id
        yield* waiting(url, operator, session)
        const { json: { items } } = yield* ask(approver, "GET", `${url}/v1/approvals`)
        const ticket = items.find((one: { readonly session: string }) => one.session === session)
        const decision = { tickets: [{ id: ticket.id, binding: ticket.binding }], approve: true, reason: "agreed" }
        // The actor's own token decides nothing, nor does whoever may only run sessions.
        const log = yield* Log.Log
        const found = yield* log.session(Claims.SessionId.make(session))
        const actors = Option.getOrThrow(found).token
        const before = done.length
        assert.strictEqual((yield* ask(actors, "POST", `${url}/v1/approvals/decide`, decision)).status, 401)
        assert.strictEqual((yield* ask(operator, "POST", `${url}/v1/approvals/decide`, decision)).status, 403)
        // Nor does it when the issuer's key signs what an actor's token says.
        const [, body = ""] = actors.split(".")
        const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as Readonly<Record<string, unknown>>
        for (const disguise of [issuer.token(claims), issuer.token({ ...claims, iss: issuer.url })]) {
          assert.strictEqual((yield* ask(disguise, "POST", `${url}/v1/approvals/decide`, decision)).status, 401)
        }
        assert.strictEqual(done.length, before)
        const decided = yield* ask(approver, "POST", `${url}/v1/approvals/decide`, decision)
        assert.strictEqual(decided.status, 200, decided.text)
        yield* Effect.repeat(ask(operator, "GET", `${url}/v1/sessions/${session}`), {
          until: ({ json }) => json.status === "succeeded"
        })
        const bodies = (yield* log.rows(Claims.SessionId.make(session))).map(({ body }) => body)
        assert.deepInclude(bodies.find((body) => body.kind === "genesis"), { caller: "otto" })
        assert.include(JSON.stringify(bodies.filter((body) => body.kind === "decided")), "\"grace\"")
        const bound = (yield* admitted("otto")).find(({ what }) => what === "bound")
        assert.deepInclude(bound, { by: "anna", detail: "subject" })
        assert.match(bound?.credential ?? "", /^subject_[0-9a-f]{24}$/)
      }))

    it.effect("watch a session for as long as their token is good", () =>
      Effect.gen(function*() {
        const url = yield* address
        const issuer = yield* Trusted
        const now = yield* Clock.currentTimeMillis
        const who = { sub: "w-1", preferred_username: "wanda", groups: ["staff"] }
        const token = issuer.token({ ...who, exp: Math.ceil(now / 1000) + 2 })
        const opened = yield* ask(token, "POST", `${url}/v1/sessions`, order)
        yield* waiting(url, token, opened.json.id)
        const watched = yield* ask(token, "GET", `${url}/v1/sessions/${opened.json.id}/events`)
        assert.strictEqual(watched.status, 200)
        assert.include(watched.text, "event: row")
        assert.notInclude(watched.text, "event: end")
        assert.isBelow((yield* Clock.currentTimeMillis) - now, 10_000)
        assert.strictEqual((yield* ask(token, "GET", `${url}/v1/self`)).status, 401)
      }))

    it.effect("in a group have its role and ceiling for as long as they are in it, and none after they were revoked", () =>
      Effect.gen(function*() {
        const url = yield* address
        const issuer = yield* Trusted
        const admin = yield* letIn("anita", "admin")
        const token = (groups: unknown, more = {}) =>
          issuer.token({ sub: "g-1", preferred_username: "Greta", groups, ...more })
        const self = (bearer: string) => ask(bearer, "GET", `${url}/v1/self`)
        for (const none of [[], ["other"], "other", null, { staff: true }, [["staff"]]]) {
          assert.strictEqual((yield* self(token(none))).status, 401)
        }
        assert.lengthOf(yield* admitted("greta"), 0)
        assert.deepInclude((yield* self(token(["staff"]))).json, { name: "greta", role: "operator" })
        const both = yield* self(token(["staff", "oncall"]))
        assert.deepInclude(both.json, { name: "greta", role: "approver" })
        assert.strictEqual((yield* self(token(["nobody"]))).status, 401)
        assert.deepInclude((yield* self(token("staff"))).json, { name: "greta", role: "operator" })
        const rows = (yield* admitted("greta")).slice(0, 2)
        assert.deepStrictEqual(rows.map(({ by, what }) => [what, by]), [["added", issuer.url], ["changed", issuer.url]])
        // A name that somebody has is nobody else's, however their issuer calls them.
        for (const preferred_username of ["greta", "anita", "aosiq", "no name", "x".repeat(80), undefined]) {
          const refused = yield* self(token(["staff"], { sub: "g-2", preferred_username }))
          assert.strictEqual(refused.status, 401, preferred_username)
        }
        const revoked = yield* ask(admin, "POST", `${url}/v1/callers/greta/revoke`, { reason: "left" })
        assert.strictEqual(revoked.status, 200)
        const at = yield* Clock.currentTimeMillis
        yield* Effect.repeat(self(token(["staff"])), { until: ({ status }) => status === 401 })
        assert.isBelow((yield* Clock.currentTimeMillis) - at, 1000)
        assert.strictEqual((yield* self(token(["staff", "oncall"]))).status, 401)
        assert.strictEqual((yield* admitted("greta")).at(-1)?.what, "revoked")
      }))
  }
)

layer(served(), { excludeTestServices: true, timeout: "60 seconds" })("an issuer that is away", (it) => {
  it.effect("lets nobody in, and is no failure of whoever asks", () =>
    Effect.gen(function*() {
      const url = yield* address
      const issuer = yield* Trusted
      issuer.answer = (_path, response) => {
        response.writeHead(500).end()
        return true
      }
      for (let at = 0; at < 30; at++) {
        const { json, status } = yield* ask(issuer.token(), "GET", `${url}/v1/self`)
        assert.strictEqual(status, 503)
        assert.strictEqual(json.type, "urn:aosiq:problem:unavailable")
      }
      // One look, however many ask.
      assert.lengthOf(issuer.asked, 1)
      assert.strictEqual((yield* ask(yield* letIn("vera", "viewer"), "GET", `${url}/v1/self`)).status, 200)
    }))
})
