/** Recorded incidents from folder to proposal, through the whole runtime, on the advisor's own rules. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, Path, Stream } from "effect"
import { AdvisorPreset } from "../../../layers/presets/index.ts"
import { Actor } from "../../../src/actor/index.ts"
import { Diagnostics } from "../../../src/agents/advisor/index.ts"
import * as Source from "../../../src/agents/advisor/Source.ts"
import { Log } from "../../../src/audit/index.ts"
import { Evidence } from "../../../src/evidence/index.ts"
import { GovernorError, Refusal, Store } from "../../../src/governor/index.ts"
import { Approvals, Dispatch } from "../../../src/session/index.ts"
import { Tool } from "../../../src/tool/index.ts"
import { cases } from "./cases.ts"
import { flat, ramp, series } from "./file.ts"
import { claimsOf, diagnose, recorded, runtime, sessions } from "./world.ts"

const rows = (session: Log.Summary | undefined) =>
  Effect.flatMap(Log.Log, (log) => session === undefined ? Effect.succeed([]) : log.rows(session.id))

/** The diagnosis, the advisor it asked, and the readers that the advisor sent. */
const family = Effect.map(sessions, (all) => {
  const [diagnosis, advisor, ...readers] = all
  return { diagnosis, advisor, readers }
})

const onRules = Effect.gen(function*() {
  const ended = yield* diagnose(yield* AdvisorPreset.baseline)
  return ended._tag === "Succeeded" ? ended.output.advice : assert.fail(JSON.stringify(ended))
})

describe("a recorded incident", () => {
  for (const one of cases) {
    it.live(`${one.name} is told as such, on evidence that holds`, () =>
      Effect.gen(function*() {
        const advice = yield* onRules
        assert.strictEqual(advice.outcome, one.outcome)
        if (advice.outcome === "fault") {
          assert.strictEqual(advice.scenario, one.scenario)
          assert.deepStrictEqual(advice.contributing, [])
          assert.isNotEmpty(advice.actions)
        } else {
          assert.notProperty(advice, "actions")
        }
        const claimed = advice.claims.map(({ text }) => text).join("\n")
        for (const words of one.claimed) assert.include(claimed, words)
        if (advice.outcome !== "inconclusive") assert.isNotEmpty(advice.claims)
        const { advisor } = yield* family
        const evidence = yield* Evidence.Evidence
        assert.strictEqual(advisor?.actor, "OperationalAdvice")
        if (advisor !== undefined) assert.deepStrictEqual(yield* evidence.check(advisor.id, advice.claims), [])
        const recordedRows = (yield* Effect.forEach(yield* sessions, rows)).flat()
        assert.deepStrictEqual(recordedRows.filter(({ body }) => body.kind === "refusal"), [])
      }).pipe(Effect.provide(Layer.provideMerge(recorded(one.files), runtime))))
  }
})

describe("the readers that the advisor sends", () => {
  const [first] = cases
  const world = Layer.provideMerge(recorded(first?.files ?? {}), runtime)

  it.live("hold one capability each, in a token that is narrower than the advisor's in every claim", () =>
    Effect.gen(function*() {
      yield* onRules
      const { advisor, diagnosis, readers } = yield* family
      const held = readers.map(({ actor, token }) => [actor, claimsOf(token).capabilities])
      assert.deepStrictEqual(Object.fromEntries(held), {
        ThresholdEvaluation: ["tool:read_metrics"],
        LogQuery: ["tool:read_logs"],
        ConfigIntrospection: ["tool:read_settings"]
      })
      if (advisor === undefined || diagnosis === undefined) return assert.fail("there was no diagnosis")
      const above = claimsOf(advisor.token)
      assert.notInclude(above.capabilities.join(), "save_ticket")
      assert.deepStrictEqual(above.backends, ["offline"])
      assert.deepStrictEqual(above.anc, [claimsOf(diagnosis.token).jti])
      for (const { id, token } of readers) {
        const claims = claimsOf(token)
        assert.deepStrictEqual(claims.anc, [...above.anc, above.jti])
        assert.strictEqual(claims.sid, id)
        assert.strictEqual(claims.depth, above.depth - 1)
        assert.isAtMost(claims.exp, above.exp)
        assert.isAtMost(claims.budget, above.budget)
        assert.deepStrictEqual(claims.backends, [])
      }
    }).pipe(Effect.provide(world)))

  it.live("draw on the accounts of all above them, and each did one thing", () =>
    Effect.gen(function*() {
      yield* onRules
      const { advisor, diagnosis, readers } = yield* family
      if (advisor === undefined || diagnosis === undefined) return assert.fail("there was no diagnosis")
      assert.include(diagnosis.accounts, "caller:ada")
      assert.deepStrictEqual(advisor.accounts, [
        `session:${advisor.id}`,
        `class:${advisor.actor}`,
        ...diagnosis.accounts
      ])
      const known = (yield* Effect.flatMap(Store.Store, (store) => store.accounts)).map(({ id }) => id)
      for (const reader of readers) {
        assert.deepStrictEqual(reader.accounts, [`session:${reader.id}`, `class:${reader.actor}`, ...advisor.accounts])
        assert.includeMembers(known, [...reader.accounts])
        const acts = (yield* rows(reader)).flatMap(({ body }) => body.kind === "intent" ? [body.act] : [])
        assert.strictEqual(acts.length, 1)
      }
    }).pipe(Effect.provide(world)))
})

describe("sources that fail", () => {
  const down = new Source.SourceError({
    source: "logs:/var/log/app.log",
    reason: new Source.Unreachable({ detail: "it is not there", remedy: "mount it" })
  })
  const silent = new Source.SourceError({
    source: "prometheus",
    reason: new Source.Unreachable({ detail: "it does not answer", remedy: "start it" })
  })
  const metrics = Layer.succeed(Source.Metrics, {
    read: () => Effect.succeed({ series: [series("disk.used_ratio", ramp(0.8, 0.99))], gaps: [] })
  })
  const noMetrics = (failing: ReturnType<Source.Metrics["Service"]["read"]>) =>
    Layer.succeed(Source.Metrics, { read: () => failing })
  const logs = Layer.succeed(Source.Logs, { read: () => Stream.fail(down) })
  const settings = Layer.succeed(Source.Settings, { read: Effect.die(new Error("the disk is gone")) })

  it.live("are said, while the others still speak", () =>
    Effect.gen(function*() {
      const advice = yield* onRules
      assert.deepInclude(advice, { outcome: "fault", scenario: "disk_space_exhaustion" })
      const risks = advice.risks.join("\n")
      assert.include(risks, "Could not be read: logs:/var/log/app.log: it is not there (mount it).")
      assert.include(risks, "Could not be read: read_settings: broke down")
    }).pipe(Effect.provide(Layer.provideMerge(Layer.mergeAll(metrics, logs, settings), runtime))))

  it.live("are all that can be said, when all do", () =>
    Effect.gen(function*() {
      const advice = yield* onRules
      if (advice.outcome !== "inconclusive") return assert.fail(advice.outcome)
      assert.strictEqual(advice.missing.length, 3)
    }).pipe(
      Effect.provide(Layer.provideMerge(Layer.mergeAll(noMetrics(Effect.fail(silent)), logs, settings), runtime))
    ))

  it.live("by taking too long are said, too; what else stops a reader stops it", () =>
    Effect.gen(function*() {
      const dispatch = yield* Dispatch.Dispatch
      const reading = (reason: GovernorError["reason"]) =>
        dispatch.start(Diagnostics.ThresholdEvaluation, { signals: [], window: {} }, {
          grant: AdvisorPreset.grant(0),
          caller: "ada"
        }).pipe(
          Effect.provide(
            Actor.layer(Diagnostics.ThresholdEvaluation).pipe(
              Layer.provide(
                Tool.layer(Diagnostics.ReadMetrics, () => new GovernorError({ act: "read_metrics", reason }))
              )
            )
          )
        )
      const late = yield* reading(new Refusal.TimedOut({ timeoutMs: 60_000 }))
      assert.deepInclude(late, { _tag: "Succeeded" })
      assert.include(JSON.stringify(late), "ran longer than 60000 ms")
      const refused = yield* reading(new Refusal.Refused({ layer: "budget", detail: "no money", remedy: "earn some" }))
      assert.deepInclude(refused, { _tag: "Failed" })
    }).pipe(Effect.provide(runtime)))

  it.live("give no reading to an empty series", () =>
    Effect.gen(function*() {
      const advice = yield* onRules
      assert.strictEqual(advice.outcome, "inconclusive")
    }).pipe(Effect.provide(Layer.provideMerge(
      Layer.mergeAll(
        noMetrics(Effect.succeed({ series: [series("cpu.utilisation", flat(1, 0))], gaps: [] })),
        logs,
        settings
      ),
      runtime
    ))))
})

describe("a proposal that is handed over", () => {
  it.live("is a file that a person let through, and the advisor was asked once", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const approvals = yield* Approvals.Approvals
      const ticket = path.join(yield* fs.makeTempDirectoryScoped(), "incidents", "1.md")
      const { diagnosis, layer } = yield* AdvisorPreset.make(yield* AdvisorPreset.baseline)
      yield* Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        const order = { request: { title: "t", description: "d" }, ticket }
        const first = yield* dispatch.start(diagnosis, order, { grant: AdvisorPreset.grant(0), caller: "ada" })
        if (first._tag !== "Waiting") return assert.fail(JSON.stringify(first))
        assert.isFalse(yield* fs.exists(ticket))
        const [shown] = yield* approvals.list
        assert.include(shown?.shown.args, "Storage has run out")
        assert.match(
          shown?.shown.evidence.map(({ stamp }) => stamp).join() ?? "",
          new RegExp(`^${first.session}/\\d+$`)
        )
        const before = (yield* sessions).length
        yield* approvals.decide({ ticket: first.ticket, by: "ben", approve: true, reason: "fine" })
        const ended = yield* dispatch.resume(first.session)
        assert.deepInclude(ended, { _tag: "Succeeded" })
        assert.strictEqual((yield* sessions).length, before)
        const text = yield* fs.readFileString(ticket)
        assert.match(text, /^# Storage has run out\n/)
        assert.include(text, "## Proposed actions, for people to decide")
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(Layer.provideMerge(recorded(cases[1]?.files ?? {}), runtime))))
})
