/**
 * Who may be asked what. A model call that a class, a token or the egress of the session's data forbids does not reach the
 * vendor: each is tried against a server that counts what arrives, and each time something that is allowed arrives there.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Result, Schema } from "effect"
import { Prompt } from "effect/ai"
import { Ollama } from "../../layers/ollama/index.ts"
import { OpenAi } from "../../layers/openai/index.ts"
import { Memory } from "../../layers/presets/index.ts"
import { refusals } from "../../layers/presets/testing.ts"
import { Actor, Agent, DeterministicActor } from "../../src/actor/index.ts"
import { Log } from "../../src/audit/index.ts"
import { Backend } from "../../src/backend/index.ts"
import { type Capability, Claims, Grant } from "../../src/capability/index.ts"
import { Egress, GovernorError } from "../../src/governor/index.ts"
import { Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import { wire as ollama } from "../layers/ollama/wire.ts"
import { wire as openai } from "../layers/openai/wire.ts"
import { serve } from "./Loopback.ts"
import type { Said, Wire } from "./Wire.ts"

// --- vendors that count -------------------------------------------------------

const vendor = (wire: Wire, says: (attempt: number) => Said = () => ({ text: "hi" })) =>
  serve((_, response, attempt) => {
    const { body, headers, status } = wire.whole(says(attempt))
    response.writeHead(status, headers)
    response.end(body)
  })

const vendors = (says?: (attempt: number) => Said) =>
  Effect.gen(function*() {
    const local = yield* vendor(ollama, says)
    const remote = yield* vendor(openai, says)
    return {
      local,
      remote,
      onLocal: yield* Ollama.make({ model: ollama.model, baseUrl: local.url }),
      onRemote: yield* OpenAi.make({ model: openai.model, baseUrl: remote.url, apiKey: Redacted.make("sk-1234") })
    }
  })

// --- actors -------------------------------------------------------------------

const Note = Tool.make("read_note", {
  description: "reads a patient's note",
  capabilities: ["tool:read_note"],
  params: Schema.Struct({}),
  success: Schema.String,
  readers: ["clinic"]
})
const notes = Tool.layer(Note, () => Effect.succeed("the patient sleeps badly"))

const may = (name: Backend.Name) =>
  Tool.make(`ask_${name}`, {
    description: "",
    capabilities: [`backend:${name}`],
    params: Schema.Unknown,
    success: Schema.Unknown
  })

const request = (text: string) => ({ prompt: Prompt.make(text), tools: [] })

/** Asks; gives what came, or the layer that refused. */
const ask = <N extends Backend.Name>(backend: Backend.Backend<N>, text = "hello") =>
  Effect.match(Backend.generate(backend, request(text)), {
    onFailure: (error) =>
      error instanceof GovernorError && error.reason._tag === "Refused"
        ? `refused by ${error.reason.layer}`
        : error._tag,
    onSuccess: ({ value }) => value.text
  })

const runtime = Layer.provideMerge(notes, Memory.layer())
const covering = (table: Egress.Table) => Layer.provideMerge(notes, Layer.provide(Memory.layer(), Egress.layer(table)))

type Asker = Actor.Actor<string, typeof Schema.Null, typeof Schema.Unknown, never, never>

/** Dispatches the last of the actors, with names that no compiler has held against what its class needs. */
const started = (names: ReadonlyArray<Capability.Name>, ...actors: ReadonlyArray<Asker>) =>
  Effect.gen(function*() {
    const dispatch = yield* Dispatch.Dispatch
    const grant = Grant.make(names, { budgetMicroUsd: 10_000_000 })
    return yield* dispatch.start(actors.at(-1) as Asker, null, { grant: grant as never, caller: "ada" })
  }).pipe(Effect.provide(actors.map((actor) => Actor.layer(actor)).reduce((all, one) => Layer.merge(all, one))))

/** An actor whose types were erased: what it asks for is held against class and token at run time alone. */
const body = <E, R>(tools: ReadonlyArray<Tool.Any>, run: () => Effect.Effect<unknown, E, R>, name = "Asker") =>
  DeterministicActor.make(name, {
    description: "asks",
    input: Schema.Null,
    output: Schema.Unknown,
    tools,
    run: run as never
  }) as unknown as Asker

const outputOf = (ended: Dispatch.Ended<unknown>) => ended._tag === "Succeeded" ? ended.output : ended

// --- pinning ------------------------------------------------------------------

describe("a class that is pinned to one backend", () => {
  const Local = Agent.make("Local", {
    description: "stays on the machine",
    input: Schema.String,
    output: Schema.Struct({ answer: Schema.String }),
    tools: [],
    backends: ["ollama"],
    instructions: "answer",
    task: (text) => text
  })

  it.live("is not made on another, and whoever it would have asked hears nothing", () =>
    Effect.gen(function*() {
      const { local, onLocal, onRemote, remote } = yield* vendors()
      // The compiler refuses it first: test/types/backend.ts.
      const made = yield* Effect.result(Agent.on(Local, onRemote as unknown as typeof onLocal))
      assert.deepStrictEqual(
        Result.isFailure(made) ? made.failure : made,
        new Agent.BackendNotAllowed({ agent: "Local", backend: "openai", allowed: ["ollama"] })
      )
      assert.isTrue(Result.isSuccess(yield* Effect.result(Agent.on(Local, onLocal))))
      assert.lengthOf([...local.asked, ...remote.asked], 0)
    }))

  it.live("is refused by its class when its body asks another, whatever its token says", () =>
    Effect.gen(function*() {
      const { local, onLocal, onRemote, remote } = yield* vendors()
      const asker = body([may("ollama")], () => Effect.all([ask(onRemote), ask(onLocal)]))
      const ended = yield* started(["backend:ollama", "backend:openai"], asker)
      assert.deepStrictEqual(outputOf(ended), ["refused by class", "hi"])
      assert.deepStrictEqual(yield* refusals(ended.session), ["model:openai: class"])
      assert.lengthOf(remote.asked, 0)
      assert.lengthOf(local.asked, 1)
    }).pipe(Effect.provide(runtime)))

  it.live("is refused by its token when that admits less than the class", () =>
    Effect.gen(function*() {
      const { local, onLocal, onRemote, remote } = yield* vendors()
      const asker = body([may("ollama"), may("openai")], () => Effect.all([ask(onRemote), ask(onLocal)]))
      const ended = yield* started(["backend:ollama"], asker)
      assert.deepStrictEqual(outputOf(ended), ["refused by token", "hi"])
      assert.deepStrictEqual(yield* refusals(ended.session), ["model:openai: token"])
      assert.lengthOf(remote.asked, 0)
      assert.lengthOf(local.asked, 1)
    }).pipe(Effect.provide(runtime)))

  it.live("does not get more through a child: the child's token admits what its parent's does", () =>
    Effect.gen(function*() {
      const { onRemote, remote } = yield* vendors()
      const child = body([may("openai")], () => ask(onRemote), "Child")
      const parent = body([child.tool, may("ollama")], () => Actor.spawn(child, null), "Parent")
      const ended = yield* started(["spawn:Child", "backend:ollama"], child, parent)
      assert.deepStrictEqual(yield* refusals(ended.session), ["spawn_Child: token"])
      assert.lengthOf(remote.asked, 0)
    }).pipe(Effect.provide(runtime)))
})

// --- egress -------------------------------------------------------------------

describe("data that is for some readers", () => {
  const table = { ollama: ["clinic", "staff"], openai: ["staff"] }
  const tools = [Note, may("ollama"), may("openai")]
  const all: ReadonlyArray<Capability.Name> = ["tool:read_note", "backend:ollama", "backend:openai"]

  it.live("goes to backends that cover them and to no others, from when it was seen", () =>
    Effect.gen(function*() {
      const { local, onLocal, onRemote, remote } = yield* vendors()
      const asker = body(tools, () =>
        Effect.gen(function*() {
          const before = yield* ask(onRemote, "nothing seen")
          const note = yield* Tool.call(Note, {})
          return [before, yield* ask(onRemote, note), yield* ask(onLocal, note), yield* ask(onRemote, "forget it")]
        }))
      const ended = yield* started(all, asker)
      assert.deepStrictEqual(outputOf(ended), ["hi", "refused by egress", "hi", "refused by egress"])
      assert.deepStrictEqual(yield* refusals(ended.session), ["model:openai: egress", "model:openai: egress"])
      assert.notInclude(JSON.stringify(remote.asked), "sleeps badly")
      assert.lengthOf(remote.asked, 1)
      assert.include(JSON.stringify(local.asked), "sleeps badly")
      const rows = yield* Log.Log.use((log) => log.rows(ended.session))
      const seen = rows.flatMap(({ body }) => body.kind === "intent" && body.readers ? [[body.act, body.readers]] : [])
      assert.deepStrictEqual(seen, [["read_note", ["clinic"]]])
      const refusal = rows.map(({ body }) => body).find(({ kind }) => kind === "refusal")
      assert.include(
        refusal?.kind === "refusal" ? refusal.reason : "",
        "the session has seen data for clinic, and openai does not cover them"
      )
    }).pipe(Effect.provide(covering(table))))

  it.live("goes nowhere when no backend is said to cover them", () =>
    Effect.gen(function*() {
      const { local, onLocal, onRemote, remote } = yield* vendors()
      const asker = body(tools, () => Effect.andThen(Tool.call(Note, {}), Effect.all([ask(onLocal), ask(onRemote)])))
      const ended = yield* started(all, asker)
      assert.deepStrictEqual(outputOf(ended), ["refused by egress", "refused by egress"])
      assert.lengthOf([...local.asked, ...remote.asked], 0)
    }).pipe(Effect.provide(runtime)))

  it.live("is not told to a model by the handler that reads it", () =>
    Effect.gen(function*() {
      const { onRemote, remote } = yield* vendors()
      const Digest = Tool.make("digest_note", {
        description: "",
        capabilities: ["backend:openai"],
        params: Schema.Struct({}),
        success: Schema.Unknown,
        readers: ["clinic"]
      })
      const handler = Tool.layer(Digest, () => ask(onRemote, "the patient sleeps badly"))
      const asker = body([Digest], () => Tool.call(Digest, {}))
      const ended = yield* Effect.provide(started(["backend:openai"], asker), handler)
      assert.deepStrictEqual(outputOf(ended), "refused by egress")
      assert.lengthOf(remote.asked, 0)
    }).pipe(Effect.provide(covering(table))))

  it.live("goes down to a child with its input, and comes up with its result", () =>
    Effect.gen(function*() {
      const { local, onLocal, onRemote, remote } = yield* vendors()
      const Summariser = body([may("ollama"), may("openai")], () => ask(onRemote), "Summariser")
      const Reader = body([Note], () => Tool.call(Note, {}), "Reader")
      assert.deepStrictEqual(Reader.tool.readers, ["clinic"])
      const Parent = body([Summariser.tool, Reader.tool, ...tools], () =>
        Effect.gen(function*() {
          const first = yield* Actor.spawn(Summariser, null)
          yield* Actor.spawn(Reader, null)
          return [first, yield* ask(onRemote), yield* Actor.spawn(Summariser, null), yield* ask(onLocal)]
        }), "Parent")
      const names = [...all, "spawn:Summariser", "spawn:Reader"] as const
      const ended = yield* started(names, Summariser, Reader, Parent)
      assert.deepStrictEqual(outputOf(ended), ["hi", "refused by egress", "refused by egress", "hi"])
      assert.lengthOf(remote.asked, 1)
      assert.lengthOf(local.asked, 1)
      const log = yield* Log.Log
      const sessions = (yield* log.sessions).filter(({ actor }) => actor === "Summariser")
      const births = yield* Effect.forEach(sessions, ({ id }) => log.rows(Claims.SessionId.make(id)))
      const readers = births.map(([genesis]) => genesis?.body.kind === "genesis" ? genesis.body.readers : "none")
      assert.sameDeepMembers(readers, [undefined, ["clinic"]])
    }).pipe(Effect.provide(covering(table))))

  it.live("is the class's own, too: its first question is not asked", () =>
    Effect.gen(function*() {
      const { local, onLocal, onRemote, remote } = yield* vendors(() => ({
        calls: [{ id: "call_1", name: "conclude", params: { answer: "rest" } }]
      }))
      const Doctor = Agent.make("Doctor", {
        description: "advises",
        input: Schema.String,
        output: Schema.Struct({ answer: Schema.String }),
        tools: [],
        backends: ["ollama", "openai"],
        readers: ["clinic"],
        instructions: "advise",
        task: (text) => text
      })
      const on = (backend: typeof onLocal | typeof onRemote) =>
        Effect.gen(function*() {
          const doctor = yield* Agent.on(Doctor, backend)
          const grant = Grant.make(["backend:ollama", "backend:openai"], { budgetMicroUsd: 10_000_000 })
          return yield* Dispatch.Dispatch.use((dispatch) =>
            dispatch.start(doctor, "I sleep badly", { grant, caller: "ada" })
          ).pipe(Effect.provide(Actor.layer(doctor)))
        })
      const refused = yield* on(onRemote)
      assert.strictEqual(refused._tag, "Failed")
      assert.include(refused._tag === "Failed" ? refused.detail : "", "openai does not cover them")
      assert.lengthOf(remote.asked, 0)
      assert.deepInclude(yield* on(onLocal), { _tag: "Succeeded", output: { answer: "rest" } })
      assert.lengthOf(local.asked, 1)
    }).pipe(Effect.provide(covering(table))))
})
