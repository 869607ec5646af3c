/** Sessions on tape: the same bytes whoever records them, played back with nobody asked and nothing done, and no secret. */
import { assert, beforeEach, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Schema } from "effect"
import { AiError } from "effect/ai"
import * as fc from "fast-check"
import { Actor, Agent, DeterministicActor } from "../../src/actor/index.ts"
import { Log } from "../../src/audit/index.ts"
import { type Backend, Breaker, Failure, Plan, Scripted, Tape } from "../../src/backend/index.ts"
import { type Claims, Grant } from "../../src/capability/index.ts"
import { Approvals, Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import * as W from "../actor/world.ts"

const key = `AKIA${"Z".repeat(16)}`

const Seeker = Agent.make("Seeker", {
  description: "seeks",
  input: Schema.String,
  output: Schema.String,
  tools: [W.Look],
  backends: ["scripted", "recorded", "ollama"],
  instructions: "seek",
  task: (question) => `find ${question}`
})
type SeekerOn = Effect.Success<ReturnType<typeof on>>
const on = (backend: Parameters<typeof Agent.on<"Seeker", any, any, any, any, any, any>>[1]) =>
  Agent.on(Seeker, backend as Backend.Backend<"scripted" | "recorded" | "ollama">)

/** A parent that has a child seek, ships what it found, and says which row says so. */
const parentOf = (child: SeekerOn) =>
  DeterministicActor.make("Parent", {
    description: "has a child seek",
    input: Schema.String,
    output: Schema.Struct({ found: Schema.String, stamp: Schema.String, shipped: Schema.String }),
    tools: [child.tool, W.Look, W.Deploy],
    run: (question) =>
      Effect.gen(function*() {
        const { stamp, value: found } = yield* Tool.cite(child.tool, question)
        yield* Effect.ignore(Tool.call(W.Look, { at: "nowhere" }))
        return { found, stamp, shipped: yield* Tool.call(W.Deploy, { version: found }) }
      })
  })
const grant = Grant.make([
  "tool:look",
  "tool:deploy",
  "backend:scripted",
  "backend:recorded",
  "backend:ollama",
  "spawn:Seeker"
], { budgetMicroUsd: 1_000_000_000 })

/** The model reads what it was shown, so that stamps and results go through what it says. */
const talkative = () =>
  W.model((turn, prompt) => {
    if (turn === 0) return { text: `I use ${key} to look`, calls: [W.look("a"), W.look(`b ${key}`)] }
    const stamp = /ses_[\w.]+\/\d+/.exec(JSON.stringify(prompt))?.[0] ?? "no stamp"
    return turn === 1 ? { text: `so says ${stamp}`, calls: [W.look(stamp)] } : W.conclude("it is in a")
  })

/** Runs the parent to its end, agreeing to whatever it asks people. */
const run = (backend: Parameters<typeof on>[0], question = "it") =>
  Effect.gen(function*() {
    const child = yield* on(backend)
    const parent = parentOf(child)
    return yield* Effect.gen(function*() {
      const dispatch = yield* Dispatch.Dispatch
      const approvals = yield* Approvals.Approvals
      const first = yield* dispatch.start(parent, question, { grant, caller: "ada" })
      if (first._tag !== "Waiting") return first
      yield* approvals.decide({ ticket: first.ticket, by: "grace", approve: true, reason: "" })
      return yield* dispatch.resume(first.session)
    }).pipe(
      Effect.provide(
        Layer.provideMerge(Actor.layer(parent), Actor.layer(child)).pipe(
          Layer.provide(Layer.succeed(Breaker.Current, Breaker.make()))
        )
      )
    )
  })

const taped = (session: Claims.SessionId) => Effect.map(Tape.record(session), Tape.write)
const lines = (text: string) => text.split("\n").slice(1)

/** What the rows of a session say that does not depend on when it ran, or under which name. */
const hashes = (session: string) =>
  Effect.map(W.rows(session), (rows) =>
    rows.map(({ body, key }) => ({
      key,
      kind: body.kind,
      act: "act" in body ? body.act : null,
      args: "args" in body ? body.args : null,
      input: "input" in body ? body.input : null,
      // The stamp in its result names the session.
      result: "result" in body && body.kind !== "ended" ? body.result : null
    })))

/** The runtime with the tools of a tape in place of their handlers. */
const replaying = (tape: Tape.Tape) =>
  Layer.provideMerge(Layer.merge(Tape.handler(tape, W.Look), Tape.handler(tape, W.Deploy)), W.runtime)

beforeEach(() => {
  W.done.length = 0
  W.revive()
})

describe("a session on tape", () => {
  it.live("is the same to the last byte, twice from one session and from another run of it", () =>
    Effect.gen(function*() {
      const tapes: Array<string> = []
      for (const _ of [1, 2]) {
        const ended = yield* run((yield* talkative()).backend)
        assert.strictEqual(ended._tag, "Succeeded")
        const once = yield* taped(ended.session)
        assert.strictEqual(yield* taped(ended.session), once)
        assert.notInclude(once, ended.session)
        tapes.push(once)
      }
      assert.strictEqual(tapes[0], tapes[1])
      const { calls, header } = yield* Tape.read(tapes[0] ?? "")
      assert.deepInclude(header, { actor: "Parent", input: "it", models: ["scripted/script"], notice: null })
      assert.deepStrictEqual(
        calls.map(({ act, session, status }) => `${session === "" ? "parent" : "child"} ${act} ${status}`),
        [
          "parent look failed",
          "parent deploy succeeded",
          "child look succeeded",
          "child look succeeded",
          "child look succeeded",
          "child model succeeded",
          "child model succeeded",
          "child model succeeded"
        ]
      )
    }).pipe(Effect.provide(W.app)))

  it.live("is played back with no model asked and nothing done, to the same end; recorded again, it is the same", () =>
    Effect.gen(function*() {
      const { hashes: before, original, tape, text } = yield* Effect.gen(function*() {
        const original = yield* run((yield* talkative()).backend)
        const text = yield* taped(original.session)
        return { hashes: yield* hashes(original.session), original, text, tape: yield* Tape.read(text) }
      }).pipe(Effect.provide(W.app))
      assert.isAbove(W.done.length, 3)
      W.done.length = 0
      yield* Effect.gen(function*() {
        const replayed = yield* run(yield* Tape.backend(tape))
        if (replayed._tag !== "Succeeded" || original._tag !== "Succeeded") return assert.fail(JSON.stringify(replayed))
        assert.deepStrictEqual(W.done, [])
        assert.notStrictEqual(replayed.session, original.session)
        const moved = JSON.parse(JSON.stringify(original.output).replaceAll(original.session, replayed.session))
        assert.deepStrictEqual<unknown>(replayed.output, moved)
        assert.deepStrictEqual(lines(yield* taped(replayed.session)), lines(text))
        assert.isUndefined(Tape.differs(tape, yield* Tape.record(replayed.session)))
        // Row by row, what was asked and answered has the same hashes; only tokens, tickets and times are others.
        assert.deepStrictEqual(yield* hashes(replayed.session), before)
      }).pipe(Effect.provide(replaying(tape)))
    }))

  it.live("holds no secret, of arguments, answers, questions or words of a model", () =>
    Effect.gen(function*() {
      const ended = yield* run((yield* talkative()).backend)
      assert.include(JSON.stringify(W.done), key)
      const text = yield* taped(ended.session)
      assert.notInclude(text, key)
      assert.include(text, "[redacted:aws-key]")
    }).pipe(Effect.provide(W.app)))

  it.live("answers no other question, and no other arguments: it says where they differ, and nothing is done", () =>
    Effect.gen(function*() {
      const tape = yield* Effect.gen(function*() {
        return yield* Tape.record((yield* run((yield* talkative()).backend)).session)
      }).pipe(Effect.provide(W.app))
      W.done.length = 0
      const other = yield* Effect.provide(run(yield* Tape.backend(tape), "something else"), replaying(tape))
      assert.strictEqual(other._tag, "Failed")
      assert.match(
        other._tag === "Failed" ? other.detail : "",
        /the question at \S+ differs from the tape at prompt\[1\]\.content\[0\]\.text/
      )
      const calls = tape.calls.map((call) => call.act === "look" ? { ...call, args: { at: "elsewhere" } } : call)
      const stray = yield* Effect.provide(run(yield* Tape.backend(tape)), replaying({ ...tape, calls }))
      assert.strictEqual(stray._tag, "Failed")
      assert.match(stray._tag === "Failed" ? stray.detail : "", /other arguments, at at/)
      const none = yield* Effect.provide(run(yield* Tape.backend({ ...tape, calls: [] })), replaying(tape))
      assert.match(none._tag === "Failed" ? none.detail : "", /the tape has no model call at/)
      assert.deepStrictEqual(W.done, [])
    }))

  it.live("keeps how calls failed: a plan moves on again", () =>
    Effect.gen(function*() {
      const { reason } = Failure.make("RateLimited", { detail: "slow down", retryAfterMs: 90_000 })
      const busy = AiError.make({ module: "Test", method: "generateText", reason })
      const local = yield* Scripted.make({ name: "ollama", model: "llama", notice: null }, () => busy)
      const plan = Plan.make<"ollama" | "scripted">(local, (yield* talkative()).backend)
      const { tape, text } = yield* Effect.gen(function*() {
        const { session } = yield* run(plan as never)
        return { text: yield* taped(session), tape: yield* Tape.record(session) }
      }).pipe(Effect.provide(W.app))
      assert.deepStrictEqual(tape.header.models, ["ollama/llama", "scripted/script"])
      yield* Effect.gen(function*() {
        const recorded = yield* Tape.backend(tape)
        const replayed = yield* run(Plan.make(recorded, recorded) as never)
        assert.strictEqual(replayed._tag, "Succeeded", JSON.stringify(replayed))
        assert.deepStrictEqual(lines(yield* taped(replayed.session)), lines(text))
      }).pipe(Effect.provide(replaying(tape)))
    }))

  it.live("is not made of what is not as it was recorded", () =>
    Effect.gen(function*() {
      const ended = yield* run((yield* talkative()).backend)
      const log = yield* Log.Log
      const altered = { ...log, payload: () => Effect.succeed(Option.some("\"something else\"")) }
      const refused = yield* Effect.flip(Effect.provideService(Tape.record(ended.session), Log.Log, altered))
      assert.include(refused.message, "was erased or altered")
    }).pipe(Effect.provide(W.app)))

  it.live("is of a session that somebody started", () =>
    Effect.gen(function*() {
      const ended = yield* run((yield* talkative()).backend)
      const { calls } = yield* Tape.record(ended.session)
      const child = `${ended.session}${calls.at(-1)?.session}` as Claims.SessionId
      for (const id of [child, "ses_nobody" as Claims.SessionId]) {
        const refused = yield* Effect.flip(Tape.record(id))
        assert.include(refused.message, "is no session that somebody started")
      }
    }).pipe(Effect.provide(W.app)))
})

describe("a text", () => {
  const json = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as Schema.Json)
  const call: fc.Arbitrary<Tape.Call> = fc.record({
    session: fc.constantFrom("", ".1234abcd"),
    place: fc.string(),
    act: fc.string(),
    args: json,
    status: fc.constantFrom("succeeded" as const, "failed" as const),
    result: json
  })
  const header: Tape.Header = {
    format: "aosiq-tape",
    version: 1,
    actor: "A",
    input: null,
    models: [],
    notice: null
  }

  it.effect("is read as it was written", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(call, { maxLength: 5, selector: ({ place, session }) => `${session} ${place}` }),
          async (calls) => {
            const tape = { header, calls }
            const again = await Effect.runPromise(Tape.read(Tape.write(tape)))
            assert.deepStrictEqual(again, tape)
            assert.isUndefined(Tape.differs(tape, again))
            if (calls.length > 0) assert.isString(Tape.differs(tape, { header, calls: calls.slice(1) }))
          }
        ),
        { numRuns: 300 }
      )
    ))

  it.effect("that is no tape of this version is not read", () =>
    Effect.gen(function*() {
      for (
        const text of ["", "{}", JSON.stringify({ ...header, version: 2 }), `${JSON.stringify(header)}\n{"act":1}`]
      ) {
        assert.match((yield* Effect.flip(Tape.read(text))).message, /^line [12] is not .*record the session again$/)
      }
    }))
})
