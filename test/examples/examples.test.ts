/** The examples run as a reader runs them: each as a program of its own, importing the package by its name. */
import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"

const home = join(import.meta.dirname, "../..")

/** What each prints, line by line, from its first line to its last. */
const printed: Readonly<Record<string, ReadonlyArray<RegExp>>> = {
  "agent.ts": [
    /^advice: drain the queue, then restart$/,
    /^model:scripted succeeded$/,
    /^model:scripted succeeded$/,
    /^read_runbook succeeded$/,
    /^model:scripted succeeded$/
  ],
  "approval.ts": [
    /WARN .*: for development/,
    /^Waiting; refunds so far: 0$/,
    /WARN .*: for development/,
    /^a person reads: refund \{"euros":40,"order":"order 7"\}, because the parcel was lost$/,
    /^Succeeded: 40 euros paid for order 7$/,
    /^refunds in the end: 1$/
  ],
  "client.ts": [
    /^genesis$/,
    /^started$/,
    /^intent$/,
    /^outcome$/,
    /^ended$/,
    /^succeeded$/,
    /^order 7 is on its way$/
  ],
  "cost.ts": [
    /^geocode: refused by budget: session:ses_\w+: 5000 micro-dollars wanted, 2000 of 12000 left; /,
    /^provider calls: 2$/,
    /^caller:ada: \$0\.01 of \$0\.02, 0 reserved$/,
    /^class:Route: \$0\.01 of \$1\.00, 0 reserved$/,
    /^session: \$0\.01 of \$0\.012, 0 reserved$/
  ],
  "delegation.ts": [
    /^noted: buy milk$/,
    /^Editor holds spawn:Noter, memory:write@notes\/today; 50000 micro-dollars, depth 3$/,
    /^Noter holds memory:write@notes\/today; 1000 micro-dollars, depth 0$/
  ],
  "embed.ts": [/^\{$/, /_tag: 'Succeeded',$/, /session: 'ses_\w+',$/, /output: 'enough'$/, /^\}$/],
  "mcp.ts": [
    /^approved: create_entities$/,
    /^approved: read_graph$/,
    /^Waiting; noted so far: false$/,
    /^a person reads: mcp__notes__create_entities \{"entities":\[.*"name":"buy milk".*\]\}$/,
    /^\{"entities":\[\{.*"name":"buy milk".*\}\],"relations":\[\]\}$/
  ],
  "evidence.ts": [
    /^model:scripted, disks, model:scripted, model:scripted, model:offline$/,
    /^holds: the disk \/data is at 93%$/,
    /^ {2}disks: \/0\/name: "\/data"$/,
    /^ {2}disks: 93 % from 0\.93 at \/0\/used$/
  ],
  "memory.ts": [/^remembered: shop, then cook$/],
  "plan.ts": [
    /^Rex$/,
    /^model:ollama failed$/,
    /^model:scripted succeeded$/,
    /^plan succeeded$/
  ],
  "recorded.ts": [
    /^live: Rex$/,
    /^from tape \(a recording of scripted, played back\): Rex$/,
    /^another question: .*differs from call 1 of the cassette; /
  ],
  "replay.ts": [
    /^live: Succeeded, readings: 1$/,
    /^the tape is the one that was kept: true$/,
    /^from tape: a coat, readings: 1$/,
    /^recorded again, it differs: nowhere$/
  ],
  "schedule.ts": [
    /^read_feed crashed$/,
    /^restart 1: read_feed: broke down: Error: the line is down$/,
    /^read_feed succeeded$/,
    /^succeeded$/
  ],
  "unknown.ts": [
    /^Unsettled; booked: paid order 7$/,
    /^a person finds out: letter \{"order":"order 7"\} crashed after n ms: Error: the connection broke$/,
    /^Succeeded: paid order 7; letter sent$/
  ],
  "verify.ts": [
    /^as exported: ok true, 5 rows, 1 anchor$/,
    /^with one figure changed: ok false$/,
    /^edited at row 3$/
  ]
}

/** Run in tests of their own, inside the test runner. */
const tests = ["labels.ts", "testing.ts"]

const run = promisify(execFile)

describe("the examples", () => {
  it("are all run", () => {
    const programs = readdirSync(join(home, "examples")).filter((file) => file.endsWith(".ts"))
    assert.deepStrictEqual(programs.toSorted(), [...Object.keys(printed), ...tests].toSorted())
  })

  for (const [file, lines] of Object.entries(printed)) {
    it(`${file} prints what it says`, async () => {
      const { stdout } = await run(process.execPath, ["--conditions=aosiq-source", `examples/${file}`], { cwd: home })
      const said = stdout.trimEnd().split("\n")
      assert.lengthOf(said, lines.length, stdout)
      for (const [at, line] of lines.entries()) assert.match(said[at] ?? "", line)
    }, 120_000)
  }

  it("embed.ts is short: at most twenty lines after its imports", () => {
    const code = readFileSync(join(home, "examples/embed.ts"), "utf8").split("\n")
    assert.isAtMost(code.filter((line) => line.trim() !== "" && !line.startsWith("import ")).length, 20)
  })
})
