/** Sessions whose runs break down: run again after a pause, given up in the end, and taken up by an operator. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer, Option, Schema } from "effect"
import { TestClock } from "effect/testing"
import { beforeEach } from "vitest"
import { digest } from "../../layers/node/Digest.ts"
import { Memory } from "../../layers/presets/index.ts"
import { Actor, ActorError, DeterministicActor, type Supervision } from "../../src/actor/index.ts"
import { Log, type Row } from "../../src/audit/index.ts"
import { Claims, Grant } from "../../src/capability/index.ts"
import { branch, Store } from "../../src/governor/index.ts"
import { DeadLetters, Dispatch, Runs } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"

// --- actors that break down ----------------------------------------------------

const Step = Tool.make("step", {
  description: "takes a step",
  capabilities: ["tool:step"],
  params: Schema.String,
  success: Schema.String
})

const done: Array<string> = []
let runs = 0
/** What the body does after its first step, told how often it ran before. */
let then: (run: number) => Effect.Effect<string, ActorError> = () => Effect.succeed("fine")
/** What the tool does. */
let step: (name: string) => Effect.Effect<string> = Effect.succeed

const policy: Partial<Supervision.Policy> = { maxRestarts: 2, backoffMs: 1000, factor: 3, jitter: 0, maxFruitless: 3 }

const Walker = DeterministicActor.make("Walker", {
  description: "takes a step, then does as it is told",
  input: Schema.String,
  output: Schema.String,
  tools: [Step],
  supervision: policy,
  run: (name) => Effect.andThen(Tool.call(Step, name), Effect.suspend(() => then(runs++)))
})
/** One without an act. */
const Idle = DeterministicActor.make("Idle", {
  description: "does as it is told",
  input: Schema.String,
  output: Schema.String,
  tools: [],
  supervision: policy,
  run: () => Effect.suspend(() => then(runs++))
})
const Parent = DeterministicActor.make("Parent", {
  description: "sends a walker, and minds how it went",
  input: Schema.String,
  output: Schema.String,
  tools: [Walker.tool],
  run: (name) =>
    Effect.catchTag(Actor.spawn(Walker, name), "ActorError", ({ detail }) => Effect.succeed(`it failed: ${detail}`))
})

/** Two steps side by side. */
const Strider = DeterministicActor.make("Strider", {
  description: "takes two steps at once",
  input: Schema.String,
  output: Schema.String,
  tools: [Step],
  supervision: policy,
  run: () =>
    Effect.gen(function*() {
      const steps = yield* Effect.forEach(
        ["a", "b"],
        (name) => Effect.exit(branch(name)(Tool.call(Step, name))),
        { concurrency: "unbounded" }
      )
      for (const step of steps) yield* step
      return "both"
    })
})

const handlers = Tool.layer(Step, (name) => Effect.suspend(() => (done.push(name), step(name))))
const app = Layer.mergeAll(Actor.layer(Parent), Actor.layer(Idle), Actor.layer(Strider)).pipe(
  Layer.provideMerge(Actor.layer(Walker)),
  Layer.provideMerge(handlers),
  Layer.provideMerge(Memory.layer())
)

beforeEach(() => {
  done.length = 0
  runs = 0
  then = () => Effect.succeed("fine")
  step = Effect.succeed
})

// --- what is looked at -----------------------------------------------------------

const grant = Grant.make(["tool:step", "spawn:Walker"])
const start = (name: string) =>
  Effect.flatMap(Dispatch.Dispatch, (dispatch) => dispatch.start(Walker, name, { grant, caller: "ada" }))
const resume = (id: Claims.SessionId) => Effect.flatMap(Dispatch.Dispatch, (dispatch) => dispatch.resume(id))
const rowsOf = (id: Claims.SessionId) => Effect.flatMap(Log.Log, (log) => log.rows(id))
const statusOf = (id: Claims.SessionId) =>
  Effect.map(Effect.flatMap(Log.Log, (log) => log.session(id)), (found) => Option.getOrThrow(found).status)
const kinds = (rows: ReadonlyArray<Row.Row>) => rows.map(({ body }) => body.kind)
const letters = Effect.flatMap(DeadLetters.DeadLetters, (desk) => desk.list(false))

const boom = Effect.die(new Error("password=hunter22hunter22"))

describe("a session whose run breaks down", () => {
  it.effect("is run again after a pause, by itself, and nothing is done twice", () =>
    Effect.gen(function*() {
      then = (run) => run === 0 ? boom : Effect.succeed("at last")
      const first = yield* start("a")
      const now = yield* Clock.currentTimeMillis
      assert.deepStrictEqual(first, { _tag: "Sleeping", session: first.session, until: now + 1000 })
      assert.strictEqual(runs, 1)
      yield* TestClock.adjust("999 millis")
      assert.strictEqual(runs, 1)
      yield* TestClock.adjust("3 seconds")
      assert.deepInclude(yield* resume(first.session), { _tag: "Succeeded", output: "at last" })
      assert.deepStrictEqual([runs, done], [2, ["a"]])
      const rows = yield* rowsOf(first.session)
      assert.deepStrictEqual(kinds(rows), [
        "genesis",
        "started",
        "intent",
        "outcome",
        "restarted",
        "started",
        "ended"
      ])
      assert.notInclude(JSON.stringify(rows), "hunter22")
    }).pipe(Effect.provide(app)))

  it.effect("is paused with a dead letter after its restarts, and stays so", () =>
    Effect.gen(function*() {
      then = () => boom
      const first = yield* start("a")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(runs, 3)
      assert.strictEqual(yield* statusOf(first.session), "paused")
      const restarts = (yield* rowsOf(first.session)).flatMap(({ at, body }) =>
        body.kind === "restarted" ? [[body.restart, body.until - at]] : []
      )
      assert.deepStrictEqual(restarts, [[1, 1000], [2, 3000]])
      const [letter, ...others] = yield* letters
      assert.deepInclude(letter, { kind: "session", session: first.session, state: "open", attempts: 2, by: null })
      assert.deepStrictEqual(others, [])
      assert.deepInclude((yield* rowsOf(first.session)).at(-1)?.body, { kind: "escalated", letter: letter?.id ?? "" })
      assert.notInclude(JSON.stringify(letter), "hunter22")
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(runs, 3)
    }).pipe(Effect.provide(app)))

  it.effect("goes on when an operator replays the letter, with all its restarts anew", () =>
    Effect.gen(function*() {
      const desk = yield* DeadLetters.DeadLetters
      then = () => boom
      const { session } = yield* start("a")
      yield* TestClock.adjust("1 minute")
      const [letter] = yield* letters
      if (letter === undefined) return assert.fail("there is no letter")
      then = (run) => run < 5 ? boom : Effect.succeed("mended")
      const replayed = yield* desk.replay({ letter: letter.id, by: "grace", reason: "mended" })
      assert.deepInclude(replayed, { state: "replayed", by: "grace", because: "mended" })
      yield* TestClock.adjust("1 minute")
      assert.deepInclude(yield* resume(session), { _tag: "Succeeded", output: "mended" })
      assert.deepStrictEqual(done, ["a"])
      // A decision is made once.
      const again = yield* Effect.flip(desk.drop({ letter: letter.id, by: "ada", reason: "" }))
      assert.strictEqual(again.reason._tag, "NotDecidable")
      assert.strictEqual(yield* statusOf(session), "succeeded")
      const chain = yield* rowsOf(Claims.SessionId.make("installation"))
      assert.deepInclude(chain.at(-1)?.body, { kind: "letter", what: "replayed", by: "grace", letter: letter.id })
    }).pipe(Effect.provide(app)))

  it.effect("asks anew for every act that broke it down, where several did at once", () =>
    Effect.gen(function*() {
      const broke = new Set<string>()
      step = (name) => broke.has(name) ? Effect.succeed(name) : Effect.suspend(() => (broke.add(name), boom))
      const dispatch = yield* Dispatch.Dispatch
      const first = yield* dispatch.start(Strider, "", { grant, caller: "ada" })
      yield* TestClock.adjust("1 minute")
      assert.deepInclude(yield* resume(first.session), { _tag: "Succeeded", output: "both" })
      assert.deepStrictEqual(done.toSorted(), ["a", "a", "b", "b"])
    }).pipe(Effect.provide(app)))

  it.effect("is ended when an operator drops the letter", () =>
    Effect.gen(function*() {
      const desk = yield* DeadLetters.DeadLetters
      then = () => boom
      const { session } = yield* start("a")
      yield* TestClock.adjust("1 minute")
      const [letter] = yield* letters
      yield* desk.drop({ letter: letter?.id ?? "", by: "grace", reason: "not worth it" })
      assert.strictEqual(yield* statusOf(session), "cancelled")
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(runs, 3)
      assert.deepStrictEqual(yield* desk.list(true), [])
      assert.strictEqual((yield* Effect.flip(desk.show("D0"))).reason._tag, "NoSuchLetter")
    }).pipe(Effect.provide(app)))

  it.effect("ends at once when it says itself that it failed, unless its class says otherwise", () =>
    Effect.gen(function*() {
      then = () => Effect.fail(new ActorError({ actor: "Walker", detail: "no way", abandoned: false }))
      assert.deepInclude(yield* start("a"), { _tag: "Failed", detail: "no way" })
      assert.strictEqual(runs, 1)
      assert.deepStrictEqual(yield* letters, [])
    }).pipe(Effect.provide(app)))

  it.effect("ends at once when it was refused: a refusal is not repeated", () =>
    Effect.gen(function*() {
      const dispatch = yield* Dispatch.Dispatch
      const poor = Grant.make([]).narrow([]) as never
      const ended = yield* dispatch.start(Walker, "a", { grant: poor, caller: "ada" })
      assert.deepInclude(ended, { _tag: "Failed" })
      if (ended._tag === "Failed") assert.match(ended.detail, /refused by token/)
      assert.deepStrictEqual([done, runs], [[], 0])
      assert.notInclude(kinds(yield* rowsOf(ended.session)), "restarted")
    }).pipe(Effect.provide(app)))
})

describe("a handler that breaks down", () => {
  it.effect("is asked again by the next run, where an act can be undone", () =>
    Effect.gen(function*() {
      step = (name) => done.length === 1 ? Effect.die("the tool broke") : Effect.succeed(name)
      const first = yield* start("a")
      assert.strictEqual(first._tag, "Sleeping")
      yield* TestClock.adjust("5 seconds")
      assert.deepInclude(yield* resume(first.session), { _tag: "Succeeded", output: "fine" })
      assert.deepStrictEqual(done, ["a", "a"])
      const outcomes = (yield* rowsOf(first.session)).flatMap(({ body, key }) =>
        body.kind === "outcome" ? [[key, body.status]] : []
      )
      assert.deepStrictEqual(outcomes, [["#0", "crashed"], ["#0~1", "succeeded"]])
    }).pipe(Effect.provide(app)))
})

describe("a child that breaks down", () => {
  const send = (name: string) =>
    Effect.flatMap(Dispatch.Dispatch, (dispatch) => dispatch.start(Parent, name, { grant, caller: "ada" }))

  it.effect("is run again while its parent waits and holds nothing", () =>
    Effect.gen(function*() {
      then = (run) => run === 0 ? boom : Effect.succeed("at last")
      const first = yield* send("a")
      assert.deepInclude(first, { _tag: "Sleeping", until: (yield* Clock.currentTimeMillis) + 1000 })
      assert.strictEqual(yield* statusOf(first.session), "waiting")
      yield* TestClock.adjust("5 seconds")
      assert.deepInclude(yield* resume(first.session), { _tag: "Succeeded", output: "at last" })
      assert.deepStrictEqual([runs, done], [2, ["a"]])
    }).pipe(Effect.provide(app)))

  it.effect("is given up to its parent, which may go on without it", () =>
    Effect.gen(function*() {
      then = () => boom
      const { session } = yield* send("a")
      yield* TestClock.adjust("1 minute")
      const ended = yield* resume(session)
      assert.strictEqual(ended._tag, "Succeeded")
      if (ended._tag === "Succeeded") {
        assert.match(String(ended.output), /^it failed: given up after 2 attempts: it broke/)
      }
      assert.strictEqual(runs, 3)
      assert.deepStrictEqual(yield* letters, [])
      const spawned = (yield* rowsOf(session)).flatMap(({ body }) => body.kind === "outcome" ? [body.status] : [])
      assert.strictEqual(spawned.at(-1), "failed")
    }).pipe(Effect.provide(app)))
})

describe("a session that nothing can run", () => {
  it.effect("is set aside when its runs die one after the other and come to nothing", () =>
    Effect.gen(function*() {
      const runner = yield* Runs.Runs
      const store = yield* Store.Store
      const dispatch = yield* Dispatch.Dispatch
      const session = Claims.SessionId.make("ses_poisoned")
      then = () => Effect.interrupt
      yield* dispatch.open({ session, actor: "Idle", input: "a", grant: Grant.make([]), caller: "ada" })
      yield* Effect.yieldNow
      // Two more runs that were killed: they began, and left nothing.
      for (let run = 0; run < 2; run++) yield* store.commit({ _tag: "Claim", session })
      then = () => Effect.succeed("fine")
      runs = 0
      yield* runner.run(session)
      assert.strictEqual(runs, 0)
      assert.strictEqual(yield* statusOf(session), "paused")
      const [letter] = yield* letters
      assert.deepInclude(letter, { kind: "message", session, attempts: 3 })
      yield* dispatch.unpause({ session, by: "ada", reason: "" })
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(yield* statusOf(session), "succeeded")
    }).pipe(Effect.provide(app)))

  it.effect("is set aside when its input does not fit any more", () =>
    Effect.gen(function*() {
      const runner = yield* Runs.Runs
      const store = yield* Store.Store
      const session = Claims.SessionId.make("ses_old")
      yield* store.commit(yield* opening(session, { text: "{\"of\":\"another version\"}" }))
      yield* runner.run(session)
      assert.deepStrictEqual([done, runs], [[], 0])
      assert.strictEqual(yield* statusOf(session), "paused")
      assert.match((yield* letters)[0]?.reason ?? "", /the input does not fit/)
    }).pipe(Effect.provide(app)))

  it.effect("is set aside when nobody has known its class for a while, once", () =>
    Effect.gen(function*() {
      const store = yield* Store.Store
      const session = Claims.SessionId.make("ses_strange")
      yield* store.commit(yield* opening(session, { actor: "Stranger" }))
      yield* TestClock.adjust("9 minutes")
      assert.deepStrictEqual(yield* letters, [])
      yield* TestClock.adjust("5 minutes")
      const found = yield* letters
      assert.lengthOf(found, 1)
      assert.deepInclude(found[0], { kind: "message", session, reason: "no actor Stranger is registered" })
      assert.strictEqual(yield* statusOf(session), "paused")
    }).pipe(Effect.provide(app)))
})

/** A session as another process may have left it. */
const opening = Effect.fnUntraced(function*(
  id: Claims.SessionId,
  { actor = "Walker", text = "\"a\"" }: { readonly actor?: string; readonly text?: string } = {}
) {
  const dispatch = yield* Dispatch.Dispatch
  const log = yield* Log.Log
  // One that ended gives the token's form; the copy has a chain of its own.
  const model = yield* dispatch.start(Walker, "a", { grant, caller: "ada" })
  const summary = Option.getOrThrow(yield* log.session(model.session))
  const [genesis] = yield* log.rows(model.session)
  done.length = 0
  runs = 0
  if (genesis?.body.kind !== "genesis") return assert.fail("no genesis")
  const input = digest.sha256(text)
  const open: Store.Open = {
    _tag: "Open",
    session: { ...summary, id, actor, status: "running", epoch: 0, seq: 0, head: genesis.prev, input, result: null },
    genesis: { key: null, body: { ...genesis.body, actor, input } },
    accounts: [],
    payloads: [{ hash: input, text }]
  }
  return open
})
