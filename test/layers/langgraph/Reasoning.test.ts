/** Agents go on from the last state of their graph; the journal answers the node that was under way, and no other. */
import { assert, describe, it } from "@effect/vitest"
import { MemorySaver } from "@langchain/langgraph"
import { Cause, Effect, Exit, Layer, Option, Schedule, Schema } from "effect"
import { LangGraph } from "../../../layers/langgraph/index.ts"
import { Actor, Agent, Reasoner } from "../../../src/actor/index.ts"
import { Digest, Log } from "../../../src/audit/index.ts"
import { Claims, Grant } from "../../../src/capability/index.ts"
import { enter, GovernorError, Session, Store, within } from "../../../src/governor/index.ts"
import { Approvals, Dispatch } from "../../../src/session/index.ts"
import * as W from "../../actor/world.ts"
import * as C from "../../governor/commits.ts"
import * as G from "./graphs.ts"

const grant = Grant.make(["tool:look", "tool:deploy", "backend:scripted"])
const Seeker = Agent.make("Seeker", {
  description: "seeks",
  input: Schema.String,
  output: Schema.String,
  tools: [W.Look, W.Deploy],
  backends: ["scripted"],
  instructions: "seek",
  task: (input) => input
})

/** The default graph, which notes the nodes that it runs. */
const noting = (ran: Array<string>): LangGraph.Shape => (nodes, route) => {
  const note = (step: Reasoner.Step): LangGraph.GraphNodes[Reasoner.Step] => (state) => {
    ran.push(`${step} ${state.thread.step}`)
    return nodes[step](state)
  }
  return LangGraph.thinkActConclude({ think: note("think"), act: note("act"), conclude: note("conclude") }, route)
}

/** An agent on a graph of that shape. */
const on = (model: W.Model, shape: LangGraph.Shape) =>
  Effect.map(
    Agent.on(Seeker, model.backend),
    (agent) => ({ agent, layer: Actor.layer(agent).pipe(Layer.provide(LangGraph.layer(shape))) })
  )

const approve = (ticket: string) =>
  Effect.flatMap(Approvals.Approvals, (desk) => desk.decide({ ticket, by: "ada", approve: true, reason: "" }))
const resume = (id: Claims.SessionId) => Effect.flatMap(Dispatch.Dispatch, (dispatch) => dispatch.resume(id))
const waits = (ended: Dispatch.Ended<unknown>) => ended._tag === "Waiting" ? ended : assert.fail(JSON.stringify(ended))
const keptOf = (id: Claims.SessionId) => Effect.flatMap(Store.Store, (store) => store.checkpoints(id, {}))

const turns = [
  { calls: [W.look("a")] },
  { calls: [W.look("b"), W.call("deploy", { version: "v1" }), W.look("c")] },
  { calls: [W.look("d")] },
  W.conclude("shipped")
]

describe("an agent that waited", () => {
  it.live("runs again only the node that it waited in", () =>
    Effect.gen(function*() {
      const model = yield* W.turns(...turns)
      const ran: Array<string> = []
      const { agent, layer } = yield* on(model, noting(ran))
      yield* Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        const first = waits(yield* dispatch.start(agent, "x", { grant, caller: "ada" }))
        assert.deepStrictEqual(ran, ["think 0", "act 1", "think 1", "act 2"])
        yield* approve(first.ticket)
        ran.length = 0
        assert.deepInclude(yield* resume(first.session), { _tag: "Succeeded", output: "shipped" })
        assert.deepStrictEqual(ran, ["act 2", "think 2", "act 3", "think 3", "conclude 4"])
        assert.deepStrictEqual(W.done.slice(-5), ["look a", "look b", "deploy v1", "look c", "look d"])
        assert.lengthOf(model.prompts, 4)
        // Nothing of it is left but the rows that name it.
        assert.deepStrictEqual(yield* keptOf(first.session), [])
        assert.isAbove(W.bodies(yield* W.rows(first.session), "checkpoint").length, 8)
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(W.app)))

  it.live("starts at the top on another graph, and is answered from its journal", () =>
    Effect.gen(function*() {
      const model = yield* W.turns(...turns)
      const ran: Array<string> = []
      const { agent, layer } = yield* on(model, noting(ran))
      const dispatch = yield* Dispatch.Dispatch
      const first = waits(yield* Effect.provide(dispatch.start(agent, "x", { grant, caller: "ada" }), layer))
      yield* approve(first.ticket)
      const other: LangGraph.Shape = (nodes, route) =>
        new G.StateGraph(LangGraph.State)
          .addNode("think", nodes.think)
          .addNode("act", nodes.act)
          .addNode("conclude", nodes.conclude)
          .addNode("rest", (state) => (ran.push("rest"), state))
          .addEdge(G.START, "think")
          .addConditionalEdges("think", route, ["think", "act", "conclude", G.END])
          .addEdge("act", "rest")
          .addConditionalEdges("rest", route, ["think", "act", "conclude", G.END])
          .addConditionalEdges("conclude", route, ["think", "act", "conclude", G.END])
          .compile()
      const moved = yield* on(model, other)
      ran.length = 0
      const ended = yield* Effect.provide(resume(first.session), moved.layer)
      assert.deepInclude(ended, { _tag: "Succeeded", output: "shipped" })
      assert.deepStrictEqual(ran, ["rest", "rest", "rest"])
      assert.lengthOf(model.prompts, 4)
    }).pipe(Effect.provide(W.app)))
})

describe("a fork of an agent", () => {
  const forked = (origin: Claims.SessionId, name: string, seq?: number) =>
    Effect.gen(function*() {
      const dispatch = yield* Dispatch.Dispatch
      const session = Claims.SessionId.make(`ses_${name}`)
      const order = { session, origin, grant, caller: "bob", ...seq === undefined ? {} : { seq } }
      yield* dispatch.fork(order)
      const log = yield* Log.Log
      yield* Effect.repeat(log.session(session), {
        until: Option.exists(({ status }) => status !== "running"),
        schedule: Schedule.spaced(5)
      })
      return yield* resume(session)
    })

  it.live("goes on from the state of its graph while that is kept, and from the top when it is not", () =>
    Effect.gen(function*() {
      const model = yield* W.turns(...turns, { calls: [W.look("e")] }, W.conclude("again"), W.conclude("and again"))
      const ran: Array<string> = []
      const { agent, layer } = yield* on(model, noting(ran))
      yield* Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        const first = waits(yield* dispatch.start(agent, "x", { grant, caller: "ada" }))
        const before = W.done.length
        ran.length = 0
        const early = waits(yield* forked(first.session, "early"))
        // It went on in the node that its origin waits in, without a word to the model.
        assert.deepStrictEqual([...new Set(ran)], ["act 2"])
        assert.lengthOf(model.prompts, 2)
        assert.lengthOf(W.done, before)
        assert.notStrictEqual(early.ticket, first.ticket)
        yield* approve(first.ticket)
        assert.deepInclude(yield* resume(first.session), { _tag: "Succeeded", output: "shipped" })
        assert.deepStrictEqual(yield* keptOf(first.session), [])
        const rows = yield* W.rows(first.session)
        const last = rows.findLastIndex(({ body }) => body.kind === "outcome" && body.act.startsWith("look"))
        const then = W.done.length
        ran.length = 0
        const ended = yield* forked(first.session, "late", last)
        assert.deepInclude(ended, { _tag: "Succeeded", output: "again" })
        // From the top: what its origin asked and did is answered from there, to the letter.
        assert.deepStrictEqual(ran.slice(0, 3), ["think 0", "act 1", "think 1"])
        assert.deepStrictEqual(W.done.slice(then), ["look e"])
        assert.lengthOf(model.prompts, 6)
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(W.app)))
})

describe("an agent whose process died", () => {
  it.live("runs again one node at most, wherever it died", () =>
    Effect.gen(function*() {
      const everything = ["think 0", "act 1", "think 1", "conclude 2"]
      const points = new Set<string>()
      for (let at = 0; at < 40; at++) {
        for (const when of ["before", "after"] as const) {
          const model = yield* W.model((_, prompt) =>
            prompt.some(({ role }) => role === "tool") ? W.conclude("there") : { calls: [W.look("a"), W.look("b")] }
          )
          const ran: Array<string> = []
          const { agent, layer } = yield* on(model, noting(ran))
          yield* Effect.gen(function*() {
            const dispatch = yield* Dispatch.Dispatch
            W.revive()
            Object.assign(W.killed, { at, when })
            const exit = yield* Effect.exit(dispatch.start(agent, "x", { grant, caller: "ada" }))
            const died = W.killed.commits > at
            W.revive()
            if (!died) return assert.isTrue(Exit.isSuccess(exit))
            const before = [...ran]
            ran.length = 0
            for (const ended of yield* dispatch.recover) {
              assert.deepInclude(ended, { _tag: "Succeeded", output: "there" })
              const from = everything.indexOf(ran[0] ?? "")
              points.add(ran[0] ?? "none")
              // On from the node that was under way, or from the one after it.
              if (ran.length > 0) assert.deepStrictEqual(ran, everything.slice(from))
              if (ran.length > 0) assert.isAtLeast(from, Math.max(0, before.length - 1), `${when} ${at}`)
              assert.isAtMost(model.prompts.length, 3)
              const rows = yield* W.rows(ended.session)
              assert.deepStrictEqual(W.succeeded(rows), ["model:scripted", "look", "look", "model:scripted"])
            }
          }).pipe(Effect.provide(layer))
        }
      }
      // Every node was the first of some run, and some had none left to run.
      assert.sameMembers([...points], [...everything, "none"])
    }).pipe(Effect.provide(W.app)), 120_000)
})

describe("a graph of one's own", () => {
  it.live("may keep more state and do more, side by side; what has ended is not done again", () =>
    Effect.gen(function*() {
      const ran: Array<string> = []
      const State = G.Annotation.Root({
        ...LangGraph.State.spec,
        notes: G.Annotation<ReadonlyArray<string>>({ reducer: (a, b) => [...a, ...b], default: () => [] })
      })
      const shape: LangGraph.Shape = (nodes, route) =>
        new G.StateGraph(State)
          .addNode("prepare", () => (ran.push("prepare"), { notes: ["prepared"] }))
          .addNode("think", nodes.think)
          .addNode("beside", () => (ran.push("beside"), { notes: ["beside"] }))
          .addNode("act", nodes.act)
          .addNode("conclude", async (state) => {
            ran.push(`conclude with ${state.notes.join(" ")}`)
            return await nodes.conclude(state)
          })
          .addEdge(G.START, "prepare")
          .addEdge("prepare", "think")
          .addEdge("prepare", "beside")
          .addConditionalEdges("think", route, ["think", "act", "conclude", G.END])
          .addConditionalEdges("act", route, ["think", "act", "conclude", G.END])
          .addConditionalEdges("conclude", route, ["think", "act", "conclude", G.END])
          .compile()
      const model = yield* W.turns({ calls: [W.call("deploy", { version: "v2" })] }, W.conclude("shipped"))
      const { agent, layer } = yield* on(model, shape)
      yield* Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        const first = waits(yield* dispatch.start(agent, "x", { grant, caller: "ada" }))
        yield* approve(first.ticket)
        assert.deepInclude(yield* resume(first.session), { _tag: "Succeeded", output: "shipped" })
        assert.deepStrictEqual(ran, ["prepare", "beside", "conclude with prepared beside"])
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(W.app)))

  it.live("keeps its state in the session's log, whatever it was compiled with", () =>
    Effect.gen(function*() {
      for (const checkpointer of [new MemorySaver(), false] as const) {
        const shape: LangGraph.Shape = (nodes, route) =>
          new G.StateGraph(LangGraph.State)
            .addNode("think", nodes.think)
            .addNode("act", nodes.act)
            .addEdge(G.START, "think")
            .addConditionalEdges("think", route, ["think", "act", G.END])
            .addConditionalEdges("act", route, ["think", "act", G.END])
            .compile({ checkpointer })
        const model = yield* W.turns({ calls: [W.call("deploy", { version: "v3" })] })
        const { agent, layer } = yield* on(model, shape)
        const dispatch = yield* Dispatch.Dispatch
        const first = waits(yield* Effect.provide(dispatch.start(agent, "x", { grant, caller: "ada" }), layer))
        assert.isNotEmpty(yield* keptOf(first.session))
        if (checkpointer !== false) assert.deepStrictEqual(Object.keys(checkpointer.storage), [])
      }
    }).pipe(Effect.provide(W.app)))

  it.live("runs no more nodes than it may, over all its runs", () =>
    Effect.gen(function*() {
      let spins = 0
      const State = G.Annotation.Root({ ...LangGraph.State.spec, round: G.Annotation<number> })
      const spin = (state: { readonly round?: number }) => (spins++, { round: (state.round ?? 0) + 1 })
      const shape: LangGraph.Shape = (nodes) =>
        new G.StateGraph(State)
          .addNode("before", spin)
          .addNode("think", nodes.think)
          .addNode("act", nodes.act)
          .addNode("after", spin)
          .addEdge(G.START, "before")
          .addConditionalEdges("before", ({ round }) => round < 20 ? "before" : "think", ["before", "think"])
          .addEdge("think", "act")
          .addEdge("act", "after")
          .addEdge("after", "after")
          .compile()
      const model = yield* W.turns({ calls: [W.call("deploy", { version: "v4" })] })
      const { agent, layer } = yield* on(model, shape)
      yield* Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        const first = waits(yield* dispatch.start(agent, "x", { grant, caller: "ada" }))
        assert.strictEqual(spins, 20)
        yield* approve(first.ticket)
        const ended = yield* resume(first.session)
        assert.deepInclude(ended, { _tag: "Failed" })
        assert.match(ended._tag === "Failed" ? ended.detail : "", /Recursion limit/)
        assert.strictEqual(spins + 2, Seeker.bounds.maxSteps * 3 + 1)
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(W.app)))

  const graphOf = (ran: Array<string>): Reasoner.Nodes<never> => ({
    start: { messages: [], step: 0, pending: [], rejections: 0, gathered: 0, conclusion: null, gaveUp: null },
    route: () => "end",
    maxNodeRuns: 3,
    nodes: {
      think: (thread) => Effect.sync(() => (ran.push("think"), thread)),
      act: Effect.succeed,
      conclude: Effect.succeed
    }
  })

  it.live("is not run for another session than the one that runs", () =>
    Effect.gen(function*() {
      const store = yield* Store.Store
      const opened = (name: string) =>
        Effect.gen(function*() {
          const id = C.sessionId(C.fresh(name))
          yield* store.commit(C.open(id, []))
          return yield* enter(id, { name: "Seeker", capabilities: [], backends: [] })
        })
      const [one, other] = [yield* opened("ses_one"), yield* opened("ses_other")]
      const ran: Array<string> = []
      const exit = yield* Effect.flatMap(Reasoner.Reasoner, (reasoner) => reasoner.run(graphOf(ran))).pipe(
        Effect.provideService(Session, one),
        within(other),
        Effect.exit
      )
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
      assert.deepInclude((error as GovernorError).reason, { _tag: "Refused", layer: "session" })
      assert.deepStrictEqual(ran, [])
      assert.deepStrictEqual(yield* keptOf(one.id), [])
    }).pipe(Effect.provide(W.app)))

  it.live("is not run for a session that nobody entered", () =>
    Effect.gen(function*() {
      const ran: Array<string> = []
      const exit = yield* Effect.flatMap(Reasoner.Reasoner, (reasoner) => reasoner.run(graphOf(ran))).pipe(
        // Somebody's own idea of a session.
        Effect.provideService(Session, { id: "ses_forged", path: "" } as never),
        Effect.exit
      )
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
      assert.instanceOf(error, GovernorError)
      assert.deepInclude((error as GovernorError).reason, { _tag: "Refused", layer: "session" })
      assert.deepStrictEqual(ran, [])
      const log = yield* Log.Log
      assert.deepStrictEqual(yield* log.sessions, [])
    }).pipe(Effect.provide(W.app)))
})

describe("another question to the same session", () => {
  it.live("is another thread", () =>
    Effect.gen(function*() {
      const digest = yield* Digest.Digest
      let question = "one"
      const Fickle = Agent.make("Fickle", { ...Seeker, task: () => question })
      const model = yield* W.turns({ calls: [W.call("deploy", { version: "v1" })] })
      const agent = yield* Agent.on(Fickle, model.backend)
      yield* Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        const first = waits(yield* dispatch.start(agent, "x", { grant, caller: "ada" }))
        question = "another"
        const ended = yield* resume(first.session)
        assert.match(ended._tag === "Failed" ? ended.detail : "", /differs from the recorded one at \/think-0#0/)
        assert.lengthOf(model.prompts, 1)
        const threads = W.bodies(yield* W.rows(first.session), "checkpoint").map(({ thread }) => thread)
        assert.strictEqual(new Set(threads).size, 2)
        assert.isTrue(threads.every((thread) => thread.length === digest.sha256("").length))
      }).pipe(Effect.provide(Actor.layer(agent)))
    }).pipe(Effect.provide(W.app)))
})
