/**
 * Tokens of callers and of issuers, followed to wherever a server leaves something: lines of logs, spans, answers, rows,
 * payloads and records. None is there, however it was shown.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Exit, Layer, Logger, References, Stream, Tracer } from "effect"
import { Anchor, Bundle } from "../../src/audit/index.ts"
import { Store } from "../../src/governor/index.ts"
import { served, Trusted } from "../door/http/issuers.ts"
import { address, ask, ceiling, letIn, send } from "../door/http/world.ts"

const heard: Array<string> = []
const listening = Layer.mergeAll(
  Logger.layer([Logger.map(Logger.formatJson, (line) => void heard.push(line))]),
  Layer.succeed(References.MinimumLogLevel, "All"),
  Layer.succeed(
    Tracer.Tracer,
    Tracer.make({
      span: (options) => {
        const span = new Tracer.NativeSpan(options)
        const close = span.end.bind(span)
        span.end = (at, exit) => {
          // What an exporter looks at: of a success it takes no value, and the answer to whoever was given a token has it.
          const end = Exit.isFailure(exit) ? exit : "good"
          heard.push(JSON.stringify([span.name, [...span.attributes], span.events, end]))
          close(at, exit)
        }
        return span
      }
    })
  )
)

layer(Layer.provideMerge(served({ failures: 1000 }), listening), {
  excludeTestServices: true,
  timeout: "60 seconds"
})("what a server prints and keeps", (it) => {
  it.effect("has no token in it, good or bad, whether in the header, the URL or the body", () =>
    Effect.gen(function*() {
      const url = yield* address
      const issuer = yield* Trusted
      const admin = yield* letIn("ann", "admin")
      const ours = yield* letIn("olga", "operator")
      const near = `${ours.slice(0, -4)}AAAA`
      const issued = issuer.token({ sub: "s-1", preferred_username: "sara", groups: ["staff"] })
      const other = issuer.token({ sub: "s-2", aud: "other" })
      const tokens = [admin, ours, near, issued, other]
      const answers: Array<string> = []
      for (const token of tokens) {
        const self = yield* ask(token, "GET", `${url}/v1/self`)
        const opened = yield* ask(token, "POST", `${url}/v1/sessions`, {
          actor: "Clerk",
          input: { order: "o" }
        }, { "idempotency-key": "k" })
        const asked = [
          self,
          opened,
          yield* send(`${url}/v1/self?access_token=${token}&limit=x`),
          yield* send(`${url}/v1/sessions/${encodeURIComponent(token)}`),
          yield* ask(admin, "POST", `${url}/v1/sessions`, { actor: 1, token }),
          yield* ask(token, "GET", `${url}/v1/sessions?limit=0`),
          yield* send(`${url}/v1/self`, { headers: { authorization: `Basic ${token}` } }),
          yield* send(`${url}/v1/self`, { headers: { authorization: `Bearer ${token} ${token}` } })
        ]
        answers.push(...asked.map(({ headers, text }) => `${text}${JSON.stringify([...headers])}`))
      }
      const key = { "idempotency-key": "told" }
      const given = yield* ask(admin, "POST", `${url}/v1/callers`, {
        name: "new",
        role: "viewer",
        ceiling: ceiling()
      }, key)
      const again = yield* ask(admin, "POST", `${url}/v1/callers`, {
        name: "new",
        role: "viewer",
        ceiling: ceiling()
      }, key)
      answers.push(again.text)
      assert.strictEqual((yield* ask(issued, "GET", `${url}/v1/self`)).json.name, "sara")

      const store = yield* Store.Store
      const kept = [
        yield* store.records({ kind: "caller", limit: 1000 }),
        ...yield* Effect.forEach(
          ["ann", "olga", "sara", "new"],
          (owner) => store.records({ kind: "credential", owner, limit: 100 })
        )
      ]
      const bundle = yield* Stream.runCollect(Bundle.write({ sessions: "all", keys: [] })).pipe(
        // Nothing was anchored here.
        Effect.provideService(
          Anchor.Anchors,
          { list: () => Effect.succeed([]) } as unknown as Anchor.Anchors["Service"]
        ),
        Effect.map((lines) => lines.join(""))
      )
      assert.isAbove(heard.length, 10)
      const places = { heard: heard.join("\n"), answers: answers.join("\n"), kept: JSON.stringify(kept), bundle }
      for (const token of [...tokens, given.json.token]) {
        // The id of one of ours is no secret, nor is what an issuer says in the middle of its.
        const secret: string = token.startsWith("aosiq_") ? token.slice(19) : token.split(".").at(-1)
        for (const [place, text] of Object.entries(places)) {
          const at = text.indexOf(secret)
          assert.strictEqual(at, -1, `${token.slice(0, 18)}… is in ${place}: ${text.slice(Math.max(0, at - 400), at)}`)
        }
      }
    }))
})
