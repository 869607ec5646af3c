import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer } from "effect"
import { Governor, Mode, type Session, Store } from "../../src/governor/index.ts"
import * as C from "./commits.ts"
import { act, action, bodies, kind, marks, refused, run, session, world } from "./world.ts"

const under = (env: Record<string, string>) =>
  Mode.fromConfig.pipe(Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(env)))

describe("the mode from the environment", () => {
  it.effect("is enforced unless something else is said", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* under({}), "enforced")
      assert.strictEqual(yield* under({ NODE_ENV: "production" }), "enforced")
      assert.strictEqual(yield* under({ AOSIQ_GOVERNANCE: "enforced", NODE_ENV: "production" }), "enforced")
      assert.strictEqual(yield* under({ AOSIQ_GOVERNANCE: "warn" }), "warn")
      assert.strictEqual(yield* under({ AOSIQ_GOVERNANCE: "disabled", NODE_ENV: "test" }), "disabled")
    }))

  it.effect("refuses to start production in any mode that does not enforce", () =>
    Effect.gen(function*() {
      for (const mode of ["warn", "disabled"]) {
        const error = yield* Effect.flip(under({ AOSIQ_GOVERNANCE: mode, NODE_ENV: "production" }))
        assert.instanceOf(error, Mode.UnsafeMode)
        if (error instanceof Mode.UnsafeMode) {
          assert.strictEqual(error.mode, mode)
          assert.include(error.remedy, "AOSIQ_GOVERNANCE")
        }
      }
    }))

  it.effect("refuses a mode that there is not, rather than take it for one", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* under({ AOSIQ_GOVERNANCE: "" }), "enforced")
      for (const mode of ["Enforced", "off", "disabled "]) {
        const error = yield* Effect.flip(under({ AOSIQ_GOVERNANCE: mode }))
        assert.notInstanceOf(error, Mode.UnsafeMode, mode)
      }
    }))

  it.effect("stops the layer that would start the runtime", () =>
    Effect.gen(function*() {
      const production = ConfigProvider.layer(
        ConfigProvider.fromUnknown({ AOSIQ_GOVERNANCE: "warn", NODE_ENV: "production" })
      )
      const error = yield* Effect.flip(
        Effect.scoped(Layer.build(world().pipe(Layer.provide(Mode.layerConfig), Layer.provide(production))))
      )
      assert.instanceOf(error, Mode.UnsafeMode)
    }))
})

/** Three acts that must not go through: beyond the token, over the budget, and for good. */
const forbidden = (mark: (name: string) => Effect.Effect<string>) => ({
  token: action("beyond", mark, { name: "other", capabilities: ["tool:other"] }),
  budget: action("dear", mark, { reserve: 5000 }),
  approval: action("for good", mark, { reversible: false })
})

describe("the Governor", () => {
  it.effect("refuses in enforced mode, and says so in the chain", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      assert.strictEqual((yield* Governor).mode, "enforced")
      for (const [layer, asked] of Object.entries(forbidden(mark))) {
        if (layer === "approval") continue
        const reason = yield* refused(run(id, act(asked)))
        assert.strictEqual(reason.layer, layer)
      }
      assert.deepStrictEqual(done, [])
      assert.deepStrictEqual(
        (yield* kind(id, "refusal")).map(({ layer, ran }) => ({ layer, ran })),
        [{ layer: "token", ran: false }, { layer: "budget", ran: false }]
      )
    }).pipe(Effect.provide(world())))

  it.effect("lets everything through in warn mode, and records each violation", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      assert.strictEqual((yield* Governor).mode, "warn")
      const { approval, budget, token } = forbidden(mark)
      yield* run(id, Effect.all([act(token), act(budget), act(approval)]))
      assert.deepStrictEqual(done, ["beyond", "dear", "for good"])
      assert.deepStrictEqual(
        (yield* kind(id, "refusal")).map(({ act, layer, ran }) => ({ act, layer, ran })),
        [
          { act: "other", layer: "token", ran: true },
          { act: "act", layer: "budget", ran: true },
          { act: "act", layer: "approval", ran: true }
        ]
      )
    }).pipe(Effect.provide(world({ mode: "warn" }))))

  it.effect("records a revoked token in warn mode", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { claims, id } = yield* session()
      const store = yield* Store.Store
      yield* store.commit(C.revoke(C.summary(id), claims.jti))
      yield* run(id, act(action("x", mark)))
      assert.deepStrictEqual(done, ["x"])
      const rows = yield* kind(id, "refusal")
      assert.deepStrictEqual(rows.map(({ layer, ran }) => ({ layer, ran })), [{ layer: "token", ran: true }])
    }).pipe(Effect.provide(world({ mode: "warn" }))))

  it.effect("checks nothing in disabled mode, and still records every act", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      assert.strictEqual((yield* Governor).mode, "disabled")
      const { approval, budget, token } = forbidden(mark)
      yield* run(id, Effect.all([act(token), act(budget), act(approval)]))
      assert.deepStrictEqual(done, ["beyond", "dear", "for good"])
      assert.deepStrictEqual(
        (yield* bodies(id)).map((body) => body.kind),
        ["genesis", "started", "intent", "outcome", "intent", "outcome", "intent", "outcome"]
      )
    }).pipe(Effect.provide(world({ mode: "disabled", gate: null }))))

  it.effect("holds even there to one run of a session and one beginning of an act", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const late = yield* run(id, Effect.context<Session>())
      yield* run(id, Effect.void)
      const reason = yield* refused(Effect.provideContext(act(action("late", mark)), late))
      assert.strictEqual(reason.layer, "session")
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(world({ mode: "disabled" }))))

  it.effect("keeps the mode it was built with, whatever its callers provide", () =>
    Effect.gen(function*() {
      const { done, mark } = marks()
      const { id } = yield* session()
      const loosened = act(forbidden(mark).token).pipe(
        Effect.provideService(Mode.Current, "disabled"),
        Effect.provide(Layer.succeed(Mode.Current, "disabled"))
      )
      assert.strictEqual((yield* refused(run(id, loosened))).layer, "token")
      assert.deepStrictEqual(done, [])
    }).pipe(Effect.provide(world())))
})
