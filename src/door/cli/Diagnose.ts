/** `aosiq start`: run the runtime, diagnose, print the proposal with its evidence, the cost and the verdict on the chain. */
import { Clock, Console, Effect, Option, Schema, Stream } from "effect"
import { Advice } from "../../agents/advisor/index.ts"
import { MicroUsd } from "../../cost/index.ts"
import type { Ticket } from "../../approval/index.ts"
import type { Operations } from "../../operator/index.ts"
import type { Dispatch } from "../../session/index.ts"
import * as Print from "./Print.ts"
import * as Progress from "./Progress.ts"
import { type Client, type Order, Runtime, RuntimeError } from "./Runtime.ts"

/** How the command behaves. */
export interface Mode {
  readonly folder: string
  readonly once: boolean
  readonly json: boolean
}

/** What a program reads with `--json`: one object on standard output. */
export interface Outcome {
  readonly session: string
  readonly status: "succeeded" | "waiting" | "failed"
  readonly detail: string
  readonly backend: string
  readonly notice: string | null
  readonly advice: Advice.Advice | null
  readonly approvals: ReadonlyArray<Ticket.Ticket>
  readonly costMicroUsd: number
  readonly audit: Operations.Report
}

/** Runs the command; keeps the runtime up afterwards unless `once`. */
export const diagnose = Effect.fnUntraced(function*(mode: Mode, order: Order) {
  const runtime = yield* Runtime
  const say = (line: string) => mode.json ? Console.error(line) : Console.log(line)
  const since = yield* Clock.currentTimeMillis
  yield* say(`AOSIQ · one process over ${mode.folder}`)
  const { client, diagnose, subject } = yield* runtime.start(mode.folder, order)
  yield* say(`diagnosing ${subject}`)
  yield* Effect.forkScoped(Stream.runForEach(Progress.follow(client, since), (line) => say(`  ${line}`)))
  const ended = yield* diagnose
  yield* Effect.sleep("600 millis") // Lets the last lines of progress arrive before the result.
  const outcome = yield* Effect.mapError(gather(client, order, ended), (error) =>
    new RuntimeError({ detail: error.message, remedy: "start again" }))
  yield* mode.json ? Console.log(JSON.stringify(outcome, null, 2)) : tell(mode, outcome)
  if (outcome.status === "failed" || !outcome.audit.ok) {
    return yield* new RuntimeError({ detail: outcome.detail || "the chain does not verify", remedy: "see above" })
  }
  if (mode.once) return
  yield* say("the runtime stays up for approvals; Ctrl-C stops it")
  return yield* Effect.never
})

// internal

const gather = Effect.fnUntraced(function*(client: Client, order: Order, ended: Dispatch.Ended<unknown>) {
  const sessions = yield* client.sessions_list()
  const advisor = sessions.find(({ actor, parent }) => actor === "OperationalAdvice" && parent === ended.session)
  const result = advisor === undefined ? null : yield* client.session_result({ session: advisor.id })
  const tickets = yield* client.approvals_list()
  const accounts = yield* client.cost_summary()
  return {
    session: ended.session,
    status: ended._tag === "Succeeded" ? "succeeded" : ended._tag === "Waiting" ? "waiting" : "failed",
    detail: ended._tag === "Failed" ? ended.detail : "",
    backend: order.backend,
    notice: order.backend === "offline" ? "offline baseline: these are rules, not a model" : null,
    advice: result === null ? null : Option.getOrNull(Schema.decodeUnknownOption(Advice.Advice)(result)),
    approvals: tickets.filter((ticket) => ticket.session === ended.session && ticket.state === "proposed"),
    costMicroUsd: accounts.find(({ id }) => id === `session:${ended.session}`)?.spent ?? 0,
    audit: yield* client.audit_verify()
  } satisfies Outcome as Outcome
})

const tell = Effect.fnUntraced(function*(mode: Mode, outcome: Outcome) {
  yield* Console.log("")
  if (outcome.notice !== null) yield* Console.log(`[${outcome.notice}]\n`)
  yield* Console.log(outcome.advice === null ? `no proposal: ${outcome.detail}` : Print.advice(outcome.advice))
  yield* Console.log(`\ncost: ${MicroUsd.format(outcome.costMicroUsd)}`)
  yield* Console.log(Print.report(outcome.audit))
  for (const ticket of outcome.approvals) {
    const data = mode.folder === ".aosiq" ? "" : ` --data ${mode.folder}`
    yield* Console.log([
      "",
      `${ticket.act} waits for a person. It has not run.`,
      `  look:     npx aosiq approvals show ${ticket.id}${data}`,
      `  approve:  npx aosiq approvals approve ${ticket.id}${data}`,
      `  deny:     npx aosiq approvals deny ${ticket.id} --reason "…"${data}`
    ].join("\n"))
  }
})
