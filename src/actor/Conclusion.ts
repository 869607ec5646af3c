/**
 * Whether a conclusion is accepted: enough was looked at, it decodes, its class has no objection, every claim of it stands in
 * what was recorded and shown, and whoever gives a second opinion agrees. What is not accepted goes back with all reasons.
 */
import { Effect, Result } from "effect"
import type { Gate } from "../approval/index.ts"
import { Digest, type Log } from "../audit/index.ts"
import type { Backend, Plan } from "../backend/index.ts"
import { Evidence } from "../evidence/index.ts"
import { branch, type Governor, GovernorError, Refusal, Session } from "../governor/index.ts"
import { Opinion } from "../proposal/index.ts"
import { type Plain, Tool } from "../tool/index.ts"
import { Redact, Spotlight } from "../trust/index.ts"
import { ActorError } from "./ActorError.ts"
import type { Thread } from "./Reasoner.ts"
import * as SecondOpinion from "./SecondOpinion.ts"
import { conversation, notRun, rejected, reply, stopped } from "./Thread.ts"
import { stamps } from "./Transcript.ts"

/** What a class says of its conclusions. */
export interface Rules<Out extends Plain, R, Reviewers extends Backend.Name, Escalates extends boolean> {
  readonly name: string
  readonly output: Out
  readonly bounds: { readonly minEvidence: number; readonly maxRejections: number }
  readonly check: (output: Out["Type"]) => Effect.Effect<ReadonlyArray<string>, GovernorError, R>
  readonly claims: (output: Out["Type"]) => ReadonlyArray<Evidence.Claim>
  readonly secondOpinion: Opinion.Policy<Reviewers, Escalates, Out["Type"]> | undefined
}

/** The gate, where a class has people decide. */
export type Gated<Escalates extends boolean> = Escalates extends true ? Gate.Gate : never

/** What a conclusion is judged with. */
export type Requirements<R, B extends Backend.Name, Escalates extends boolean> =
  | R
  | Evidence.Evidence
  | Gated<Escalates>
  | Backend.Requirements<B>

/** The tool by which a model ends its run. It is never executed: its arguments are the conclusion. */
export const concludeName = "conclude"

/** The thread after its conclusion was judged. */
export const conclude = <Out extends Plain, R, Reviewers extends Backend.Name, B extends Reviewers, E extends boolean>(
  rules: Rules<Out, R, Reviewers, E>,
  reviewer: Backend.Backend<B> | Plan.Plan<B> | undefined,
  thread: Thread
): Effect.Effect<Thread, ActorError | GovernorError, Requirements<R, B, E>> =>
  Effect.gen(function*() {
    const call = thread.pending.find((pending) => pending.name === concludeName)
    if (call === undefined) return { ...thread, pending: [] }
    const codec = Tool.codec(rules.output)
    // Calls beside a conclusion are not run: every call of a turn gets an answer, as providers demand.
    const others = thread.pending.filter((pending) => pending !== call)
    const cleared = notRun({ ...thread, pending: others }, "the turn concluded")
    const back = (reasons: ReadonlyArray<string>, shown: ReadonlyArray<string> = reasons) =>
      rejected(
        rules.bounds,
        reply(cleared, call, true, { error: "not accepted", reasons: shown }),
        reasons.join("; ")
      )
    const { minEvidence } = rules.bounds
    if (thread.gathered < minEvidence) {
      return back([`gather evidence first: ${thread.gathered} of ${minEvidence} tool calls succeeded`])
    }
    const decoded = yield* Effect.result(codec.decode(call.params))
    if (Result.isFailure(decoded)) return back([decoded.failure])
    const output = decoded.success
    const objections = yield* rules.check(output)
    const verdicts = yield* examined(rules.claims(output), thread)
    const all = [...objections, ...new Set(verdicts.flatMap((verdict) => verdict.objections))]
    if (all.length > 0) return back(all)
    const proposal = yield* Effect.orDie(codec.encode(output))
    const accepted = { ...cleared, conclusion: { output: proposal } }
    if (reviewer === undefined || rules.secondOpinion === undefined || !needs(rules.secondOpinion, output)) {
      return accepted
    }
    const judged = yield* opinion(rules.name, reviewer, { proposal, verdicts })
    if ("layer" in judged) return stopped(cleared, "budget", `its budget has ended: ${judged.detail}`)
    if (judged.verdict === "agree") return accepted
    if (rules.secondOpinion.escalates !== true) {
      return back(["a second opinion disagrees"], yield* said(judged))
    }
    return yield* decided<E>({ proposal, verdicts }, judged).pipe(
      Effect.as(accepted),
      Effect.catchIf(isDenied, ({ reason }) => Effect.succeed(back([Refusal.explain(reason)], told(reason))))
    )
  })

// internal

const needs = <Output>({ needs }: Opinion.Policy<string, boolean, Output>, output: Output) =>
  (needs ?? Opinion.isSevere)(output)

/** The claims against what this conversation was shown: whatever else the log has by now, a later run judges the same. */
const examined = (
  claims: ReadonlyArray<Evidence.Claim>,
  thread: Thread
): Effect.Effect<ReadonlyArray<Evidence.Verdict>, GovernorError, Session | Evidence.Evidence> =>
  claims.length === 0 ? Effect.succeed([]) : Effect.gen(function*() {
    const session = yield* Session
    const evidence = yield* Evidence.Evidence
    const shown = stamps(yield* conversation(thread))
    return yield* Effect.mapError(evidence.examine(session.id, claims, { shown }), unread)
  })

const unread = ({ detail, remedy }: Log.LogError) =>
  new GovernorError({ act: concludeName, reason: new Refusal.LogUnavailable({ ran: false, detail, remedy }) })

/** The opinion; that there is no money for one; or, where nobody can be asked, the end of the run. */
const opinion = <B extends Backend.Name>(
  name: string,
  reviewer: Backend.Backend<B> | Plan.Plan<B>,
  judged: SecondOpinion.Case
): Effect.Effect<Opinion.Opinion | Refusal.Refused, ActorError | GovernorError, Backend.Requirements<B>> =>
  SecondOpinion.ask(reviewer, judged).pipe(
    branch("opinion"),
    Effect.catchIf(Refusal.isOverBudget, ({ reason }) => Effect.succeed(reason)),
    Effect.catchTag(
      ["BackendError", "UnknownModel"],
      (error) =>
        new ActorError({ actor: name, detail: `there is no second opinion: ${error.message}`, abandoned: false })
    )
  )

/** What the other model said, as a model is shown it: as data. */
const said = Effect.fnUntraced(function*({ reasons }: Opinion.Opinion) {
  const session = yield* Session
  const mark = Spotlight.mark(yield* Digest.Digest, session.markedAs())
  const text = Redact.redact(reasons.join("\n"))
  return ["a second opinion disagrees", Spotlight.wrap(text, { mark, source: "second_opinion" })]
})

const decided = <E extends boolean>(
  judged: SecondOpinion.Case,
  opinion: Opinion.Opinion
): Effect.Effect<void, GovernorError, Gated<E> | Governor | Session | Digest.Digest> =>
  // Only a class that escalates comes here, and its type asks for the gate; without one the Governor refuses.
  SecondOpinion.escalate(judged, opinion).pipe(branch("accept")) as never

const isDenied = (error: GovernorError): error is GovernorError & { readonly reason: Refusal.Refused } =>
  error.reason._tag === "Refused"

/** A refusal as a model is told it: what a person said is no instruction of ours. */
const told = ({ detail, layer, remedy, words }: Refusal.Refused): ReadonlyArray<string> =>
  words === undefined ? [`refused by ${layer}: ${detail}; ${remedy}`] : [`a person denied it; ${remedy}`]
