/** `aosiq start`: run the runtime, diagnose, print the proposal with its evidence, the cost and the verdict on the chain. */
import { Clock, Console, Effect, Fiber, Option, Schedule, Schema } from "effect"
import { Advice } from "../../agents/advisor/index.ts"
import type { Ticket } from "../../approval/index.ts"
import type { Row } from "../../audit/index.ts"
import { MicroUsd } from "../../cost/index.ts"
import { Explain, Operations } from "../../operator/index.ts"
import type { Dispatch } from "../../session/index.ts"
import * as Next from "./Next.ts"
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
  readonly session: Operations.RunView["session"]
  readonly status: Operations.RunView["status"]
  /** The ticket or the act that it waits for, when it goes on, or why it ended. */
  readonly detail: string
  /** What stopped it, where it would have gone on, and what it had come to by then: unchecked. */
  readonly stop: Operations.RunView["stop"]
  readonly partial: Operations.RunView["partial"]
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
  const say = (line: string) => mode.json ? Console.error(Print.plain(line)) : Console.log(Print.plain(line))
  yield* say(`AOSIQ · one process over ${mode.folder}`)
  const { client, diagnose, recover, subject } = yield* runtime.start(mode.folder, order)
  const news = yield* Progress.make(client)
  // Progress is for the eye: a look that fails is made up for by the next.
  const show = news.pipe(
    Effect.flatMap((lines) => Effect.forEach(lines, (line) => say(`  ${line}`), { discard: true })),
    Effect.ignore,
    Effect.uninterruptible
  )
  const watch = Effect.repeat(show, Schedule.spaced(pace))
  const watching = yield* Effect.forkScoped(watch)
  for (const run of yield* Effect.catch(recover, unrecovered)) {
    yield* say(`session ${run.session} was left behind by a process that stopped; it ${Print.standing(run)}`)
  }
  const since = yield* Clock.currentTimeMillis
  yield* say(`diagnosing ${subject}`)
  const ended = yield* diagnose
  yield* Fiber.interrupt(watching)
  yield* show
  const outcome = yield* Effect.mapError(gather(client, { ...order, since }, ended), lost)
  yield* mode.json ? Console.log(Print.json(outcome, 2)) : tell(mode, outcome)
  if (!outcome.audit.ok) {
    return yield* new RuntimeError(Print.verdict(outcome.audit))
  }
  if (outcome.status === "failed") {
    return yield* new RuntimeError({
      detail: `the diagnosis failed: ${outcome.detail}`,
      remedy: Next.remedy(outcome.stop)
    })
  }
  if (mode.once) return
  yield* say("\nthe runtime stays up for approvals; Ctrl-C stops it")
  yield* watch
})

// internal

/** How often new rows are asked for. */
const pace = "250 millis"

const lost = (error: unknown) => {
  const { detail, remedy } = Explain.explain(error)
  return new RuntimeError({ detail, remedy: remedy || "start again" })
}

/** What an earlier process left behind does not keep a new diagnosis from being made. */
const unrecovered = ({ detail, remedy }: RuntimeError) =>
  Effect.as(Console.error(`warning: not every earlier session could go on: ${detail}; ${remedy}`), [])

const gather = Effect.fnUntraced(function*(
  client: Client,
  { backend: first, since }: Pick<Order, "backend"> & { readonly since: number },
  ended: Dispatch.Ended<unknown>
) {
  const sessions = yield* client.sessions_list({ since })
  const advisor = sessions.find(({ actor, parent }) => actor === "OperationalAdvice" && parent === ended.session)
  const result = advisor === undefined ? null : yield* client.session_result({ session: advisor.id })
  const rows = advisor === undefined ? [] : yield* client.session_rows({ session: advisor.id })
  const backend = answering(rows) ?? first
  const tickets = yield* client.approvals_list({})
  const accounts = yield* client.cost_summary()
  return {
    ...Operations.standing(ended),
    backend,
    notice: backend === "offline" ? "offline baseline: these are rules, not a model" : null,
    advice: result === null ? null : Option.getOrNull(Schema.decodeUnknownOption(Advice.Advice)(result)),
    approvals: tickets.filter(({ session, state }) =>
      state === "proposed" && (session === ended.session || session.startsWith(`${ended.session}.`))
    ),
    costMicroUsd: accounts.find(({ id }) => id === `session:${ended.session}`)?.spent ?? 0,
    audit: yield* client.audit_verify()
  } satisfies Outcome as Outcome
})

/** Whose answer the conclusion was: of a plan, another backend's than the first. */
const answering = (rows: ReadonlyArray<Row.Row>): string | undefined =>
  rows.flatMap(({ body }) =>
    body.kind === "outcome" && body.status === "succeeded" && body.act.startsWith("model:") ? [body.act.slice(6)] : []
  ).at(-1)

const tell = Effect.fnUntraced(function*(mode: Mode, outcome: Outcome) {
  yield* Console.log("")
  if (outcome.notice !== null) yield* Console.log(`[${outcome.notice}]\n`)
  yield* Console.log(outcome.advice === null ? "no proposal was made" : Print.plain(Print.advice(outcome.advice)))
  if (outcome.partial !== null) yield* Console.log(Print.plain(Print.unfinished(outcome.partial)))
  yield* Console.log(`\ncost: ${MicroUsd.format(outcome.costMicroUsd)}`)
  yield* Console.log(Print.plain(Print.report(outcome.audit)))
  const data = mode.folder === ".aosiq" ? "" : ` --data ${Print.word(mode.folder)}`
  const open = [Next.steps(outcome, data), ...outcome.approvals.map((ticket) => Next.decision(ticket, data))]
  for (const lines of open) {
    if (lines.length > 0) yield* Console.log(Print.plain(["", ...lines].join("\n")))
  }
})
