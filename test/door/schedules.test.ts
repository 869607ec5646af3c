/** What an operator types about schedules and dead letters, and what is done and said; and one round with real processes. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Console, Effect, Layer } from "effect"
import { CliError, Command } from "effect/cli"
import { RpcClient } from "effect/rpc"
import { TestClock } from "effect/testing"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { MemoryStore } from "../../layers/memory/index.ts"
import { NodeDigest } from "../../layers/node/index.ts"
import { defaultTerms } from "../../src/capability/index.ts"
import { type Client, command, Runtime, RuntimeError, UsageError } from "../../src/door/cli/index.ts"
import { Asker } from "../../src/operator/index.ts"
import { DeadLetters, type Schedule, Schedules } from "../../src/session/index.ts"
import * as D from "../session/desk.ts"
import { runtimeOf } from "./cli/commands.ts"
import { diskIncident } from "./incident.ts"
import { files, folder, run, start } from "./program.ts"

// --- the commands, over desks in this process ------------------------------------------

const said: Array<string> = []
const quiet: Partial<Console.Console> = { log: (...words) => void said.push(words.join(" ")), error: () => undefined }

/** Who gives an order, as a command says it beside the order. */
const giver = Effect.map(RpcClient.CurrentHeaders, (headers) => headers[Asker.header] ?? "nobody")

/** A way to the desks, as the process that holds a folder gives it. */
const runtime = Layer.effect(
  Runtime,
  Effect.gen(function*() {
    const schedules = yield* Schedules.Schedules
    const letters = yield* DeadLetters.DeadLetters
    const client = {
      schedules_list: () => schedules.list,
      schedule_add: ({ definition }: { readonly definition: Schedule.Definition }) =>
        Effect.flatMap(giver, (by) => schedules.add(definition, by)),
      schedule_control: (
        { action, ...order }: Omit<Schedules.Order, "by"> & { readonly action: "pause" | "resume" | "remove" }
      ) => Effect.flatMap(giver, (by) => schedules[action]({ ...order, by })),
      schedule_run: (order: Omit<Schedules.Order, "by">) =>
        Effect.flatMap(giver, (by) => schedules.run({ ...order, by })),
      schedule_history: ({ limit, schedule }: { readonly limit: number; readonly schedule: string }) =>
        schedules.history(schedule, limit),
      dead_letters_list: ({ open }: { readonly open: boolean }) => letters.list(open),
      dead_letter: ({ letter }: { readonly letter: string }) => letters.show(letter),
      dead_letter_decide: (
        { action, ...decision }: Omit<DeadLetters.Decision, "by"> & { readonly action: "replay" | "drop" }
      ) => Effect.flatMap(giver, (by) => letters[action]({ ...decision, by }))
    } as unknown as Client // What these commands ask for, as they ask for it.
    return runtimeOf({ open: () => Effect.succeed(client) })
  })
)

const aosiq = (...words: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    said.length = 0
    yield* Command.runWith(command({ version: "0", user: "local:ada" }), { version: "0" })(words)
    return said.join("\n")
  })

/** How a command that goes wrong does so: 2 for the command line, 1 for what it was about. */
const refusal = (...words: ReadonlyArray<string>) =>
  Effect.map(Effect.flip(aosiq(...words)), (error) => ({
    code: CliError.isCliError(error) || error instanceof UsageError ? 2 : 1,
    text: error instanceof UsageError || error instanceof RuntimeError
      ? `${error.detail}; ${error.remedy}`
      : String(error)
  }))

const on = { current: D.stage() }
const typed = <A, E>(self: Effect.Effect<A, E, Schedules.Schedules | DeadLetters.DeadLetters | Runtime | Services>) =>
  Effect.suspend(() => {
    on.current = D.stage()
    const desks = D.desks(on.current, MemoryStore.layer.pipe(Layer.provide(NodeDigest.layer)))
    return self.pipe(
      Effect.provide(Layer.merge(Layer.provideMerge(runtime, desks), NodeServices.layer)),
      Effect.provideService(Console.Console, { ...globalThis.console, ...quiet } as Console.Console)
    )
  })
type Services = Layer.Success<typeof NodeServices.layer>

const add = (name: string, ...more: ReadonlyArray<string>) =>
  aosiq("schedules", "add", name, "--actor", "Walker", "--input", "\"a\"", ...more)
const hourly = ["--cron", "0 * * * *", "--grant", "tool:step"]

describe("aosiq schedules", () => {
  it.effect("makes one of what was typed, and lists it", () =>
    typed(Effect.gen(function*() {
      const made = yield* add(
        "nightly",
        "--cron",
        "30 2 * * *",
        "--zone",
        "Europe/Berlin",
        "--repeated",
        "both",
        "--grant",
        "tool:step",
        "--budget",
        "0.5",
        "--lifetime",
        "2 hours",
        "--overlap",
        "queue",
        "--catch-up",
        "all",
        "--jitter",
        "5 minutes",
        "--caller",
        "night",
        "--by",
        "grace"
      )
      assert.match(made, /^nightly is made\n/)
      const [kept] = yield* (yield* Schedules.Schedules).list
      assert.deepInclude(kept, {
        actor: "Walker",
        input: "a",
        grant: {
          capabilities: ["tool:step"],
          budgetMicroUsd: 500_000,
          lifetimeSeconds: 7200,
          depth: defaultTerms.depth,
          limits: defaultTerms.limits
        },
        caller: "night",
        when: { kind: "cron", expression: "30 2 * * *", zone: "Europe/Berlin", repeated: "both" },
        overlap: "queue",
        catchUp: "all",
        jitterMs: 300_000,
        createdBy: "grace"
      })
      const listed = yield* aosiq("schedules", "list")
      assert.match(listed, /nightly +active +Walker +30 2 \* \* \* Europe\/Berlin +1970-01-01 01:30:00 +-/)
      assert.deepStrictEqual(
        JSON.parse(yield* aosiq("schedules", "list", "--json")),
        JSON.parse(JSON.stringify([kept]))
      )
    })))

  it.effect("reads times as the zone's clock shows them, or with their own offset", () =>
    typed(Effect.gen(function*() {
      yield* add("once", "--at", "2026-12-24T18:00", "--at", "2026-12-24T18:00:00+05:00", "--zone", "Europe/Berlin")
      const [kept] = yield* (yield* Schedules.Schedules).list
      assert.deepStrictEqual(kept?.when, {
        kind: "at",
        instants: [Date.parse("2026-12-24T17:00:00Z"), Date.parse("2026-12-24T13:00:00Z")]
      })
    })))

  it.effect("reads an input from a file", () =>
    typed(Effect.scoped(Effect.gen(function*() {
      const file = join(yield* folder, "input.json")
      writeFileSync(file, "\"from a file\"")
      yield* aosiq("schedules", "add", "x", "--actor", "Walker", "--input", `@${file}`, ...hourly)
      assert.strictEqual((yield* (yield* Schedules.Schedules).list)[0]?.input, "from a file")
      const missing = yield* refusal(
        "schedules",
        "add",
        "y",
        "--actor",
        "Walker",
        "--input",
        `@${file}.none`,
        ...hourly
      )
      assert.deepInclude(missing, { code: 1 })
      assert.match(missing.text, /cannot be read/)
    }))))

  const wrong: ReadonlyArray<readonly [string, ReadonlyArray<string>, number, RegExp]> = [
    ["neither --cron nor --at", ["ok", "--input", "\"a\""], 2, /either --cron or --at/],
    ["both", ["ok", "--input", "\"a\"", "--cron", "* * * * *", "--at", "2030-01-01"], 2, /either --cron or --at/],
    ["an input that is no JSON", ["ok", "--input", "a", "--cron", "* * * * *"], 2, /no JSON/],
    ["an input that does not fit", ["ok", "--input", "1", "--cron", "* * * * *"], 1, /does not fit/],
    ["a name with a space", ["o k", "--input", "\"a\"", "--cron", "* * * * *"], 2, /no schedule/],
    [
      "a capability that is none",
      ["ok", "--input", "\"a\"", "--cron", "* * * * *", "--grant", "all"],
      2,
      /no schedule/
    ],
    ["a time that is none", ["ok", "--input", "\"a\"", "--at", "tomorrow"], 2, /no time in UTC/],
    ["a zone that is none", ["ok", "--input", "\"a\"", "--cron", "* * * * *", "--zone", "Nowhere"], 1, /time zone/],
    ["a jitter that is none", ["ok", "--input", "\"a\"", "--cron", "* * * * *", "--jitter", "some"], 2, /no duration/],
    ["a policy that is none", ["ok", "--input", "\"a\"", "--cron", "* * * * *", "--overlap", "both"], 2, /./],
    ["a budget below nothing", ["ok", "--input", "\"a\"", "--cron", "* * * * *", "--budget", "-1"], 2, /./]
  ]
  for (const [what, words, code, why] of wrong) {
    it.effect(`refuses ${what}, and makes nothing`, () =>
      typed(Effect.gen(function*() {
        const refused = yield* refusal("schedules", "add", "--actor", "Walker", ...words)
        assert.strictEqual(refused.code, code, refused.text)
        assert.match(refused.text, why)
        assert.deepStrictEqual(yield* (yield* Schedules.Schedules).list, [])
      })))
  }

  it.effect("pauses, resumes, starts, tells what came of it, and removes", () =>
    typed(Effect.gen(function*() {
      yield* add("hourly", ...hourly)
      assert.strictEqual(yield* aosiq("schedules", "history", "hourly"), "it has not come to anything yet")
      assert.strictEqual(yield* aosiq("schedules", "pause", "hourly"), "hourly is paused")
      assert.match(yield* aosiq("schedules", "list"), /hourly +paused .* - +-$/)
      assert.strictEqual(yield* aosiq("schedules", "resume", "hourly"), "hourly is resumed")
      const started = yield* aosiq("schedules", "run", "hourly")
      const session = on.current.opened[0]?.session ?? assert.fail("nothing was opened")
      assert.strictEqual(started, `hourly is started as ${session}`)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(
        yield* aosiq("schedules", "run", "hourly"),
        `hourly was left out: ${session} has not come to its end`
      )
      const told = yield* aosiq("schedules", "history", "hourly")
      assert.match(told, new RegExp(`local:ada +opened +${session} +running`))
      assert.match(told, /local:ada +skipped +- +- +/)
      assert.lengthOf(JSON.parse(yield* aosiq("schedules", "history", "hourly", "--limit", "1", "--json")), 1)
      assert.strictEqual(yield* aosiq("schedules", "remove", "hourly"), "hourly is removed")
      assert.strictEqual(yield* aosiq("schedules", "list"), "no schedules")
      for (const order of ["pause", "resume", "run", "remove", "history"]) {
        const refused = yield* refusal("schedules", order, "hourly")
        assert.deepStrictEqual(refused, { code: 1, text: "there is no schedule hourly; see aosiq schedules list" })
      }
    })))
})

describe("aosiq dead-letters", () => {
  it.effect("lists, shows, replays and drops, once each", () =>
    typed(Effect.gen(function*() {
      assert.strictEqual(yield* aosiq("dead-letters", "list"), "no dead letters")
      yield* add("hourly", ...hourly)
      on.current.actors.delete("Walker")
      yield* aosiq("schedules", "run", "hourly")
      const id = /D[0-9A-F]{10}/.exec(yield* aosiq("dead-letters", "list"))?.[0] ?? assert.fail("no letter")
      const shown = yield* aosiq("dead-letters", "show", id)
      assert.match(shown, /about +a firing of session ses_/)
      assert.match(shown, /no actor Walker is registered/)
      assert.match(shown, /"schedule": "hourly"/)
      on.current.actors.add("Walker")
      assert.strictEqual(
        yield* aosiq("dead-letters", "replay", id, "--reason", "it is back"),
        `dead letter ${id} is replayed by local:ada`
      )
      yield* (yield* Schedules.Schedules).sweep
      assert.lengthOf(on.current.opened, 1)
      const late = yield* refusal("dead-letters", "drop", id)
      assert.deepInclude(late, { code: 1 })
      assert.match(late.text, /it was replayed by local:ada/)
      assert.strictEqual(yield* aosiq("dead-letters", "list"), "no dead letters")
      assert.match(yield* aosiq("dead-letters", "list", "--all"), new RegExp(`${id} +replayed`))
      assert.match(yield* aosiq("dead-letters", "show", id), /decided +replayed by local:ada.*it is back/)
      assert.match((yield* refusal("dead-letters", "show", "D0")).text, /no dead letter D0/)
    })))
})

// --- real processes ----------------------------------------------------------------------

const grants = [
  "spawn:OperationalAdvice",
  "spawn:ThresholdEvaluation",
  "spawn:LogQuery",
  "spawn:ConfigIntrospection",
  "tool:read_metrics",
  "tool:read_logs",
  "tool:read_settings",
  "tool:save_ticket",
  "backend:offline"
].flatMap((name) => ["--grant", name])

describe("a runtime that is up", () => {
  it.live(
    "starts what it is told to from outside, when its time comes, and again after it was killed",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const cwd = yield* folder
        const incident = yield* files(join(cwd, "case"), diskIncident)
        const how = { cwd }
        const first = yield* start(how, "start", "--case", incident)
        yield* first.says("the runtime stays up")
        const input = JSON.stringify({ request: { title: "again", description: "" }, ticket: null })
        const order = ["schedules", "add", "often", "--actor", "Diagnosis", "--input", input, ...grants]
        const added = yield* run(how, ...order, "--cron", "* * * * * *", "--json")
        assert.strictEqual(added.code, 0, added.err)
        const opened = Effect.gen(function*() {
          const told = yield* run(how, "schedules", "history", "often", "--limit", "1000", "--json")
          const views: ReadonlyArray<{ firing: { state: string; session: string; instant: number }; status: string }> =
            JSON.parse(told.out)
          return views.filter(({ firing }) => firing.state === "opened")
        })
        const more = (than: number) =>
          opened.pipe(
            Effect.filterOrFail((views) => views.length > than),
            Effect.retry({ times: 20 })
          )
        const before = yield* more(0)
        yield* first.signal("SIGKILL")
        yield* first.ended
        const second = yield* start(how, "start", "--case", incident)
        yield* second.says("the runtime stays up")
        const after = yield* more(before.length)
        const sessions = after.map(({ firing }) => firing.session)
        assert.deepStrictEqual(sessions, [...new Set(sessions)])
        const removed = yield* run(how, "schedules", "remove", "often")
        assert.strictEqual(removed.out, "often is removed\n", removed.err)
        assert.strictEqual((yield* run(how, "dead-letters", "list")).out, "no dead letters\n")
        const verified = yield* run(how, "audit", "verify", "--json")
        assert.isTrue(JSON.parse(verified.out).ok, verified.out)
      })).pipe(Effect.provide(NodeServices.layer)),
    300_000
  )
})
