/**
 * Secrets in what tools answer, followed to wherever a run leaves something: what its model was sent, rows and payloads,
 * tickets, errors, lines of logs, spans, the command's text and JSON, bundles. None is there, and all that is left in their
 * place says of what kind they were.
 */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Schema, Stream, Tracer } from "effect"
import { Actor, Agent, DeterministicActor } from "../../src/actor/index.ts"
import { Anchor, Bundle } from "../../src/audit/index.ts"
import { Grant } from "../../src/capability/index.ts"
import * as Findings from "../../src/door/cli/Findings.ts"
import * as Print from "../../src/door/cli/Print.ts"
import { Store } from "../../src/governor/index.ts"
import { Approvals, Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import * as W from "../actor/world.ts"
import { nowhereIn, planted } from "./planted.ts"

const cores = planted.map(({ core }) => core)

const Fetch = Tool.make("fetch", {
  description: "fetches settings",
  capabilities: ["tool:fetch"],
  params: Schema.Struct({ how: Schema.Literals(["answer", "fail", "crash"]) }),
  success: Schema.Struct({ text: Schema.String, lines: Schema.Array(Schema.String), client_secret: Schema.String }),
  failure: W.Broken
})
const text = planted.map(({ secret }) => secret).join("\n")
const fetch = Tool.layer(Fetch, ({ how }) =>
  how === "answer"
    ? Effect.succeed({ text, lines: planted.map(({ secret }) => secret), client_secret: cores[0] ?? "" })
    : how === "fail"
    ? Effect.fail(new W.Broken({ what: text }))
    : Effect.die(new Error(text)))

const Seeker = Agent.make("Seeker", {
  description: "seeks",
  input: Schema.String,
  output: Schema.Struct({ answer: Schema.String }),
  tools: [Fetch, W.Deploy],
  backends: ["scripted"],
  instructions: "seek",
  task: (question) => `find ${question}`
})
const grant = Grant.make(["tool:fetch", "tool:deploy", "backend:scripted"])

/** Everything that was logged and traced. */
const heard: Array<string> = []
const listening = Layer.mergeAll(
  Logger.layer([Logger.map(Logger.formatJson, (line) => void heard.push(line))]),
  Layer.succeed(
    Tracer.Tracer,
    Tracer.make({
      span: (options) => {
        const span = new Tracer.NativeSpan(options)
        const end = span.end.bind(span)
        span.end = (at, exit) => {
          heard.push(JSON.stringify([span.name, [...span.attributes], span.events, exit]))
          end(at, exit)
        }
        return span
      }
    })
  )
)

const world = Layer.mergeAll(Layer.provideMerge(fetch, W.app), listening)

const bundle = Effect.map(
  Stream.runCollect(Bundle.write({ sessions: "all", keys: [] })).pipe(
    // Nothing was anchored here.
    Effect.provideService(Anchor.Anchors, { list: () => Effect.succeed([]) } as unknown as Anchor.Anchors["Service"])
  ),
  (lines) => lines.join("")
)

beforeEach(() => {
  heard.length = 0
  W.done.length = 0
  W.revive()
})

describe("a secret in what a tool answers", () => {
  it.live("reaches no model, row, payload, ticket, error, log line, span or bundle", () =>
    Effect.gen(function*() {
      const model = yield* W.model((turn, prompt) => {
        const stamp = /ses_\w+\/\d+/.exec(JSON.stringify(prompt))?.[0] ?? ""
        const ask = (how: string) => ({ calls: [W.call("fetch", { how })] })
        return [
          ask("answer"),
          ask("fail"),
          { text: `I saw ${stamp}`, calls: [W.call("deploy", { version: "1" })] },
          W.conclude({ answer: "done" })
        ][turn] ?? {}
      })
      const On = yield* Agent.on(Seeker, model.backend)
      yield* Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        const approvals = yield* Approvals.Approvals
        // The request holds them too.
        const ended = yield* dispatch.start(On, `what is behind\n${text}`, { grant, caller: "ada" })
        const tickets = yield* approvals.list
        assert.strictEqual(tickets.length, 1)
        assert.isNotEmpty(tickets[0]?.shown.evidence)
        nowhereIn("a ticket", JSON.stringify(tickets))
        const [ticket] = tickets
        if (ticket !== undefined) {
          yield* approvals.decide({
            ticket: ticket.id,
            by: "grace",
            approve: true,
            reason: "fine",
            binding: ticket.binding
          })
        }
        assert.strictEqual((yield* dispatch.resume(ended.session))._tag, "Succeeded")

        const sent = JSON.stringify(model.prompts)
        nowhereIn("what the model was sent", sent)
        for (const kind of ["jwt", "private-key", "connection-string", "aws-key", "password"]) {
          assert.include(sent, `[redacted:${kind}]`)
        }
        const rows = yield* W.rows(ended.session)
        nowhereIn("rows", JSON.stringify(rows))
        nowhereIn("findings", JSON.stringify(Findings.noticed(rows, "Seeker")))
        nowhereIn("lines of progress", rows.map((row) => Print.progress(row, "Seeker")).join("\n"))
        const store = yield* Store.Store
        nowhereIn("records", JSON.stringify([yield* store.tickets(ended.session), yield* store.accounts]))
        const exported = yield* bundle
        assert.include(exported, "[redacted:private-key]")
        nowhereIn("a bundle", exported)
      }).pipe(Effect.provide(Actor.layer(On)))
      nowhereIn("logs and spans", heard.join("\n"))
    }).pipe(Effect.provide(world)))

  it.live("reaches nobody when its tool breaks down, or when an actor gives it back as its result", () =>
    Effect.gen(function*() {
      const Teller = DeterministicActor.make("Teller", {
        description: "tells",
        input: Schema.Literals(["crash", "tell"]),
        output: Schema.String,
        tools: [Fetch],
        supervision: { maxRestarts: 0 },
        run: (what) =>
          what === "tell"
            ? Effect.succeed(text)
            : Effect.as(Effect.catchTag(Tool.call(Fetch, { how: "crash" }), "Broken", Effect.die), "never")
      })
      yield* Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        for (const what of ["crash", "tell"] as const) {
          const ended = yield* dispatch.start(Teller, what, { grant: Grant.make(["tool:fetch"]), caller: "ada" })
          nowhereIn("the end of a run", JSON.stringify(ended))
        }
        nowhereIn("a bundle", yield* bundle)
      }).pipe(Effect.provide(Actor.layer(Teller)))
      nowhereIn("logs and spans", heard.join("\n"))
    }).pipe(Effect.provide(world)))
})
