import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"
import { Log, Row } from "../../src/audit/index.ts"
import { Tokens } from "../../src/capability/index.ts"
import { Entered, Governor, Permit, type Refusal, Session, Store } from "../../src/governor/index.ts"
import * as C from "./commits.ts"
import {
  act,
  action,
  bodies,
  kind,
  marks,
  type Parts,
  refused,
  run,
  session,
  Sorry,
  stopped,
  Tester,
  world
} from "./world.ts"

describe("an act that is admitted", () => {
  it.effect("runs once, between its intent and its outcome", () =>
    Effect.gen(function*() {
      const log = yield* Log.Log
      const { claims, id } = yield* session()
      const seen: Array<ReadonlyArray<string>> = []
      const asked = action("x", (args) =>
        Effect.gen(function*() {
          const rows = yield* Effect.orDie(log.rows(id))
          seen.push(rows.map((row) => row.body.kind))
          return `did ${args}`
        }), { reserve: 30, bill: () => ({ costMicroUsd: 12 }), trust: "untrusted" })
      const outcome = yield* run(id, act(asked))
      assert.deepStrictEqual(seen, [["genesis", "started", "intent"]])
      assert.deepStrictEqual(outcome, { value: "did x", stamp: `${id}/3`, trust: "untrusted" })
      const [, , intent, done] = yield* bodies(id)
      assert.deepStrictEqual(intent, {
        kind: "intent",
        key: "#0",
        act: "act",
        capabilities: ["tool:act"],
        token: claims.jti,
        schema: C.hashOf("schema"),
        args: C.hashOf(`{"args":"x"}`),
        argsPreview: `{"args":"x"}`,
        reservedMicroUsd: 30,
        ticket: null
      })
      assert.deepStrictEqual(done, {
        kind: "outcome",
        key: "#0",
        act: "act",
        intent: 2,
        status: "succeeded",
        result: C.hashOf(`"did x"`),
        resultPreview: `"did x"`,
        trust: "untrusted",
        costMicroUsd: 12,
        computeMs: 0
      })
      assert.deepStrictEqual(yield* log.payload(C.hashOf(`{"args":"x"}`)), Option.some(`{"args":"x"}`))
      assert.deepStrictEqual(yield* log.payload(C.hashOf(`"did x"`)), Option.some(`"did x"`))
      const store = yield* Store.Store
      assert.deepStrictEqual(yield* store.accounts, [{ id: `session:${id}`, ceiling: 1000, reserved: 0, spent: 12 }])
    }).pipe(Effect.provide(world())))

  it.effect("holds back its worst case while it runs, and pays what it took", () =>
    Effect.gen(function*() {
      const store = yield* Store.Store
      const { id } = yield* session()
      const started = yield* Deferred.make<void>()
      const asked = action("x", () =>
        Effect.gen(function*() {
          assert.deepInclude((yield* Effect.orDie(store.accounts))[0], { reserved: 400, spent: 0 })
          yield* Deferred.succeed(started, undefined)
          yield* Effect.sleep(250)
          return ""
        }), { reserve: 400, bill: (elapsedMs) => ({ costMicroUsd: elapsedMs }) })
      const fiber = yield* Effect.forkChild(run(id, act(asked)))
      yield* Deferred.await(started)
      yield* TestClock.adjust(250)
      yield* Fiber.join(fiber)
      assert.deepInclude((yield* store.accounts)[0], { reserved: 0, spent: 250 })
      assert.deepInclude((yield* kind(id, "outcome"))[0], { computeMs: 250, costMicroUsd: 250 })
    }).pipe(Effect.provide(world())))

  it.effect("leaves no secret of its arguments or its result in the log, and gives none to whoever asked", () =>
    Effect.gen(function*() {
      const log = yield* Log.Log
      const { id } = yield* session()
      const secret = `AKIA${"Z".repeat(16)}`
      const given: Array<string> = []
      const once = act(action(`key ${secret}`, (args) => Effect.sync(() => (given.push(args), `echo ${secret}`))))
      const { value } = yield* run(id, once)
      // The handler was given what it was asked with: a secret that is meant for it reaches it, and nobody else.
      assert.deepStrictEqual(given, [`key ${secret}`])
      assert.strictEqual(value, "echo [redacted:aws-key]")
      const all = yield* bodies(id)
      assert.notInclude(JSON.stringify(all), secret)
      const texts = yield* Effect.forEach(
        all.flatMap((body) => body.kind === "intent" ? body.args : body.kind === "outcome" ? body.result ?? [] : []),
        (hash) => Effect.map(log.payload(hash), Option.getOrThrow)
      )
      assert.deepStrictEqual(texts, ["{\"args\":\"key [redacted:aws-key]\"}", "\"echo [redacted:aws-key]\""])
      // The next run is answered with the same.
      assert.strictEqual((yield* run(id, once)).value, value)
      assert.strictEqual(given.length, 1)
    }).pipe(Effect.provide(world())))

  it.effect("gives its handler a permit of its own, good once", () =>
    Effect.gen(function*() {
      const { id } = yield* session()
      const permits: Array<Permit<string>> = []
      const asked = {
        ...action("x", () => Effect.succeed("")),
        run: (_: string, permit: Permit<string>) => Effect.sync(() => (permits.push(permit), ""))
      }
      yield* run(id, Effect.all([act(asked), act(asked)]))
      const [first, second] = permits
      assert.strictEqual(first?.stamp, `${id}/2`)
      assert.strictEqual(second?.stamp, `${id}/4`)
      assert.isFalse(Permit.redeem(first, "another act"))
      assert.isTrue(Permit.redeem(first, "act"))
      assert.isFalse(Permit.redeem(first, "act"))
      assert.isTrue(Permit.redeem(second, "act"))
      for (const forged of [null, undefined, {}, { ...first }, Object.create(Permit.prototype), "permit"]) {
        assert.isFalse(Permit.redeem(forged, "act"))
      }
    }).pipe(Effect.provide(world())))

  it.effect("fails in its own words, which are recorded", () =>
    Effect.gen(function*() {
      const { id } = yield* session()
      const error = yield* Effect.flip(run(id, act(action("x", () => Effect.fail(new Sorry({ why: "no" }))))))
      assert.deepStrictEqual(error, new Sorry({ why: "no" }))
      assert.deepInclude((yield* kind(id, "outcome"))[0], {
        status: "failed",
        result: C.hashOf(`{"_tag":"Sorry","why":"no"}`)
      })
    }).pipe(Effect.provide(world())))
})

/** One way to be refused: what is asked, in which session, and what the refusal must say. */
interface Case {
  readonly name: string
  readonly layer: (typeof Refusal.layers)[number]
  readonly remedy: RegExp
  readonly detail: RegExp
  readonly claims?: Parameters<typeof session>[0]
  readonly parts?: Parts
  readonly arrange?: (
    opened: Effect.Success<ReturnType<typeof session>>
  ) => Effect.Effect<unknown, Store.StoreError, Store.Store>
  readonly options?: Parameters<typeof world>[0]
}

const cases: ReadonlyArray<Case> = [
  {
    name: "a capability that its class does not declare",
    layer: "class",
    detail: /Tester does not declare tool:unheard/,
    remedy: /declare tool:unheard in the definition of Tester/,
    claims: { capabilities: ["tool:act", "tool:unheard"] },
    parts: { capabilities: ["tool:act", "tool:unheard"] }
  },
  {
    name: "a backend that its class does not list",
    layer: "class",
    detail: /may not use ollama/,
    remedy: /add ollama to the backends of Tester/,
    claims: { backends: ["ollama"] },
    parts: { backend: "ollama" }
  },
  {
    name: "a capability that its token does not hold",
    layer: "token",
    detail: /does not hold tool:other/,
    remedy: /grant that holds tool:other/,
    parts: { capabilities: ["tool:act", "tool:other"] }
  },
  {
    name: "a backend that its token does not admit",
    layer: "token",
    detail: /does not admit scripted/,
    remedy: /grant whose backends include scripted/,
    claims: { capabilities: ["tool:act", "backend:scripted"] },
    parts: { backend: "scripted" }
  },
  {
    name: "a token whose time ran out",
    layer: "token",
    detail: /OutOfTime/,
    remedy: /dispatch the session again/,
    claims: { exp: 0 }
  },
  {
    name: "a token that is revoked",
    layer: "token",
    detail: /is revoked/,
    remedy: /new session/,
    arrange: ({ claims, id }) =>
      Effect.flatMap(Store.Store, (store) => store.commit(C.revoke(C.summary(id), claims.jti)))
  },
  {
    name: "a token whose ancestor is revoked",
    layer: "ancestor",
    detail: /above is revoked/,
    remedy: /new session/,
    claims: { anc: [C.tokenId("root"), C.tokenId("above")] },
    arrange: ({ id }) =>
      Effect.flatMap(Store.Store, (store) => store.commit(C.revoke(C.summary(id), C.tokenId("above"))))
  },
  {
    name: "more than its ceiling",
    layer: "budget",
    detail: /1001 micro-dollars wanted, 1000 of 1000 left/,
    remedy: /raise the ceiling/,
    parts: { reserve: 1001 }
  },
  {
    name: "what cannot be undone, without a gate",
    layer: "approval",
    detail: /no approval gate/,
    remedy: /provide an approval gate/,
    parts: { reversible: false },
    options: { gate: null }
  },
  {
    name: "one ticket more than may wait",
    layer: "approval",
    detail: /wait already/,
    remedy: /decide about the tickets/,
    parts: { reversible: false },
    options: { gate: { maxPending: 0 } }
  }
]

describe("an act that is refused", () => {
  for (const { arrange, claims, detail, layer, name, options, parts, remedy } of cases) {
    it.effect(`does not run: ${name}`, () =>
      Effect.gen(function*() {
        const { done, mark } = marks()
        const opened = yield* session(claims)
        if (arrange !== undefined) yield* arrange(opened)
        const reason = yield* refused(run(opened.id, act(action("x", mark, parts))))
        assert.strictEqual(reason.layer, layer)
        assert.match(reason.detail, detail)
        assert.match(reason.remedy, remedy)
        assert.deepStrictEqual(done, [])
        const rows = yield* bodies(opened.id)
        assert.notInclude(rows.map((row) => row.kind), "intent")
        assert.deepStrictEqual(rows.at(-1), {
          kind: "refusal",
          key: "#0",
          act: "act",
          layer,
          reason: reason.detail,
          args: C.hashOf(`{"args":"x"}`),
          ran: false
        })
        const store = yield* Store.Store
        assert.deepInclude((yield* store.accounts)[0], { reserved: 0, spent: 0 })
      }).pipe(Effect.provide(world(options))))
  }

  it.effect("carries a token that somebody else signed", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const mine = yield* session()
      const foreign = yield* Effect.flatMap(Tokens.Tokens, (tokens) => tokens.mint(mine.claims)).pipe(
        Effect.provide(world())
      )
      for (const token of [foreign, "", "a.b.c", mine.token.slice(0, -3)]) {
        const { id } = yield* session({}, { token })
        assert.strictEqual((yield* refused(run(id, act(action("x", mark))))).layer, "token")
        assert.deepInclude((yield* kind(id, "refusal"))[0], { layer: "token", ran: false })
      }
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(world())))

  it.effect("may be followed by one that is not", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      yield* run(id, Effect.andThen(Effect.exit(act(action("no", mark, { reserve: 5000 }))), act(action("yes", mark))))
      assert.deepStrictEqual(done, ["yes"])
    }).pipe(Effect.provide(world())))

  it.effect("has arguments that do not decode: nothing happens and nothing is recorded", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const secret = "ghp_0123456789abcdefghijABCDEFGHIJ"
      const reason = yield* stopped(
        run(id, act(action("x", mark, { decode: Effect.fail(`not a path: ${secret}`) })))
      )
      assert.strictEqual(reason._tag, "Malformed")
      assert.notInclude(JSON.stringify(reason), secret)
      assert.deepStrictEqual(done, [])
      assert.deepStrictEqual((yield* bodies(id)).map((row) => row.kind), ["genesis", "started"])
    }).pipe(Effect.provide(world())))
})

describe("an act whose handler does not do well", () => {
  it.effect("is stopped when its time is up", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const started = yield* Deferred.make<void>()
      const slow = action("x", (args) =>
        Deferred.succeed(started, undefined).pipe(Effect.andThen(Effect.sleep(1001)), Effect.andThen(mark(args))))
      const fiber = yield* Effect.forkChild(stopped(run(id, act(slow))))
      yield* Deferred.await(started)
      yield* TestClock.adjust(2000)
      assert.deepInclude(yield* Fiber.join(fiber), { _tag: "TimedOut", timeoutMs: 1000 })
      assert.deepStrictEqual(done, [])
      assert.deepInclude((yield* kind(id, "outcome"))[0], { status: "timed_out", result: null, computeMs: 1000 })
    }).pipe(Effect.provide(world())))

  it.effect("is recorded as crashed when the handler breaks down", () =>
    Effect.gen(function*() {
      const { id } = yield* session()
      const secret = "password=hunter2hunter2"
      const reason = yield* stopped(run(id, act(action("x", () => Effect.die(new Error(`boom ${secret}`))))))
      assert.strictEqual(reason._tag, "HandlerBroken")
      const [row] = yield* kind(id, "outcome")
      assert.deepInclude(row, { status: "crashed", result: null })
      assert.include(row?.resultPreview, "boom")
      assert.notInclude(JSON.stringify([reason, row]), "hunter2")
    }).pipe(Effect.provide(world())))

  it.effect("is recorded as crashed when its result is not what it declares", () =>
    Effect.gen(function*() {
      const { id } = yield* session()
      const encode = () => Effect.fail("not a number")
      const wrong = action("x", () => Effect.succeed("text"), { success: { encode, decode: () => Effect.succeed("") } })
      assert.deepInclude(yield* stopped(run(id, act(wrong))), { _tag: "HandlerBroken" })
      assert.deepInclude((yield* kind(id, "outcome"))[0], {
        status: "crashed",
        resultPreview: "its result does not fit: not a number"
      })
    }).pipe(Effect.provide(world())))

  it.effect("is recorded as crashed when its error is not what it declares", () =>
    Effect.gen(function*() {
      const { id } = yield* session()
      const encode = () => Effect.fail("no such error")
      const asked = action("x", () => Effect.fail(new Sorry({ why: "?" })), {
        failure: { encode, decode: () => Effect.die("never") }
      })
      assert.deepInclude(yield* stopped(run(id, act(asked))), { _tag: "HandlerBroken" })
      assert.deepInclude((yield* kind(id, "outcome"))[0], { status: "crashed" })
    }).pipe(Effect.provide(world())))

  it.effect("is recorded as interrupted when its run is, and its reservation is settled", () =>
    Effect.gen(function*() {
      const { id } = yield* session()
      const started = yield* Deferred.make<void>()
      const endless = action("x", () => Effect.andThen(Deferred.succeed(started, undefined), Effect.never), {
        reserve: 100
      })
      const fiber = yield* Effect.forkChild(run(id, act(endless)))
      yield* Deferred.await(started)
      yield* TestClock.adjust(10)
      yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
      assert.deepInclude((yield* kind(id, "outcome"))[0], { status: "interrupted", computeMs: 10 })
      const store = yield* Store.Store
      assert.deepInclude((yield* store.accounts)[0], { reserved: 0, spent: 0 })
    }).pipe(Effect.provide(world())))
})

describe("a session", () => {
  it.effect("is not what somebody made up", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const genuine = yield* run(id, Effect.flatMap(Session, Effect.succeed))
      const copy = Object.assign(Object.create(Entered.prototype) as Entered, { ...genuine, path: "" })
      const constructed = Reflect.construct(Entered, [
        {
          summary: { ...C.summary(id), token: genuine.token, epoch: genuine.epoch },
          actor: Tester,
          journal: new Map()
        },
        ""
      ]) as Entered
      const forged: ReadonlyArray<Entered> = [
        copy,
        constructed,
        { ...genuine } as Entered,
        Object.create(genuine) as Entered,
        new Proxy(genuine, {})
      ]
      for (const session of forged) {
        const reason = yield* refused(Effect.provideService(act(action("x", mark)), Session, session))
        assert.strictEqual(reason.layer, "session")
      }
      assert.deepStrictEqual(done, [])
      assert.deepStrictEqual((yield* bodies(id)).map((row) => row.kind), ["genesis", "started"])
    }).pipe(Effect.provide(world())))

  it.effect("shows its bounds and lets nobody move them", () =>
    Effect.gen(function*() {
      const { id } = yield* session()
      const entered = yield* run(id, Effect.flatMap(Session, Effect.succeed))
      const attempts: ReadonlyArray<() => unknown> = [
        () => Reflect.set(entered, "token", "another"),
        () => Reflect.set(entered, "path", "/elsewhere"),
        () => Reflect.set(entered.actor, "name", "Other"),
        () => Reflect.set(entered.actor.capabilities, 0, "tool:unheard"),
        () => Reflect.set(entered.actor.backends, 0, "ollama"),
        () => Reflect.set(entered.accounts, "length", 0)
      ]
      for (const attempt of attempts) assert.isFalse(attempt())
    }).pipe(Effect.provide(world())))

  it.effect("starts nothing more once a newer run has taken it", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const old = yield* run(id, Effect.context<Session>())
      yield* run(id, Effect.void)
      const reason = yield* refused(Effect.provideContext(act(action("x", mark)), old))
      assert.strictEqual(reason.layer, "session")
      assert.match(reason.remedy, /newer run/)
      assert.deepStrictEqual(done, [])
      assert.notInclude((yield* bodies(id)).map((row) => row.kind), "refusal")
    }).pipe(Effect.provide(world())))

  it.effect("starts nothing more once it has ended", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const kept = yield* run(id, Effect.context<Session>())
      const store = yield* Store.Store
      yield* store.commit(C.append(C.summary(id), { epoch: null, status: "succeeded" }))
      assert.strictEqual((yield* refused(Effect.provideContext(act(action("x", mark)), kept))).layer, "session")
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(world())))
})

describe("the Governor", () => {
  it.effect("says in one sentence what stopped an act, with its name and what to do", () =>
    Effect.gen(function*() {
      const { mark } = marks()
      const { id } = yield* session()
      const governor = yield* Governor
      assert.strictEqual(governor.mode, "enforced")
      const error = yield* Effect.flip(run(id, act(action("x", mark, { reserve: 5000 }))))
      assert.match(error.message, /^act: refused by budget: .*; raise the ceiling/)
      assert.strictEqual(Row.stamp({ session: id, seq: 3 }), `${id}/3`)
    }).pipe(Effect.provide(world())))
})
