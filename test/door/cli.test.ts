import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, vi } from "vitest"
import { socketPath } from "../../layers/control/Control.ts"
import { holder } from "../../layers/pglite/index.ts"
import { diskIncident } from "./incident.ts"
import { copyData, type Ended, files, folder, root, run, start } from "./program.ts"
import { heldPrometheus } from "./prometheus.ts"

const recorded = join(root, "../shared/data/incidents-opensre-rds/002-connection-exhaustion")

/** The number of the first ticket that a text names. */
const ticketIn = (text: string): string =>
  /approvals approve (T\w+)/.exec(text)?.[1] ?? assert.fail(`no ticket in ${text}`)

const lines = (text: string) => text.split("\n").filter((line) => line !== "")

/** One sentence, one remedy, and nothing of where in the program it happened. */
const refused = (ended: Ended, detail: string, remedy: string, code = 1) => {
  assert.strictEqual(ended.code, code, ended.err)
  assert.include(ended.err, `error: ${detail}`)
  assert.include(ended.err, `remedy: ${remedy}`)
  assert.notMatch(ended.err, /^\s+at /m)
}

const isFree = (data: string) => {
  assert.strictEqual(holder(data), undefined)
  assert.isFalse(existsSync(socketPath(data)))
}

// Processes start slowly on a machine that is busy with other tests.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const scope = Scope.makeUnsafe()
/** A first diagnosis of this host, and the data it left: other tests go on from copies. */
let first: Ended
let data: string

beforeAll(() =>
  Effect.runPromise(
    Effect.gen(function*() {
      const cwd = yield* folder
      data = join(cwd, ".aosiq")
      first = yield* run({ cwd }, "start", "--once")
    }).pipe(Scope.provide(scope))
  )
)
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

const place = Effect.gen(function*() {
  const cwd = yield* folder
  yield* copyData(data, join(cwd, ".aosiq"))
  return { cwd, data: join(cwd, ".aosiq") }
})

describe("aosiq start --once", () => {
  it.live("tells what it does, the proposal with its evidence, the cost, the verdict and how to go on", () =>
    Effect.sync(() => {
      assert.strictEqual(first.code, 0, first.err)
      const { out } = first
      const inOrder = [
        "AOSIQ · one process over .aosiq",
        "diagnosing this host",
        "  ThresholdEvaluation: read_metrics …",
        "  Diagnosis: save_ticket waits for approval T",
        "[offline baseline: these are rules, not a model]",
        "- outcome: ",
        "## Evidence",
        "cost: $0.00",
        "chain verified: ",
        "save_ticket waits for a person. It has not run.",
        `npx aosiq approvals approve ${ticketIn(out)}`
      ]
      const found = inOrder.map((text) => out.indexOf(text))
      assert.notInclude(found, -1, out)
      assert.deepStrictEqual(found, found.toSorted((a, b) => a - b))
      assert.notInclude(out, "\u001b")
      assert.lengthOf(lines(first.err), 1)
      assert.include(first.err, "for development")
      assert.deepStrictEqual(readdirSync(join(data, "..")), [".aosiq"])
      isFree(data)
    }))

  it.live("with --json gives one document, and the rest beside it", () =>
    Effect.gen(function*() {
      const { cwd } = yield* place
      const incident = yield* files(join(cwd, "incident"), diskIncident)
      const ended = yield* run({ cwd }, "start", "--once", "--json", "--case", incident)
      assert.strictEqual(ended.code, 0, ended.err)
      const outcome = JSON.parse(ended.out)
      assert.strictEqual(outcome.status, "waiting")
      assert.strictEqual(outcome.advice.outcome, "fault")
      assert.strictEqual(outcome.advice.scenario, "disk_space_exhaustion")
      assert.deepStrictEqual(outcome.advice.contributing, ["configuration_drift"])
      assert.strictEqual(outcome.audit.ok, true)
      assert.deepStrictEqual(outcome.approvals.map(({ id }: { id: string }) => id), [outcome.detail])
      assert.include(ended.err, "diagnosing the case in")
      assert.include(ended.err, "read_logs succeeded")
    }).pipe(Effect.provide(NodeServices.layer)))

  it.live.skipIf(!existsSync(recorded))("diagnoses a recording of a real database", () =>
    Effect.gen(function*() {
      const { cwd } = yield* place
      const ended = yield* run({ cwd }, "start", "--once", "--json", "--case", recorded)
      assert.strictEqual(ended.code, 0, ended.err)
      assert.strictEqual(JSON.parse(ended.out).advice.scenario, "connection_pool_exhaustion")
    }))

  it.live("ends without a word when nobody reads on", () =>
    Effect.gen(function*() {
      const { cwd, data } = yield* place
      const running = yield* start({ cwd }, "start", "--once", "--case", yield* files(join(cwd, "case"), diskIncident))
      yield* running.says("AOSIQ")
      yield* running.stopReading
      const { code, err } = yield* running.ended
      assert.strictEqual(code, 141)
      assert.lengthOf(lines(err), 1, err)
      isFree(data)
    }).pipe(Effect.provide(NodeServices.layer)))
})

describe("aosiq approvals", () => {
  it.live("a denied act does not run, and the folder goes on working", () =>
    Effect.gen(function*() {
      const { cwd } = yield* place
      const ticket = ticketIn(first.out)
      const denied = yield* run({ cwd }, "approvals", "deny", ticket, "--by", "ann", "--reason", "not\u001b[2Jnow")
      assert.strictEqual(denied.code, 0, denied.err)
      assert.strictEqual(denied.err, "")
      assert.include(denied.out, `ticket ${ticket} denied by ann\n`)
      assert.include(denied.out, "went on and ended: ")
      const again = yield* run({ cwd }, "approvals", "approve", ticket, "--by", "bob")
      refused(again, `ticket ${ticket} cannot be decided: it was denied already`, `see aosiq approvals show ${ticket}`)
      const shown = yield* run({ cwd }, "approvals", "show", ticket)
      assert.match(shown.out, /^decided {4}denied by ann, \S+ \S+ UTC: "not\\u001b\[2Jnow"$/m)
      const incident = yield* files(join(cwd, "incident"), diskIncident)
      const later = yield* run({ cwd }, "start", "--once", "--case", incident)
      assert.strictEqual(later.code, 0, later.err)
      assert.notInclude(later.out, "left behind")
      assert.isFalse(existsSync(join(cwd, "aosiq-tickets")))
    }).pipe(Effect.provide(NodeServices.layer)))

  it.live("go through the process that holds the folder", () =>
    Effect.gen(function*() {
      const { cwd, data } = yield* place
      const incident = yield* files(join(cwd, "incident"), diskIncident)
      const running = yield* start({ cwd }, "start", "--case", incident, "--ticket", "handed over.md")
      const ticket = ticketIn((yield* running.says("the runtime stays up")).split("diagnosing the case")[1] ?? "")

      const second = yield* run({ cwd }, "start", "--once")
      refused(second, `process ${running.pid} is working on .aosiq`, "stop that process")

      const list = yield* run({ cwd }, "approvals", "list")
      assert.match(list.out, new RegExp(`^${ticket} +proposed +save_ticket +`, "m"))
      const shown = yield* run({ cwd }, "approvals", "show", ticket)
      assert.include(shown.out, `act        save_ticket: `)
      assert.include(shown.out, `  path     ${JSON.stringify(join(cwd, "handed over.md"))}\n`)
      assert.match(shown.out, /^ {4}\| - outcome: fault found \(disk_space_exhaustion\)$/m)

      const approved = yield* run({ cwd }, "approvals", "approve", ticket, "--by", "ann", "--reason", "looks right")
      assert.strictEqual(approved.code, 0, approved.err)
      assert.include(approved.out, `ticket ${ticket} approved by ann\n`)
      assert.include(approved.out, `the proposal was saved as ${join(cwd, "handed over.md")}\n`)
      yield* running.says(`ticket ${ticket} approved by ann`)
      yield* running.says("save_ticket succeeded")
      const { ino, mtimeMs } = statSync(join(cwd, "handed over.md"))
      const text = readFileSync(join(cwd, "handed over.md"), "utf8")
      assert.include(text, "(disk_space_exhaustion)")

      const again = yield* run({ cwd }, "approvals", "approve", ticket, "--by", "bob")
      refused(again, `ticket ${ticket} cannot be decided: it was approved already, and its act ran`, "see aosiq")
      const none = yield* run({ cwd }, "approvals", "show", "TNONE")
      refused(none, "there is no ticket TNONE", "see aosiq approvals list")
      assert.strictEqual(statSync(join(cwd, "handed over.md")).ino, ino)
      assert.strictEqual(statSync(join(cwd, "handed over.md")).mtimeMs, mtimeMs)
      assert.strictEqual(readFileSync(join(cwd, "handed over.md"), "utf8"), text)

      assert.strictEqual(holder(data), running.pid)
      yield* running.signal("SIGTERM")
      const ended = yield* running.ended
      assert.strictEqual(ended.code, 143, ended.err)
      assert.lengthOf(lines(ended.err), 1, ended.err)
      isFree(data)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.live("an act that cannot be done once approved fails the command", () =>
    Effect.gen(function*() {
      const { cwd } = yield* place
      const incident = yield* files(join(cwd, "incident"), diskIncident)
      const proposed = yield* run({ cwd }, "start", "--once", "--case", incident, "--ticket", "tickets/one.md")
      yield* files(cwd, { tickets: "in the way" })
      const approved = yield* run({ cwd }, "approvals", "approve", ticketIn(proposed.out), "--json")
      refused(approved, "the ticket was not saved: ", "start the diagnosis again")
      assert.strictEqual(JSON.parse(approved.out).runs[0].status, "failed")
      assert.strictEqual(readFileSync(join(cwd, "tickets"), "utf8"), "in the way")
    }).pipe(Effect.provide(NodeServices.layer)))
})

describe("a process that is killed", () => {
  it.live("while it waits leaves a ticket that the next process decides", () =>
    Effect.gen(function*() {
      const { cwd, data } = yield* place
      const incident = yield* files(join(cwd, "incident"), diskIncident)
      const running = yield* start({ cwd }, "start", "--case", incident, "--ticket", "saved.md")
      const ticket = ticketIn((yield* running.says("the runtime stays up")).split("diagnosing the case")[1] ?? "")
      yield* running.signal("SIGKILL")
      yield* running.ended
      assert.isTrue(existsSync(socketPath(data)))
      const approved = yield* run({ cwd }, "approvals", "approve", ticket)
      assert.strictEqual(approved.code, 0, approved.err)
      assert.include(readFileSync(join(cwd, "saved.md"), "utf8"), "(disk_space_exhaustion)")
      isFree(data)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.live(
    "in the middle of a diagnosis leaves a session that the next start ends, and does nothing twice",
    () =>
      Effect.gen(function*() {
        const { cwd, data } = yield* place
        const { asked, hold, url } = yield* heldPrometheus
        const dying = yield* start({ cwd }, "start", "--prometheus", url)
        yield* asked
        yield* dying.says("read_metrics …")
        yield* dying.signal("SIGKILL")
        yield* dying.ended

        yield* hold(false)
        const next = yield* run({ cwd }, "start", "--once", "--prometheus", url)
        assert.strictEqual(next.code, 0, next.err)
        const left = /session (\S+) was left behind by a process that stopped; it went on and waits for ticket (T\w+)/
          .exec(next.out) ?? assert.fail(next.out)
        const sessions: ReadonlyArray<{ id: string; status: string }> = JSON.parse(
          (yield* run({ cwd }, "sessions", "--json")).out
        )
        const own = sessions.filter(({ id }) => id.startsWith(left[1] ?? ""))
        assert.isAbove(own.length, 3)
        assert.notInclude(own.map(({ status }) => status), "running")
        yield* run({ cwd }, "audit", "export", "all.jsonl")
        const outcomes = lines(readFileSync(join(cwd, "all.jsonl"), "utf8")).flatMap((line) => {
          const { row } = JSON.parse(line)
          return row?.body.kind === "outcome" ? [`${row.session} ${row.key}`] : []
        })
        assert.isAbove(outcomes.length, 10)
        assert.strictEqual(new Set(outcomes).size, outcomes.length)

        yield* hold(true)
        const stopped = yield* start({ cwd }, "start", "--prometheus", url)
        yield* asked
        yield* stopped.says("read_metrics …")
        yield* stopped.signal("SIGINT")
        const ended = yield* stopped.ended
        assert.strictEqual(ended.code, 130, ended.err)
        assert.lengthOf(lines(ended.err), 1, ended.err)
        isFree(data)
      })
  )
})

describe("the log", () => {
  it.live("is listed, verified, exported, and verified again without any data", () =>
    Effect.gen(function*() {
      const { cwd } = yield* place
      const running = yield* start({ cwd }, "start", "--case", yield* files(join(cwd, "incident"), diskIncident))
      yield* running.says("the runtime stays up")
      const sessions = yield* run({ cwd }, "sessions")
      assert.match(sessions.out, /^ses_\S+ +Diagnosis +waiting +\d+ +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/m)
      const cost = yield* run({ cwd }, "cost")
      assert.match(cost.out, /^session:ses_\S+ +\$0\.00 +\$0\.00 +\$1\.00$/m)
      const verified = yield* run({ cwd }, "audit", "verify")
      assert.strictEqual(verified.code, 0)
      assert.match(verified.out, /^chain verified: \d+ rows of 10 sessions, \d+ anchors?$/m)
      assert.strictEqual(sessions.err + cost.err + verified.err, "")

      const exported = yield* run({ cwd }, "audit", "export", "all.jsonl")
      assert.strictEqual(exported.code, 0, exported.err)
      const key = /--key (\S+)/.exec(exported.out)?.[1] ?? assert.fail(exported.out)
      const twice = yield* run({ cwd }, "audit", "export", "all.jsonl")
      refused(twice, "all.jsonl was not written: it exists already", "choose another file")

      const text = readFileSync(join(cwd, "all.jsonl"), "utf8")
      const elsewhere = yield* files(yield* folder, {
        "all.jsonl": text,
        "cut.jsonl": text.slice(0, text.length / 2),
        "edited.jsonl": text.replace(/("body":\{[^\n]*?"status":")succeeded(")/, "$1failed$2"),
        "text.jsonl": "not a bundle\n"
      })
      const verify = (...args: ReadonlyArray<string>) => run({ cwd: elsewhere }, "verify", ...args)
      yield* running.signal("SIGTERM")
      const good = yield* verify("all.jsonl", "--key", key)
      assert.strictEqual(good.code, 0, good.err)
      assert.notInclude(good.out, "compare them")
      assert.deepStrictEqual(readdirSync(elsewhere).length, 4)
      const own = yield* verify("all.jsonl")
      assert.strictEqual(own.code, 0)
      assert.include(own.out, "the keys came with the bundle")

      const other = yield* verify(
        "all.jsonl",
        "--key",
        "aosiq/embedded+3a06784d+AbPINSkl8bvaIscqRtRqaqJGFji9o2mXpMx9cv2oy9+x"
      )
      refused(other, "the chain does not verify: anchor_altered at the anchors", "compare")
      const edited = yield* verify("edited.jsonl", "--key", key)
      refused(edited, "the chain does not verify: edited at ses_", "compare")
      assert.match(edited.out, /^CHAIN BROKEN: 1 finding in 10 sessions\n {2}edited at ses_\S+\/3: /)
      const report = yield* verify("edited.jsonl", "--json")
      assert.strictEqual(JSON.parse(report.out).findings[0].kind, "edited")
      const unusable = [
        { args: ["cut.jsonl"], detail: "cut.jsonl is not a whole bundle: ", remedy: "have it sent again" },
        {
          args: ["text.jsonl"],
          detail: "text.jsonl is not a whole bundle: the first line",
          remedy: "have it sent again"
        },
        { args: ["none.jsonl"], detail: "none.jsonl cannot be read", remedy: "name a bundle" },
        { args: ["all.jsonl", "--key", "mine"], detail: "mine is not such a key: ", remedy: "give the key" }
      ]
      yield* Effect.forEach(
        unusable,
        ({ args, detail, remedy }) => Effect.map(verify(...args), (ended) => refused(ended, detail, remedy)),
        { concurrency: 2 }
      )
    }).pipe(Effect.provide(NodeServices.layer)))
})

describe("the command line", () => {
  it.live("is explained, and refused in two lines", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      const asked = (...args: ReadonlyArray<string>) => run({ cwd }, ...args)
      const help = yield* asked("--help")
      assert.strictEqual(help.code, 0)
      for (const name of ["start", "approvals", "sessions", "audit", "verify", "cost"]) {
        assert.include(help.out, `  ${name} `)
      }
      assert.strictEqual(help.err, "")
      const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
      assert.strictEqual((yield* asked("--version")).out, `aosiq v${version}\n`)

      const wrong = [
        { args: ["nonsense"], detail: "Unknown subcommand \"nonsense\"", remedy: "see aosiq --help" },
        { args: ["start", "--nonsense"], detail: "Unrecognized flag: --nonsense", remedy: "see aosiq start --help" },
        {
          args: ["start", "--budget", "-1"],
          detail: "Invalid value for flag --budget",
          remedy: "see aosiq start --help"
        },
        {
          args: ["approvals", "approve"],
          detail: "no ticket is named",
          remedy: "name tickets, or give --all"
        },
        { args: ["start", "--config", "c.yaml"], detail: "--config and --baseline go together", remedy: "give both" },
        { args: ["start", "--case", ".", "--logs", "x"], detail: "--case is read alone", remedy: "put what belongs" },
        { args: ["start", "--model", "x"], detail: "the offline backend has no model", remedy: "name the backend" }
      ]
      const inTwoLines = Effect.fnUntraced(function*({ args, detail, remedy }: (typeof wrong)[number]) {
        const ended = yield* asked(...args)
        refused(ended, detail, remedy, 2)
        assert.strictEqual(ended.out, "")
      })
      yield* Effect.forEach(wrong, inTwoLines, { concurrency: 2 })
      assert.deepStrictEqual(readdirSync(cwd), [])
    }))

  it.live("has colours only where they are wanted", () =>
    Effect.gen(function*() {
      const cwd = yield* folder
      const coloured = yield* run({ cwd, env: { FORCE_COLOR: "1" } }, "--help")
      assert.include(coloured.out, "\u001b[")
      const plain = yield* run({ cwd, env: { FORCE_COLOR: "1", NO_COLOR: "1" } }, "--help")
      assert.notInclude(plain.out, "\u001b[")
    }))

  it.live("tells more when asked", () =>
    Effect.gen(function*() {
      const { cwd } = yield* place
      const ended = yield* run({ cwd }, "approvals", "list", "--log-level", "debug")
      assert.strictEqual(ended.code, 0)
      assert.include(ended.err, "anchors are kept in")
      assert.notInclude(ended.out, "anchors are kept in")
    }))
})
