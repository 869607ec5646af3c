/**
 * Asks another backend about a proposal: a governed model call, reserved, recorded and answered from the log in a re-run,
 * whose prompt holds the proposal and the evidence that it cites, and nothing of the conversation. An answer that does not
 * decode is asked for again a bounded number of times; whoever gives none has not agreed.
 */
import { Effect, Schema } from "effect"
import { Prompt } from "effect/ai"
import { Digest } from "../audit/index.ts"
import { Backend, type BackendError, Plan } from "../backend/index.ts"
import type { Prices } from "../cost/index.ts"
import type { Evidence } from "../evidence/index.ts"
import { branch, Governor, type GovernorError, Session } from "../governor/index.ts"
import { Opinion } from "../proposal/index.ts"
import { Tool } from "../tool/index.ts"
import { Spotlight } from "../trust/index.ts"

/** What is judged. */
export interface Case {
  /** The proposal, as JSON. */
  readonly proposal: Schema.Json
  /** Its claims, each with what stands behind it. */
  readonly verdicts: ReadonlyArray<Evidence.Verdict>
}

/** Answers that do not decode, before somebody counts as having no opinion. */
export const maxTries = 2

/** What the backend says of it. */
export const ask = Effect.fnUntraced(function*<B extends Backend.Name>(
  reviewer: Backend.Backend<B> | Plan.Plan<B>,
  { proposal, verdicts }: Case
): Effect.fn.Return<
  Opinion.Opinion,
  GovernorError | BackendError.BackendError | Prices.UnknownModel,
  Backend.Requirements<B>
> {
  const digest = yield* Digest.Digest
  const session = yield* Session
  let parts = 0
  const wrap = (text: string, source: string) =>
    Spotlight.wrap(text, {
      mark: Spotlight.mark(digest, session.markedAs(`/shown-${parts++}`)),
      source
    })
  const content = Opinion.brief(digest.canonical(proposal), verdicts, wrap)
  const messages: Array<Schema.Json> = [
    { role: "system", content: `${Opinion.instructions}\n\n${Spotlight.notice}` },
    { role: "user", content: [{ type: "text", text: content }] }
  ]
  for (let tried = 0; tried < maxTries; tried++) {
    const prompt = yield* Effect.orDie(Schema.decodeUnknownEffect(Prompt.Prompt)({ content: messages }))
    const { value: turn } = yield* Plan.generate(reviewer, { prompt, tools: [answer] }).pipe(branch(`asked-${tried}`))
    const call = turn.calls.find(({ name }) => name === Opinion.answerName)
    const opinion = yield* Effect.result(
      call === undefined ? Effect.fail(`it did not call ${Opinion.answerName}`) : codec.decode(call.params)
    )
    if (opinion._tag === "Success") return opinion.success
    messages.push(...again(turn, `that is no opinion: ${opinion.failure}`))
  }
  return { verdict: "disagree", reasons: ["it gave no answer that could be read"] }
})

/** The act by which people accept a proposal that was disagreed with: it cannot be undone, so it waits for them. */
export const acceptName = "accept_proposal"

/** Has people decide. Ends the run to wait for them; a denial is a refusal like any other. */
export const escalate = Effect.fnUntraced(function*({ proposal, verdicts }: Case, opinion: Opinion.Opinion) {
  const governor = yield* Governor
  const digest = yield* Digest.Digest
  const stamps = new Set(verdicts.flatMap(({ claim }) => claim.evidence.map(({ stamp }) => stamp)))
  const json: Schema.Json = { proposal, opinion: { verdict: opinion.verdict, reasons: [...opinion.reasons] } }
  yield* governor.act({
    name: acceptName,
    description: "accept a proposal that a second opinion disagrees with",
    capabilities: [],
    reversible: false,
    schema: digest.sha256(acceptName),
    decode: Effect.succeed({ args: json, json }),
    reserve: 0,
    bill: () => ({ costMicroUsd: 0 }),
    timeoutMs: 1000,
    // Accepting changes nothing but what is known to be accepted: it may be repeated.
    idempotent: true,
    trust: "trusted",
    reasons: { text: "a second opinion disagrees with it", evidence: [...stamps].slice(0, maxStamps) },
    run: () => Effect.succeed("accepted"),
    success: accepted,
    failure: never
  })
})

// internal

/** What the backend is told when it is asked once more: its own turn, and what is wrong with it. */
const again = (turn: Backend.Turn, why: string): ReadonlyArray<Schema.Json> => {
  const content = Backend.said(turn)
  const answered = turn.calls.map(({ id, name }) => ({ type: "tool-result", id, name, isFailure: true, result: why }))
  return [
    ...content.length === 0 ? [] : [{ role: "assistant", content }],
    ...answered.length === 0
      ? [{ role: "user", content: [{ type: "text", text: why }] }]
      : [{ role: "tool", content: answered }]
  ]
}

/** Stamps that approvers are shown; the proposal holds all of them. */
const maxStamps = 20

const codec = Tool.codec(Opinion.Opinion)
const accepted = Tool.codec(Schema.String)
const never = Tool.codec(Schema.Never)
const answer: Backend.Offered = {
  name: Opinion.answerName,
  description: "Give your opinion on the proposal.",
  params: Opinion.Opinion
}
