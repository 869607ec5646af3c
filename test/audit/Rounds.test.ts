import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Alerts, Anchor, Anchoring, Cosigning, Log, Rounds } from "../../src/audit/index.ts"
import { Claims } from "../../src/capability/index.ts"
import { layerLog, layerTools, logOf } from "./logs.ts"
import { living, peer, witnessOf } from "./witnesses.ts"
import { digest, tools, Writer } from "./worlds.ts"

const [a, b] = [Claims.SessionId.make("a"), Claims.SessionId.make("b")]
const write = (writer: Writer, id: Claims.SessionId, rows = 1) => {
  for (let i = 0; i < rows; i++) writer.append(id, null, { kind: "started", epoch: i })
}
const begun = () => {
  const writer = new Writer()
  writer.open(a, null)
  writer.open(b, a)
  return writer
}
const kept = Effect.flatMap(Anchor.Anchors, (anchors) => anchors.list(0))
const numbers = Effect.map(kept, (stored) => stored.map(({ name }) => Anchor.numberOf(name)))
const cosigned = Effect.map(kept, (stored) => stored.map(({ cosignatures }) => cosignatures.length))
const alerts = Effect.map(
  Effect.flatMap(Alerts.Alerts, ({ list }) => list),
  (list) =>
    list.map(({ kind, resolvedAt, subject }) => `${resolvedAt === null ? "open" : "resolved"} ${kind} ${subject}`)
)

interface House {
  readonly log?: Layer.Layer<Log.Log> | undefined
  readonly anchors?: Layer.Layer<Anchor.Anchors> | undefined
  readonly peers?: ReadonlyArray<Cosigning.Peer> | undefined
}
/** Makes the rounds of a log until the scope given to `use` closes. */
const running = <A, E>(
  writer: Writer,
  cadence: Rounds.Cadence,
  use: (close: Effect.Effect<void>) => Effect.Effect<A, E, Alerts.Alerts | Anchor.Anchors>,
  { anchors = Anchor.layerMemory, log = layerLog(writer), peers = [] }: House = {}
) =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    yield* Layer.buildWithScope(Rounds.layer(cadence).pipe(Layer.provide(Anchoring.layer())), scope)
    return yield* use(Scope.close(scope, Exit.void))
  }).pipe(
    Effect.provide(Layer.mergeAll(log, Layer.merge(layerTools, Cosigning.layer(peers)), anchors, Alerts.layerMemory))
  )

/** Anchors whose place may be away; `state` says so. */
const flaky = (state: { isAway: boolean; lost?: boolean; listed?: number }) =>
  Layer.effect(
    Anchor.Anchors,
    Effect.map(Anchor.Anchors, (anchors) => {
      const away = Effect.fail(
        new Anchor.AnchorError({ reason: new Anchor.Unavailable({ detail: "no answer", remedy: "start it" }) })
      )
      const unless = <A>(effect: Effect.Effect<A, Anchor.AnchorError>) =>
        Effect.suspend((): Effect.Effect<A, Anchor.AnchorError> => state.isAway ? away : effect)
      return {
        append: (anchor: Anchor.Anchor) => unless(anchors.append(anchor)),
        cosign: (name: string, line: string) => unless(anchors.cosign(name, line)),
        list: (from: number) => {
          state.listed = (state.listed ?? 0) + 1
          return unless(anchors.list(from))
        },
        names: unless(
          Effect.map(anchors.names, (names) => state.lost === true ? names.filter((_, i) => i !== 1) : names)
        )
      }
    })
  ).pipe(Layer.provide(Anchor.layerMemory))

describe("Rounds", () => {
  it.effect("take an anchor at once, then as often as they are told, and a last one on the way out", () => {
    const writer = begun()
    return running(writer, { every: "1 minute" }, (close) =>
      Effect.gen(function*() {
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(yield* numbers, [0])
        write(writer, a)
        yield* TestClock.adjust("59 seconds")
        assert.deepStrictEqual(yield* numbers, [0])
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* numbers, [0, 1])
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual(yield* numbers, [0, 1])
        write(writer, b)
        yield* close
        assert.deepStrictEqual(yield* numbers, [0, 1, 2])
        write(writer, b)
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual(yield* numbers, [0, 1, 2])
        assert.deepStrictEqual(yield* alerts, [])
      }))
  })

  it.effect("take one earlier when enough rows wait", () => {
    const writer = begun()
    return running(writer, { every: "1 hour", rows: 5 }, () =>
      Effect.gen(function*() {
        yield* TestClock.adjust(0)
        write(writer, a, 4)
        yield* TestClock.adjust("30 minutes")
        assert.deepStrictEqual(yield* numbers, [0])
        write(writer, b, 1)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* numbers, [0, 1])
      }))
  })

  it.effect("raise an alert when the log cannot be read, and another when something breaks, and go on", () => {
    const writer = begun()
    let state = "away"
    const log = logOf(writer)
    const broken = Layer.succeed(Log.Log, {
      ...log,
      sessions: Effect.suspend(() => {
        if (state === "broken") return Effect.die("a broken invariant")
        const error = new Log.LogError({ detail: "the database is away", remedy: "start it" })
        return state === "away" ? Effect.fail(error) : log.sessions
      })
    })
    return running(writer, { every: "1 minute", rows: 1 }, () =>
      Effect.gen(function*() {
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(yield* alerts, ["open log_unreadable anchors"])
        state = "broken"
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* alerts, ["open log_unreadable anchors", "open defect anchors"])
        assert.deepStrictEqual(yield* numbers, [])
        state = "back"
        yield* TestClock.adjust("2 seconds")
        assert.deepStrictEqual(yield* numbers, [0])
        assert.deepStrictEqual(yield* alerts, ["resolved defect anchors", "resolved log_unreadable anchors"])
      }), { log: broken })
  })

  it.effect("try again an unreachable place, later each time, and lose no row meanwhile", () => {
    const writer = begun()
    const state = { isAway: true, listed: 0 }
    return running(writer, { every: "1 minute", patrol: "1 day", rows: 1 }, () =>
      Effect.gen(function*() {
        yield* TestClock.adjust(0)
        // After 1, 2, 4, 8, 16, 32 seconds, and then every minute.
        for (const [after, attempts] of [[1, 2], [2, 3], [4, 4], [8, 5], [16, 6], [32, 7], [60, 8], [60, 9]] as const) {
          write(writer, a)
          yield* TestClock.adjust(`${after} seconds`)
          assert.strictEqual(state.listed, attempts)
        }
        assert.deepStrictEqual(yield* alerts, ["open anchors_unreachable anchors"])
        state.isAway = false
        yield* TestClock.adjust("60 seconds")
        assert.deepStrictEqual(yield* numbers, [0])
        assert.deepStrictEqual(yield* alerts, ["resolved anchors_unreachable anchors"])
        const [first] = yield* kept
        assert.include(first?.text, "\"session\":\"a\",\"seq\":10")
        write(writer, b)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* numbers, [0, 1])
      }), { anchors: flaky(state) })
  })

  it.effect("sign nothing on top of an anchor that does not hold, and say so until it is gone", () => {
    const writer = begun()
    writer.anchor()
    const [stored] = writer.world().anchors
    assert.isDefined(stored)
    const bent = { ...stored, text: stored.text.replace("\"at\":1", "\"at\":2") }
    const anchors = Layer.effect(
      Anchor.Anchors,
      Effect.map(Anchor.Anchors, (anchors) => ({ ...anchors, list: () => Effect.succeed([bent]) }))
    ).pipe(Layer.provide(Anchor.layerMemory))
    return running(writer, { every: "1 minute" }, () =>
      Effect.gen(function*() {
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual(yield* alerts, ["open anchors_inconsistent anchors"])
        assert.deepStrictEqual(yield* Effect.flatMap(Anchor.Anchors, ({ names }) => names), [])
      }), { anchors })
  })

  it.effect("have each anchor signed by each witness, and keep what it signed", () => {
    const writer = begun()
    return Effect.gen(function*() {
      const peers = [yield* peer("witness.example/w1"), yield* peer("witness.example/w2")]
      yield* running(writer, { every: "1 minute" }, (close) =>
        Effect.gen(function*() {
          yield* TestClock.adjust("2 seconds")
          assert.deepStrictEqual(yield* cosigned, [2])
          write(writer, a)
          yield* TestClock.adjust("1 minute")
          yield* TestClock.adjust("1 second")
          assert.deepStrictEqual(yield* cosigned, [2, 2])
          write(writer, a)
          yield* close
          assert.deepStrictEqual(yield* cosigned, [2, 2, 2])
          assert.deepStrictEqual(yield* alerts, [])
        }), { peers })
    })
  })

  it.effect("take anchors while a witness is away, and bring it up to date when it is back", () => {
    const writer = begun()
    return Effect.gen(function*() {
      const good = yield* peer("witness.example/w1")
      let [isAway, asked] = [false, 0]
      const ask: Cosigning.Peer["ask"] = (request) => {
        asked++
        const reason = new Cosigning.Silent({ witness: good.key.name, detail: "no answer", remedy: "wake it" })
        return isAway ? Effect.fail(new Cosigning.CosigningError({ reason })) : good.ask(request)
      }
      yield* running(writer, { every: "1 minute" }, () =>
        Effect.gen(function*() {
          yield* TestClock.adjust("2 seconds")
          isAway = true
          asked = 0
          for (let i = 0; i < 20; i++) {
            write(writer, a)
            yield* TestClock.adjust("1 minute")
          }
          assert.lengthOf(yield* numbers, 21)
          assert.deepStrictEqual((yield* cosigned).filter((lines) => lines > 0), [1])
          assert.deepStrictEqual(yield* alerts, ["open witness_silent witness.example/w1"])
          // Twenty minutes of 1, 2, 4, … 256 and then 300 seconds.
          assert.isBelow(asked, 14)
          isAway = false
          yield* TestClock.adjust("5 minutes")
          assert.deepStrictEqual(yield* cosigned, [1, ...Array.from({ length: 19 }, () => 0), 1])
          assert.deepStrictEqual(yield* alerts, ["resolved witness_silent witness.example/w1"])
        }), { peers: [{ ...good, ask }] })
    })
  })

  it.effect("are not held up by a witness that never answers, even on the way out", () => {
    const writer = begun()
    return Effect.gen(function*() {
      const good = yield* peer("witness.example/w1")
      yield* running(writer, { every: "1 minute" }, (close) =>
        Effect.gen(function*() {
          write(writer, a)
          yield* TestClock.adjust("2 minutes")
          write(writer, a)
          const closing = yield* Effect.forkChild(close, { startImmediately: true })
          yield* TestClock.adjust("4 seconds")
          assert.isDefined(closing.pollUnsafe())
          assert.lengthOf(yield* numbers, 2)
        }), { peers: [{ ...good, ask: () => Effect.never }] })
    })
  })

  it.effect("raise an alert when a witness signed another history", () => {
    const writer = begun()
    return Effect.gen(function*() {
      const by = yield* witnessOf("witness.example/w1")
      const other = begun()
      write(other, a, 3)
      other.anchor()
      write(other, a)
      other.anchor()
      const witness = yield* living(by)
      const history = Cosigning.historyOf(digest, other.checked)
      assert.isDefined(history)
      yield* Cosigning.ask(tools, { peer: Cosigning.peerOf(witness), guess: 0 }, history)
      yield* running(writer, { every: "1 minute" }, () =>
        Effect.gen(function*() {
          yield* TestClock.adjust("2 seconds")
          assert.deepStrictEqual(yield* alerts, ["open witness_contradicts witness.example/w1"])
          assert.deepStrictEqual(yield* cosigned, [0])
          write(writer, a)
          yield* TestClock.adjust("1 minute")
          assert.lengthOf(yield* numbers, 2)
          assert.deepStrictEqual(yield* alerts, ["open witness_contradicts witness.example/w1"])
        }), { peers: [Cosigning.peerOf(witness)] })
    })
  })

  it.effect("leave an alert open about a witness that nothing was asked of", () =>
    running(new Writer(), { every: "1 minute" }, (close) =>
      Effect.gen(function*() {
        const { raise } = yield* Alerts.Alerts
        yield* raise({ kind: "witness_contradicts", subject: "witness.example/w1", detail: "so it was", remedy: "" })
        yield* TestClock.adjust("10 minutes")
        yield* close
        assert.deepStrictEqual(yield* alerts, ["open witness_contradicts witness.example/w1"])
      }), {
      peers: [{
        key: { name: "witness.example/w1", publicKey: "" },
        place: "here",
        ask: () => Effect.die("nobody has anything to ask")
      }]
    }))

  it.effect("look whether what was kept is still there", () => {
    const writer = begun()
    const state = { isAway: false, lost: false }
    return running(writer, { every: "1 minute", patrol: "10 minutes" }, () =>
      Effect.gen(function*() {
        yield* TestClock.adjust("1 second")
        for (let i = 0; i < 3; i++) {
          write(writer, a)
          yield* TestClock.adjust("1 minute")
        }
        state.lost = true
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual(yield* alerts, ["open anchors_missing anchors"])
        assert.strictEqual((yield* (yield* Alerts.Alerts).list)[0]?.detail, "anchor 1 is gone")
        state.lost = false
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual(yield* alerts, ["resolved anchors_missing anchors"])
      }), { anchors: flaky(state) })
  })
})
