/** `aosiq approvals` on a runtime in memory: what is printed before anything is decided, and what comes of it. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Console, Effect, Exit, Layer, Option, Queue, Schema, Stdio, Terminal } from "effect"
import { Command } from "effect/cli"
import { RpcTest } from "effect/rpc"
import { Memory } from "../../layers/presets/index.ts"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import type { Policy } from "../../src/approval/index.ts"
import { Alerts, Anchor, Anchoring, Cosigning } from "../../src/audit/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { command, over, Runtime, Usage, UsageError } from "../../src/door/cli/index.ts"
import { Asker, Desk, Explain, Operations } from "../../src/operator/index.ts"
import { Approvals, Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import { layerTools } from "../audit/logs.ts"
import { runtimeOf } from "./cli/commands.ts"

const Refund = Tool.make("refund", {
  description: "Pays money back",
  capabilities: ["tool:refund"],
  reversible: false,
  params: Schema.Struct({ order: Schema.String, note: Schema.optionalKey(Schema.String) }),
  success: Schema.String
})
const Close = Tool.make("close", {
  description: "Closes an account",
  capabilities: ["tool:close"],
  reversible: false,
  params: Schema.Struct({ order: Schema.String }),
  success: Schema.String
})
const Order = Schema.Struct({
  order: Schema.String,
  note: Schema.optionalKey(Schema.String),
  why: Schema.optionalKey(Schema.String),
  close: Schema.optionalKey(Schema.Boolean)
})
const Shop = DeterministicActor.make("Shop", {
  description: "does what it is asked",
  input: Order,
  output: Schema.String,
  tools: [Refund, Close],
  run: ({ close, order, why = "", ...rest }) =>
    Effect.gen(function*() {
      const options = { reasons: { text: why, evidence: ["ses_none/1"] } }
      if (close === true) return yield* Tool.call(Close, { order }, options)
      return yield* Tool.call(Refund, { order, ...rest }, options)
    })
})

const done: Array<string> = []
const handlers = Layer.mergeAll(
  Tool.layer(Refund, ({ order }) => Effect.sync(() => (done.push(`refund ${order}`), "paid"))),
  Tool.layer(Close, ({ order }) => Effect.sync(() => (done.push(`close ${order}`), "closed")))
)

const app = (policy: Partial<Policy.Policy> = {}) => {
  done.length = 0
  return Layer.merge(Desk.layerMessages, Asker.layerOwner("local")).pipe(
    Layer.provideMerge(Desk.layer([])),
    Layer.provide(
      Layer.mergeAll(Anchoring.layerElsewhere, Anchor.layerMemory, Alerts.layerMemory, Cosigning.layerNone)
    ),
    Layer.provideMerge(layerTools),
    Layer.provideMerge(Actor.layer(Shop)),
    Layer.provideMerge(handlers),
    Layer.provideMerge(Memory.layer(policy)),
    Layer.provideMerge(NodeServices.layer)
  )
}

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs the command line against the runtime of the test. `answers` are the keys that a person at a terminal presses. */
const aosiq = (args: ReadonlyArray<string>, answers?: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const out: Array<string> = []
    const err: Array<string> = []
    const written = (lines: Array<string>) => (...all: ReadonlyArray<unknown>) => void lines.push(all.join(" "))
    const client = yield* RpcTest.makeClient(Operations.Operations)
    const runtime = runtimeOf({ open: () => Effect.succeed(over(client)) })
    const stdio = yield* Stdio.Stdio
    const terminal = yield* Terminal.Terminal
    const isTerminal = Effect.succeed(answers !== undefined)
    const exit = yield* Effect.exit(
      Command.runWith(command({ version: "0", user: "local:ada" }), { version: "0" })(["approvals", ...args]).pipe(
        Effect.provideService(Runtime, runtime),
        Effect.provideService(Stdio.Stdio, { ...stdio, stdinIsTerminal: isTerminal, stdoutIsTerminal: isTerminal }),
        Effect.provideService(Terminal.Terminal, keyboard(terminal, answers ?? [])),
        Effect.provideService(Console.Console, { ...console, log: written(out), error: written(err) }),
        Effect.provide(Usage.layer)
      )
    )
    if (Exit.isFailure(exit)) {
      const { detail, remedy } = Explain.explain(Cause.squash(exit.cause))
      err.push(detail, remedy)
    }
    const isUsage = Exit.isFailure(exit) && Cause.squash(exit.cause) instanceof UsageError
    const ran: Ran = { code: Exit.isSuccess(exit) ? 0 : isUsage ? 2 : 1, out: out.join("\n"), err: err.join("\n") }
    return ran
  }).pipe(Effect.scoped)

const start = (order: typeof Order.Type, caller = "shop") =>
  Effect.gen(function*() {
    const dispatch = yield* Dispatch.Dispatch
    const ended = yield* dispatch.start(Shop, order, { grant: Grant.make(["tool:refund", "tool:close"]), caller })
    return ended._tag === "Waiting" ? ended : yield* Effect.die(new Error(`it ${ended._tag}`))
  })
const states = Effect.map(
  Effect.flatMap(Approvals.Approvals, (approvals) => approvals.list),
  (all) => Object.fromEntries(all.map(({ id, state }) => [id, state]))
)

describe("aosiq approvals approve and deny", () => {
  it.effect("print what is decided and how many, then decide each, and say what came of each", () =>
    Effect.gen(function*() {
      const [one, two] = [yield* start({ order: "A-1" }), yield* start({ order: "A-2" })]
      const ran = yield* aosiq(["approve", one.ticket, two.ticket, "T-none", one.ticket, "--by", "grace"])
      assert.match(ran.out, /^2 tickets to be approved by grace\n/)
      for (const { ticket } of [one, two]) assert.include(ran.out, `ticket     ${ticket} (proposed)`)
      assert.include(ran.out, `order    "A-1"`)
      const answers = ran.out.slice(ran.out.indexOf(`ticket ${one.ticket} approved`))
      assert.include(answers, `ticket ${two.ticket} approved by grace`)
      assert.include(answers, "ticket T-none NOT decided: there is no such ticket")
      assert.include(answers, "2 of 3 tickets decided")
      assert.strictEqual(ran.code, 1)
      assert.match(ran.err, /T-none cannot be decided: there is no such ticket/)
      assert.sameMembers(done, ["refund A-1", "refund A-2"])
      // Once more: neither is decided twice.
      const again = yield* aosiq(["approve", one.ticket, two.ticket])
      assert.strictEqual(again.code, 1)
      assert.match(again.err, /approved already, and its act ran.*1 more/s)
      assert.lengthOf(done, 2)
    }).pipe(Effect.provide(app())))

  it.effect("take all that wait, by session and by act, and nothing that nobody was asked about", () =>
    Effect.gen(function*() {
      const refund = yield* start({ order: "A-1" })
      const close = yield* start({ order: "A-2", close: true })
      const other = yield* start({ order: "A-3" })
      const unasked = yield* aosiq(["approve", "--all", "--act", "refund"])
      assert.strictEqual(unasked.code, 2)
      assert.match(unasked.err, /nobody was asked about 2 tickets, and nothing was decided/)
      assert.include(unasked.err, "aosiq approvals approve T")
      assert.deepStrictEqual(done, [])
      assert.deepStrictEqual(new Set(Object.values(yield* states)), new Set(["proposed"]))

      const session = yield* aosiq(["deny", "--all", "--session", close.session, "--yes", "--reason", "not today"])
      assert.strictEqual(session.code, 0, session.err)
      assert.match(session.out, /^1 ticket to be denied by local:ada/)
      assert.include(session.out, "denied by local:ada: not today")
      const act = yield* aosiq(["approve", "--all", "--act", "refund", "--yes"])
      assert.match(act.out, /^2 tickets to be approved/)
      assert.sameMembers(done, ["refund A-1", "refund A-3"])
      const left = yield* states
      assert.deepStrictEqual([left[refund.ticket], left[close.ticket], left[other.ticket]], [
        "succeeded",
        "denied",
        "succeeded"
      ])
      const none = yield* aosiq(["approve", "--all", "--yes"])
      assert.deepInclude(none, { code: 0 })
      assert.match(none.out, /^0 tickets.*nothing was decided/s)
    }).pipe(Effect.provide(app())))

  it.effect("ask back at a terminal", () =>
    Effect.gen(function*() {
      yield* start({ order: "A-1" })
      const no = yield* aosiq(["approve", "--all"], ["n"])
      assert.match(no.out, /nothing was decided/)
      assert.deepStrictEqual(done, [])
      const yes = yield* aosiq(["approve", "--all"], ["y"])
      assert.strictEqual(yes.code, 0, yes.err)
      assert.deepStrictEqual(done, ["refund A-1"])
    }).pipe(Effect.provide(app())))

  for (
    const args of [
      ["approve"],
      ["approve", "T1", "--all"],
      ["approve", "T1", "--session", "s"],
      ["deny", "T1", "--act", "a"],
      ["deny", "T1", "--yes"]
    ]
  ) {
    it.effect(`refuse ${args.join(" ")}, and decide nothing`, () =>
      Effect.gen(function*() {
        yield* start({ order: "A-1" })
        assert.strictEqual((yield* aosiq(args)).code, 2)
        assert.deepStrictEqual(Object.values(yield* states), ["proposed"])
        assert.deepStrictEqual(done, [])
      }).pipe(Effect.provide(app())))
  }

  it.effect("print one JSON value for programs, and what is decided beside it", () =>
    Effect.gen(function*() {
      const { session, ticket } = yield* start({ order: "A-1" })
      const ran = yield* aosiq(["approve", ticket, "T-none", "--json"])
      const value = JSON.parse(ran.out)
      assert.deepStrictEqual(Object.keys(value), ["decided", "undecided", "runs", "stalled"])
      assert.deepInclude(value.decided[0], { id: ticket, state: "approved" })
      assert.deepInclude(value.undecided[0], { ticket: "T-none", detail: "there is no such ticket" })
      assert.deepInclude(value.runs[0], { session, status: "succeeded", result: "paid" })
      assert.match(ran.err, /2 tickets to be approved|1 ticket to be approved/)
    }).pipe(Effect.provide(app())))

  it.effect("need as many people as the policy wants, and tell that more are waited for", () =>
    Effect.gen(function*() {
      const { ticket } = yield* start({ order: "A-1" }, "local:ada")
      const own = yield* aosiq(["approve", ticket])
      assert.deepInclude(own, { code: 1 })
      assert.match(own.err, /requester may not decide/)
      const first = yield* aosiq(["approve", ticket, "--by", "grace"])
      assert.include(first.out, "has one more vote, by grace; it waits for more people")
      assert.deepInclude(yield* aosiq(["approve", ticket, "--by", "GRACE"]), { code: 1 })
      assert.deepStrictEqual(done, [])
      yield* aosiq(["approve", ticket, "--by", "barbara"])
      assert.deepStrictEqual(done, ["refund A-1"])
    }).pipe(Effect.provide(app({ approvers: 2, requesterMayApprove: false }))))
})

describe("aosiq approvals show", () => {
  it.effect("shows the whole of it, and nothing of it steers a terminal or passes for the command's own words", () =>
    Effect.gen(function*() {
      const evil = "\u001b[2J\u001b]0;owned\u0007\u202e\u200b\u2028\r"
      const { session, ticket } = yield* start({
        order: `A-1${evil}`,
        note: `first\nexpires    never${evil}`,
        why: `because${evil}\nrequester  root\u{E0041}`
      })
      const ran = yield* aosiq(["show", ticket])
      // Only what a terminal prints as a sign, and the line breaks of the command's own.
      assert.notMatch(ran.out, /[^\P{C}\n]|[\p{Zl}\p{Zp}]|\p{DI}/u)
      const lines = ran.out.split("\n")
      assert.include(lines, `asked by   Shop, in session ${session}`)
      assert.include(lines, "caller     shop")
      assert.include(lines, "    | requester  root\\u{e0041}")
      assert.isTrue(lines.some((line) => line.startsWith("    | because\\u{1b}[2J\\u{1b}]0;owned\\u{7}")))
      assert.isTrue(lines.some((line) => line.startsWith("    | expires    never\\u{1b}")))
      assert.isFalse(lines.some((line) => line.startsWith("expires    never") || line.startsWith("requester")))
      assert.include(ran.out, `"ses_none/1" is NO EVIDENCE: it is not of this session`)
      assert.match(ran.out, /accounts, as they stand now\n {2}account +spent +reserved +ceiling\n/)
      for (const account of ["caller:shop", "class:Shop", `session:${session}`]) assert.include(ran.out, account)
      const json = JSON.parse((yield* aosiq(["show", ticket, "--json"])).out)
      assert.deepStrictEqual(Object.keys(json), ["ticket", "accounts"])
      assert.deepInclude(yield* aosiq(["show", "T-none"]), { code: 1 })
    }).pipe(Effect.provide(app())))
})

describe("aosiq approvals rules", () => {
  const add = ["rules", "add", "--act", "refund", "--capability", "tool:refund", "--uses", "1", "--for", "2 hours"]

  it.effect("make, show, list and revoke rules, and say what each approved", () =>
    Effect.gen(function*() {
      const made = yield* aosiq([
        ...add,
        "--where",
        `/order="A-1"`,
        "--where",
        "/order=A-2",
        "--json",
        "--reason",
        "ok"
      ])
      assert.strictEqual(made.code, 0, made.err)
      const rule = JSON.parse(made.out)
      assert.deepInclude(rule.terms, {
        actor: "*",
        act: "refund",
        capabilities: ["tool:refund"],
        where: [{ at: "/order", oneOf: ["A-1", "A-2"] }],
        maxUses: 1,
        expiresAt: 7_200_000
      })
      const dispatch = yield* Dispatch.Dispatch
      const order = { grant: Grant.make(["tool:refund", "tool:close"]), caller: "shop" }
      const ended = yield* dispatch.start(Shop, { order: "A-2" }, order)
      assert.deepInclude(ended, { _tag: "Succeeded" })
      assert.deepStrictEqual(done, ["refund A-2"])
      const list = yield* aosiq(["rules", "list"])
      assert.match(list.out, new RegExp(`${rule.id} +used up +refund +\\* +1 of 1`))
      const show = yield* aosiq(["rules", "show", rule.id])
      assert.include(show.out, `where      /order is "A-1" or "A-2"`)
      assert.match(show.out, new RegExp(`\\n {2}1 {2}\\S+ \\S+ UTC {2}${ended.session}/\\d+$`))
      assert.match((yield* aosiq(["rules", "revoke", rule.id])).out, /is revoked/)
      assert.match((yield* aosiq(["rules", "revoke", rule.id])).err, /revoked already/)
      assert.lengthOf(JSON.parse((yield* aosiq(["rules", "list", "--json"])).out), 1)
    }).pipe(Effect.provide(app())))

  it.effect("need as many people as the policy wants", () =>
    Effect.gen(function*() {
      const made = yield* aosiq([...add, "--json"])
      const { id } = JSON.parse(made.out)
      assert.match((yield* aosiq(["rules", "approve", id])).err, /already decided/)
      assert.match((yield* aosiq(["rules", "approve", id, "--by", "grace"])).out, /stands: 1 act of refund until/)
      assert.match((yield* aosiq(["rules", "approve", "R-none"])).err, /there is no rule R-none/)
    }).pipe(Effect.provide(app({ approvers: 2 }))))

  for (
    const [name, args, expected] of [
      ["a capability that is none", [...add, "--capability", "refund"], /refund is no capability/],
      ["a time that is none", [...add.slice(0, -1), "soon"], /soon is no time/],
      ["no time at all", [...add.slice(0, -1), "0 hours"], /is no time/],
      ["a condition that is none", [...add, "--where", "order=1"], /order=1 is no condition/],
      ["a condition without a value", [...add, "--where", "/order"], /\/order is no condition/],
      ["a definition that is no hash", [...add, "--definition", "abc"], /definition/],
      ["no uses", [...add.slice(0, 7), "0", "--for", "2 hours"], /maxUses/]
    ] as const
  ) {
    it.effect(`refuse ${name}, and make no rule`, () =>
      Effect.gen(function*() {
        const ran = yield* aosiq(args)
        assert.strictEqual(ran.code, 2, ran.out)
        assert.match(ran.err, expected)
        assert.strictEqual((yield* aosiq(["rules", "list"])).out, "no rules")
      }).pipe(Effect.provide(app())))
  }

  it.effect("refuse a rule without a time, a number or a capability", () =>
    Effect.gen(function*() {
      for (const [from, to] of [[3, 5], [5, 7], [7, 9]] as const) {
        const args = [...add.slice(0, from - 1), ...add.slice(to - 1)]
        assert.strictEqual((yield* aosiq(args)).code, 1, args.join(" "))
      }
      assert.strictEqual((yield* aosiq(["rules", "list"])).out, "no rules")
    }).pipe(Effect.provide(app())))
})

/** A terminal at which somebody presses these keys. */
const keyboard = (terminal: Terminal.Terminal, answers: ReadonlyArray<string>): Terminal.Terminal => ({
  ...terminal,
  display: () => Effect.void,
  readInput: Effect.map(Queue.unbounded<Terminal.UserInput, Cause.Done>(), (queue) => {
    for (const name of answers) {
      Queue.offerUnsafe(queue, { input: Option.some(name), key: { name, ctrl: false, meta: false, shift: false } })
    }
    return queue
  })
})
