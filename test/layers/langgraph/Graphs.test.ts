/** What LangGraph does with checkpoints it does with ours, though few of them are kept. */
import { assert, describe, it } from "@effect/vitest"
import { Command, DeltaChannel, interrupt, MemorySaver, RunControl } from "@langchain/langgraph"
import { Effect, Layer } from "effect"
import { MemoryStore } from "../../../layers/memory/index.ts"
import { NodeDigest } from "../../../layers/node/index.ts"
import { Store } from "../../../src/governor/index.ts"
import * as G from "./graphs.ts"

type Saver = G.Saver

const store = MemoryStore.layer.pipe(Layer.provideMerge(NodeDigest.layer))

const kept = (id: Parameters<Store.Store["Service"]["checkpoints"]>[0]) =>
  Effect.flatMap(Store.Store, (store) => store.checkpoints(id, {}))

describe("a graph with our saver", () => {
  it.live("goes on after a run that ended between two nodes", () =>
    Effect.gen(function*() {
      const id = yield* G.session
      const ran: Array<string> = []
      let broken = true
      const graph = (saver: MemorySaver | Saver) =>
        new G.StateGraph(G.Seen)
          .addNode("a", () => (ran.push("a"), { seen: ["a"] }))
          .addNode("b", () => {
            ran.push("b")
            if (broken) throw new Error("down")
            return { seen: ["b"] }
          })
          .addEdge(G.START, "a").addEdge("a", "b").addEdge("b", G.END)
          .compile({ checkpointer: saver })
      const error = yield* Effect.flip(G.running(id, (saver) => graph(saver).invoke({ seen: ["in"] }, G.config)))
      assert.match(String(error.cause), /down/)
      broken = false
      const ended = yield* G.running(id, (saver) => graph(saver).invoke(null, G.config))
      assert.deepStrictEqual(ended.seen, ["in", "a", "b"])
      assert.deepStrictEqual(ran, ["a", "b", "b"])
      // And a graph that is at its end gives what it came to.
      const again = yield* G.running(id, (saver) => graph(saver).invoke(null, G.config))
      assert.deepStrictEqual(again.seen, ended.seen)
      assert.lengthOf(ran, 3)
    }).pipe(Effect.provide(store)))

  it.live("runs only the tasks of a step that had not ended", () =>
    Effect.gen(function*() {
      const id = yield* G.session
      const ran: Array<string> = []
      let broken = true
      const graph = (saver: Saver) =>
        new G.StateGraph(G.Seen)
          .addNode("quick", () => (ran.push("quick"), { seen: ["quick"] }))
          .addNode("slow", async () => {
            // Long enough for what the other left to be saved by itself.
            await Effect.runPromise(Effect.sleep(20))
            ran.push("slow")
            if (broken) throw new Error("down")
            return { seen: ["slow"] }
          })
          .addEdge(G.START, "quick").addEdge(G.START, "slow")
          .compile({ checkpointer: saver })
      yield* Effect.flip(G.running(id, (saver) => graph(saver).invoke({ seen: [] }, G.config)))
      broken = false
      const ended = yield* G.running(id, (saver) => graph(saver).invoke(null, G.config))
      assert.deepStrictEqual(ended.seen, ["quick", "slow"])
      assert.deepStrictEqual(ran, ["quick", "slow", "slow"])
    }).pipe(Effect.provide(store)))

  it.live("interrupts and is answered in a later run", () =>
    Effect.gen(function*() {
      const id = yield* G.session
      const graph = (saver: Saver) =>
        new G.StateGraph(G.Seen)
          .addNode("ask", () => ({ seen: [String(interrupt("which?"))] }))
          .addEdge(G.START, "ask")
          .compile({ checkpointer: saver })
      yield* G.running(id, (saver) => graph(saver).invoke({ seen: [] }, G.config))
      const state = yield* G.running(id, (saver) => graph(saver).getState(G.config))
      assert.deepStrictEqual(state.next, ["ask"])
      const ended = yield* G.running(id, (saver) => graph(saver).invoke(new Command({ resume: "this" }), G.config))
      assert.deepStrictEqual(ended.seen, ["this"])
    }).pipe(Effect.provide(store)))

  it.live("stops between two nodes when it is asked to, and goes on", () =>
    Effect.gen(function*() {
      const id = yield* G.session
      const control = new RunControl()
      const graph = (saver: Saver) =>
        new G.StateGraph(G.Seen)
          .addNode("a", () => (control.requestDrain("enough"), { seen: ["a"] }))
          .addNode("b", () => ({ seen: ["b"] }))
          .addEdge(G.START, "a").addEdge("a", "b")
          .compile({ checkpointer: saver })
      const error = yield* Effect.flip(
        G.running(id, (saver) => graph(saver).invoke({ seen: [] }, { ...G.config, control }))
      )
      assert.match(String(error.cause), /GraphDrained/)
      const ended = yield* G.running(id, (saver) => graph(saver).invoke(null, G.config))
      assert.deepStrictEqual(ended.seen, ["a", "b"])
    }).pipe(Effect.provide(store)))

  it.live(
    "sends tasks, and runs graphs within graphs, with no more kept than its steps need",
    () =>
      Effect.gen(function*() {
        const id = yield* G.session
        const rounds = 30
        const build = (checkpointer?: MemorySaver | Saver) => {
          const inner = new G.StateGraph(G.Seen)
            .addNode("in1", () => ({ seen: ["in1"] }))
            .addNode("in2", () => ({ seen: ["in2"] }))
            .addEdge(G.START, "in1").addEdge("in1", "in2")
            .compile()
          const remembering = new G.StateGraph(G.Seen)
            .addNode("in3", ({ seen }) => ({ seen: [`saw ${seen.length}`] }))
            .addEdge(G.START, "in3")
            .compile({ checkpointer: true })
          return new G.StateGraph(G.Seen)
            .addNode("fan", () => ({ seen: ["fan"] }))
            .addNode("task", (({ n }: { n: number }) => ({ seen: [`task ${n}`] })) as never)
            .addNode("inner", async () => ({ seen: (await inner.invoke({ seen: [] })).seen }))
            .addNode("own", async () => ({ seen: (await remembering.invoke({ seen: ["x"] })).seen.slice(-1) }))
            .addEdge(G.START, "fan")
            .addConditionalEdges("fan", () => [1, 2].map((n) => new G.Send("task", { n })))
            .addEdge("task" as never, "inner")
            .addEdge("inner", "own")
            .addConditionalEdges(
              "own",
              ({ seen }) => seen.filter((one) => one === "fan").length < rounds ? "fan" : G.END
            )
            .compile(checkpointer === undefined ? {} : { checkpointer })
        }
        const options = { ...G.config, recursionLimit: 1000 }
        const expected = yield* Effect.promise(() => build(new MemorySaver()).invoke({ seen: [] }, options))
        const ended = yield* G.running(id, (saver) => build(saver).invoke({ seen: [] }, options), { keep: 2 })
        assert.deepStrictEqual(ended.seen, expected.seen)
        // The graph that keeps a state of its own saw all rounds before it.
        assert.strictEqual(ended.seen.at(-1), `saw ${2 * rounds - 1}`)
        const places = yield* kept(id)
        const graphs = Map.groupBy(places, ({ ns }) => ns)
        for (const [ns, own] of graphs) assert.isAtMost(own.length, 4, ns)
        assert.isAtMost(graphs.size, 6)
        assert.isTrue(graphs.has("own"))
      }).pipe(Effect.provide(store)),
    60_000
  )

  it.live("puts a channel that is kept as a series of changes together again", () =>
    Effect.gen(function*() {
      const id = yield* G.session
      const State = G.Annotation.Root({
        round: G.Annotation<number>,
        log: () =>
          new DeltaChannel<ReadonlyArray<string>, ReadonlyArray<string>>(
            (state, writes) => [...state, ...writes.flat()],
            { snapshotFrequency: 8 }
          )
      })
      const graph = (saver: Saver, rounds: number) =>
        new G.StateGraph(State)
          .addNode("step", ({ round }) => ({ log: [`r${round}`], round: round + 1 }))
          .addEdge(G.START, "step")
          .addConditionalEdges("step", ({ round }) => round % rounds === 0 ? G.END : "step")
          .compile({ checkpointer: saver })
      const options = { ...G.config, recursionLimit: 1000 }
      yield* G.running(id, (saver) => graph(saver, 45).invoke({ log: [], round: 0 }, options), { keep: 1 })
      const state = yield* G.running(id, (saver) => graph(saver, 45).getState(G.config), { keep: 1 })
      assert.deepStrictEqual(state.values.log, Array.from({ length: 45 }, (_, round) => `r${round}`))
      assert.isAtMost((yield* kept(id)).length, 12)
    }).pipe(Effect.provide(store)))

  it.live("goes back to a checkpoint that is kept, and on from there on a branch of its own", () =>
    Effect.gen(function*() {
      const id = yield* G.session
      let word = "first"
      const graph = (saver: Saver) =>
        new G.StateGraph(G.Seen)
          .addNode("a", () => ({ seen: ["a"] }))
          .addNode("b", () => ({ seen: [word] }))
          .addEdge(G.START, "a").addEdge("a", "b")
          .compile({ checkpointer: saver })
      return yield* G.running(id, async (saver) => {
        await graph(saver).invoke({ seen: [] }, G.config)
        const history: Array<Awaited<ReturnType<ReturnType<typeof graph>["getState"]>>> = []
        for await (const state of graph(saver).getStateHistory(G.config)) history.push(state)
        const before = history.find(({ next }) => next[0] === "b")
        assert.isDefined(before)
        word = "second"
        const forked = await graph(saver).invoke(null, { ...before?.config, durability: "sync" })
        assert.deepStrictEqual(forked.seen, ["a", "second"])
        const old = await graph(saver).getState(history[0]?.config ?? G.config)
        assert.deepStrictEqual(old.values.seen, ["a", "first"])
      })
    }).pipe(Effect.provide(store)))
})
