/**
 * A reasoning run in a process of its own, over an embedded database: `killedProgram.ts ORDER`, where ORDER is JSON as in
 * `Order` below. It runs what is left in the log, or else starts the run; models and tools write what they are asked into a
 * file at once. Where it is told to hang it says so and waits to be killed. At the end it says how the run stands.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, Layer, Schema, Stream } from "effect"
import { LanguageModel } from "effect/ai"
import { appendFileSync, writeSync } from "node:fs"
import { KeySet } from "../../layers/jose/index.ts"
import { PgliteClient } from "../../layers/pglite/index.ts"
import { core, digest } from "../../layers/presets/Core.ts"
import { Migrate, SqlStore } from "../../layers/sql/index.ts"
import { Actor, Agent } from "../../src/actor/index.ts"
import { Log } from "../../src/audit/index.ts"
import type { Backend } from "../../src/backend/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { Store } from "../../src/governor/index.ts"
import { Operations } from "../../src/operator/index.ts"
import { Proposal } from "../../src/proposal/index.ts"
import { Dispatch, Mailbox } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import * as W from "../actor/world.ts"
import * as C from "../governor/commits.ts"

/** What the process is to do. */
export const Order = Schema.Struct({
  /** Keys, the file `asked`, and the database. */
  folder: Schema.String,
  /** Whether the model proposes something severe, or goes round in circles. */
  how: Schema.Literals(["proposes", "circles"]),
  /** Who hangs when asked, and at which of the questions that this process puts to it, from 0; nobody when null. */
  hangs: Schema.NullOr(Schema.Struct({ who: Schema.Literals(["proposer", "reviewer"]), at: Schema.Natural }))
})

/** How the run stands when the process ends. */
export const Report = Schema.Struct({
  status: Schema.String,
  stop: Schema.NullOr(Schema.String),
  detail: Schema.String,
  result: Schema.NullOr(Schema.Json),
  /** What each account of the session has spent and holds, and what the chain says that was spent. */
  spent: Schema.Array(Schema.Natural),
  reserved: Schema.Array(Schema.Natural),
  charged: Schema.Natural,
  /** Acts that began, and those that succeeded, in order. */
  begun: Schema.Array(Schema.String),
  succeeded: Schema.Array(Schema.String),
  /** What is wrong with the chain. */
  faults: Schema.Array(Schema.String)
})

const order = Schema.decodeSync(Schema.fromJsonString(Order))(process.argv[2] ?? "")

// Written at once: a line that waits in a buffer when the process is killed was never said.
const say = (what: Record<string, unknown>) => writeSync(1, `${JSON.stringify(what)}\n`)
const ask = (what: string) => appendFileSync(`${order.folder}/asked`, `${what}\n`)

// --- models ------------------------------------------------------------------

type Prompt = ReadonlyArray<W.Message>

/** A model that answers as `script` says. Fifteen tokens a call, and Anthropic's price for those of the reviewer. */
const model = <N extends Backend.Name>(
  who: "proposer" | "reviewer",
  as: Pick<Backend.Backend<N>, "name" | "model">,
  script: (prompt: Prompt) => W.Line
): Effect.Effect<Backend.Backend<N>> =>
  Effect.gen(function*() {
    let asked = 0
    const languageModel = yield* LanguageModel.make({
      generateText: ({ prompt }) =>
        Effect.suspend(() => {
          ask(who)
          if (order.hangs?.who === who && order.hangs.at === asked++) {
            say({ hanging: who })
            return Effect.never
          }
          const seen: Prompt = JSON.parse(JSON.stringify(prompt.content))
          return Effect.succeed(W.partsOf(script(seen), seen.length))
        }),
      streamText: () => Stream.empty
    })
    return { ...as, notice: null, maxOutputTokens: 100, languageModel }
  })

const proposal = (prompt: Prompt) => {
  const stamp = JSON.stringify(prompt).match(/ses_\w+\/\d+/)?.at(0) ?? "none"
  const claim = { text: "seen disk 93", evidence: [{ stamp, quote: "seen disk 93" }] }
  return W.conclude({ title: "t", summary: "s", severity: "high", confidence: 0.5, claims: [claim], risks: [] })
}
const proposes = (prompt: Prompt): W.Line =>
  prompt.some(({ role }) => role === "tool") ? proposal(prompt) : { calls: [W.look("disk 93")] }
const circles = (prompt: Prompt): W.Line => ({
  calls: [W.look(prompt.filter(({ role }) => role === "assistant").length % 2 === 0 ? "a" : "b")]
})

// --- the actor ---------------------------------------------------------------

const Proposer = Agent.make("Proposer", {
  description: "proposes",
  input: Schema.String,
  output: Schema.Struct(Proposal.base),
  tools: [W.Look],
  backends: ["scripted"],
  instructions: "propose",
  task: (task: string) => task,
  secondOpinion: { backends: ["anthropic"] }
})
const grant = Grant.make(["tool:look", "backend:scripted", "backend:anthropic"])
const look = Tool.layer(W.Look, ({ at }) => Effect.sync(() => (ask(`look ${at}`), `seen ${at}`)))

const runtime = core(Mailbox.layerLocal).pipe(
  Layer.provideMerge(SqlStore.layer.pipe(Layer.provide(Layer.effectDiscard(Migrate.migrate)))),
  Layer.provideMerge(PgliteClient.layer(order.folder)),
  Layer.provideMerge(KeySet.layer(order.folder)),
  Layer.provideMerge(digest),
  Layer.provideMerge(NodeServices.layer)
)

// --- what it does ------------------------------------------------------------

const report = Effect.fnUntraced(function*(ended: Dispatch.Ended<unknown>) {
  const log = yield* Log.Log
  const store = yield* Store.Store
  const rows = yield* log.rows(ended.session)
  const accounts = yield* store.accounts
  const bodies = rows.map(({ body }) => body)
  const { detail, status, stop } = Operations.standing(ended)
  const result = ended._tag === "Succeeded" ? Schema.decodeUnknownSync(Schema.Json)(ended.output) : null
  return Report.make({
    status,
    stop,
    detail,
    result,
    spent: accounts.map(({ spent }) => spent),
    reserved: accounts.map(({ reserved }) => reserved),
    charged: bodies.reduce(
      (sum, body) => sum + (body.kind === "outcome" || body.kind === "settled" ? body.costMicroUsd : 0),
      0
    ),
    begun: bodies.flatMap((body) => body.kind === "intent" ? [body.act] : []),
    succeeded: W.succeeded(rows),
    faults: C.faults(rows)
  })
})

NodeRuntime.runMain(
  Effect.gen(function*() {
    const proposer = yield* model(
      "proposer",
      { name: "scripted", model: "script" },
      order.how === "proposes" ? proposes : circles
    )
    const reviewer = yield* model("reviewer", { name: "anthropic", model: "claude-sonnet-4-5" }, () => ({
      calls: [W.call("opinion", { verdict: "agree", reasons: ["it follows"] })]
    }))
    const actor = yield* Agent.on(Proposer, proposer, reviewer)
    const ended = yield* Effect.gen(function*() {
      const dispatch = yield* Dispatch.Dispatch
      const [left] = yield* dispatch.recover
      return left ?? (yield* dispatch.start(actor, "go", { grant, caller: "ada" }))
    }).pipe(Effect.provide(Actor.layer(actor).pipe(Layer.provide(look))))
    say({ report: yield* report(ended) })
  }).pipe(Effect.provide(runtime)),
  { disableErrorReporting: false }
)
