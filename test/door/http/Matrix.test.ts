/**
 * Who may ask for what, about whose: every cell of the table of permits, each by a real request; with those who have no
 * role at all, an actor's own token among them. What is refused leaves no trace in the log.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Option } from "effect"
import { HttpApi } from "effect/http-api"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Installation, Log } from "../../../src/audit/index.ts"
import { Claims } from "../../../src/capability/index.ts"
import { Api } from "../../../src/door/http/index.ts"
import { Permits } from "../../../src/operator/index.ts"
import { Caller } from "../../../src/session/index.ts"
import { lengths, make, operations, requestsOf, type Target } from "./requests.ts"
import { address, ask, letIn, served } from "./world.ts"

const roles = ["viewer", "operator", "approver", "admin"] as const
const owners = ["own", "other"] as const

layer(served({ perSecond: 10_000, burst: 10_000, failures: 10_000 }), {
  excludeTestServices: true,
  timeout: "120 seconds"
})(
  "the table of permits",
  (it) => {
    for (const role of roles) {
      it.effect(`is what a ${role} meets`, () =>
        Effect.gen(function*() {
          const url = yield* address
          const me = `${role}-me`
          const token = yield* letIn(me, role)
          for (const operation of operations) {
            const reach = Permits.permits[operation][role]
            for (const owner of owners) {
              const target = yield* make(owner === "own" ? me : "somebody")
              // A dispatch and a schedule are always the own ones of whoever asks for them.
              const isOwn = owner === "own" || operation === "session_dispatch"
              const isAllowed = reach === "any" || (reach === "own" && isOwn)
              for (const [endpoint, method, path, body] of requestsOf(operation, target)) {
                const before = yield* lengths
                const { status, text } = yield* ask(token, method, `${url}/v1${path}`, body)
                const cell = `${role} ${owner} ${endpoint}: ${status} ${text.slice(0, 200)}`
                if (isAllowed) assert.notInclude([401, 403, 405, 500], status, cell)
                else {
                  assert.strictEqual(status, 403, cell)
                  assert.strictEqual(yield* lengths, before, cell)
                }
              }
            }
          }
        }), 60_000)
    }

    it.effect("is closed to nobody, to what was withdrawn, and to the token of an actor", () =>
      Effect.gen(function*() {
        const url = yield* address
        const log = yield* Log.Log
        const target = yield* make("somebody")
        const found = yield* log.session(Claims.SessionId.make(target.session))
        const actors = Option.getOrThrow(found).token
        assert.isAbove(actors.length, 100)
        for (const operation of operations) {
          for (const token of ["", actors, `aosiq_${"0".repeat(12)}_${"x".repeat(43)}`]) {
            for (const [endpoint, method, path, body] of requestsOf(operation, target)) {
              const before = yield* lengths
              const { status } = yield* ask(token, method, `${url}/v1${path}`, body)
              assert.strictEqual(status, 401, endpoint)
              assert.strictEqual(yield* lengths, before, endpoint)
            }
          }
        }
      }), 60_000)

    it.effect("has every endpoint, and the installation's chain says who was let in", () =>
      Effect.gen(function*() {
        const target: Target = { session: "s", schedule: "s", letter: "l", fresh: "f", caller: "c" }
        const asked = operations.flatMap((operation) => requestsOf(operation, target).map(([endpoint]) => endpoint))
        const found: Array<string> = []
        HttpApi.reflect(Api, {
          onGroup: () => undefined,
          onEndpoint: ({ endpoint, group }) => found.push(`${group.identifier}.${endpoint.identifier}`)
        })
        // An event is a row, for those who may read rows.
        const open = ["system.health", "system.ready", "sessions.events"]
        assert.deepStrictEqual(found.toSorted(), [...asked, ...open].toSorted())
        const rows = yield* Effect.flatMap(Log.Log, (log) => log.rows(Installation.id))
        const letIn = rows.flatMap(({ body }) => body.kind === "admitted" ? [body.caller] : [])
        for (const role of roles) assert.include(letIn, Caller.Name.make(`${role}-me`))
      }))

    it("is the one that the guide shows", () => {
      const guide = readFileSync(join(import.meta.dirname, "../../../docs/guide/callers.md"), "utf8")
      const shown = guide.split("\n").flatMap((line) => {
        const cells = line.split("|").map((cell) => cell.trim().replaceAll("`", ""))
        return cells.length === 7 && cells[1]?.includes("_") === true ? [cells.slice(1, 6)] : []
      })
      assert.deepStrictEqual(
        shown,
        operations.map((operation) => [operation, ...roles.map((role) => Permits.permits[operation][role])])
      )
    })
  }
)
