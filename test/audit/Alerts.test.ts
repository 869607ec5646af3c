import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Logger, Stream } from "effect"
import { TestClock } from "effect/testing"
import { Alerts } from "../../src/audit/index.ts"

const away: Alerts.Notice = { kind: "anchors_unreachable", subject: "anchors", detail: "no answer", remedy: "start it" }
const silent: Alerts.Notice = { kind: "witness_silent", subject: "w1", detail: "no answer in time", remedy: "wake it" }
const seen = (alerts: ReadonlyArray<Alerts.Alert>) =>
  alerts.map(({ kind, resolvedAt, since, subject, times }) => [kind, subject, since, times, resolvedAt])

describe("Alerts", () => {
  it.effect("are opened once, counted on, and resolved", () =>
    Effect.gen(function*() {
      const alerts = yield* Alerts.make()
      yield* TestClock.setTime(1000)
      yield* alerts.raise(silent)
      yield* TestClock.setTime(2000)
      yield* alerts.raise(away)
      yield* alerts.raise({ ...silent, subject: "w2" })
      yield* alerts.raise(away)
      yield* alerts.resolve("witness_silent", "w1")
      yield* alerts.resolve("witness_silent", "w1")
      yield* alerts.resolve("witness_refuses", "w2")
      assert.deepStrictEqual(seen(yield* alerts.list), [
        ["anchors_unreachable", "anchors", 2000, 2, null],
        ["witness_silent", "w2", 2000, 1, null],
        ["witness_silent", "w1", 1000, 1, 2000]
      ])
      yield* TestClock.setTime(3000)
      yield* alerts.raise(silent)
      assert.deepStrictEqual(seen(yield* alerts.list)[2], ["witness_silent", "w1", 3000, 1, null])
    }))

  it.effect("remember so many that were resolved, and no more", () =>
    Effect.gen(function*() {
      const alerts = yield* Alerts.make()
      for (let i = 0; i < Alerts.maxResolved + 10; i++) {
        yield* TestClock.setTime(i)
        yield* alerts.raise({ ...silent, subject: `w${i}` })
        yield* alerts.resolve("witness_silent", `w${i}`)
      }
      const list = yield* alerts.list
      assert.lengthOf(list, Alerts.maxResolved)
      assert.strictEqual(list[0]?.subject, `w${Alerts.maxResolved + 9}`)
    }))

  it.effect("are kept before they are told", () =>
    Effect.gen(function*() {
      const kept: Array<ReadonlyArray<Alerts.Alert>> = []
      const alerts = yield* Alerts.make([], (now) => Effect.sync(() => void kept.push(now)))
      yield* alerts.resolve("witness_silent", "w1")
      assert.lengthOf(kept, 0)
      yield* alerts.raise(silent)
      yield* alerts.raise(silent)
      yield* alerts.resolve("witness_silent", "w1")
      assert.deepStrictEqual(kept.map((now) => seen(now)[0]?.slice(3)), [[1, null], [2, null], [2, 0]])
      const again = yield* Alerts.make(kept[1])
      assert.deepStrictEqual(yield* again.list, kept[1])
    }))

  it.effect("tell what is news", () =>
    Effect.gen(function*() {
      const alerts = yield* Alerts.make()
      const told = yield* Effect.forkChild(Stream.runCollect(Stream.take(alerts.changes, 4)), {
        startImmediately: true
      })
      yield* alerts.raise(silent)
      yield* alerts.raise(silent)
      yield* alerts.raise({ ...silent, detail: "status 503" })
      yield* alerts.raise(away)
      yield* alerts.resolve("witness_silent", "w1")
      const news = yield* Fiber.join(told)
      assert.deepStrictEqual(news.map(({ detail, resolvedAt }) => [detail, resolvedAt]), [
        ["no answer in time", null],
        ["status 503", null],
        ["no answer", null],
        ["status 503", 0]
      ])
    }))

  it.effect("are logged: those that were open before, and each change", () => {
    const said: Array<string> = []
    const logger = Logger.layer([
      Logger.make(({ logLevel, message }) => void said.push(`${logLevel} ${String(message)}`))
    ])
    return Effect.gen(function*() {
      const earlier = yield* Alerts.make()
      yield* earlier.raise(away)
      const alerts = yield* Alerts.make(yield* earlier.list)
      yield* Effect.gen(function*() {
        yield* alerts.raise(silent)
        yield* alerts.raise(silent)
        yield* alerts.resolve("anchors_unreachable", "anchors")
        yield* Effect.yieldNow
      }).pipe(Effect.provide(Alerts.layerLog), Effect.provideService(Alerts.Alerts, alerts))
      assert.deepStrictEqual(said, [
        "Error anchors_unreachable (anchors): no answer; start it",
        "Error witness_silent (w1): no answer in time; wake it",
        "Info anchors_unreachable (anchors): no longer"
      ])
    }).pipe(Effect.provide(logger))
  })
})
