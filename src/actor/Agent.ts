/**
 * A reasoning actor: a model that thinks, acts through governed tools and concludes with a typed result. What it may call
 * and which backends it may run on are in its type. A conclusion that does not decode, or that its class objects to, goes
 * back to the model a bounded number of times; then the agent gives up, honestly.
 */
import { Effect, Schema } from "effect"
import type { Prompt } from "effect/ai"
import { Digest, Row } from "../audit/index.ts"
import { Backend, Plan } from "../backend/index.ts"
import { Evidence, LoopGuard } from "../evidence/index.ts"
import { branch, Governor, GovernorError, maxCited, Refusal, Session } from "../governor/index.ts"
import { type Opinion, Proposal } from "../proposal/index.ts"
import { type Plain, Tool } from "../tool/index.ts"
import { Drift, Label, Spotlight } from "../trust/index.ts"
import { type Actor, define } from "./Actor.ts"
import { ActorError } from "./ActorError.ts"
import * as Conclusion from "./Conclusion.ts"
import { type Pending, Reasoner, type Thread } from "./Reasoner.ts"
import type { Policy } from "./Supervision.ts"
import { conversation, notRun, rejected, reply, stopped } from "./Thread.ts"
import * as Transcript from "./Transcript.ts"
import * as Unfinished from "./Unfinished.ts"

/** Limits of one run; what goes beyond one of them ends it as abandoned, with what stopped it. */
export interface Bounds extends LoopGuard.Bounds {
  /** Model calls. */
  readonly maxSteps: number
  /** Tokens of the model calls together, in and out. */
  readonly maxTokens: number
  /** Refused acts and rejected conclusions before the agent gives up. */
  readonly maxRejections: number
  /** Different tool calls that must have read something of the world before any conclusion is accepted. */
  readonly minEvidence: number
}

/** Twelve steps, a million tokens, three rejections, nothing demanded; circles as `LoopGuard.standard` has them. */
export const standardBounds: Bounds = {
  ...LoopGuard.standard,
  maxSteps: 12,
  maxTokens: 1_000_000,
  maxRejections: 3,
  minEvidence: 0
}

/** How a model is shown what tools answer. */
export interface Spotlighting {
  /**
   * Whether a sign stands for every space, so that each word says that it is data. It costs tokens, and what a model copies
   * from such a text carries the sign: leave it off where quotes must hold.
   */
  readonly datamark: boolean
}

/** From which score on a session is paused that has moved away from what it was asked for. */
export interface Watch {
  readonly threshold: number
}

/** A reasoning class, not yet on a backend. */
export interface Agent<
  Name extends string,
  In extends Plain,
  Out extends Plain,
  Tools extends ReadonlyArray<Tool.Any>,
  Backends extends Backend.Name,
  R,
  Reviewers extends Backend.Name = never,
  Escalates extends boolean = false
> {
  readonly name: Name
  readonly description: string
  readonly input: In
  readonly output: Out
  readonly tools: Tools
  readonly backends: ReadonlyArray<Backends>
  /** Groups that the class's own data is for: it goes to backends that cover all of these, and to no others. */
  readonly readers: ReadonlyArray<string>
  readonly instructions: string
  readonly task: (input: In["Type"]) => string
  readonly bounds: Bounds
  readonly spotlight: Spotlighting
  readonly drift: Watch | null
  readonly timeoutMs: number
  readonly supervision: Partial<Policy> | undefined
  readonly check: (output: Out["Type"]) => Effect.Effect<ReadonlyArray<string>, GovernorError, R>
  /** What a conclusion claims: each must stand in what was recorded and shown. */
  readonly claims: (output: Out["Type"]) => ReadonlyArray<Evidence.Claim>
  readonly secondOpinion: Opinion.Policy<Reviewers, Escalates, Out["Type"]> | undefined
}

/**
 * Defines a reasoning class. `check` lists what is wrong with a conclusion; an empty list accepts it. The claims in a field
 * `claims` of a conclusion are verified, unless `claims` says where they are.
 */
export const make = <
  const Name extends string,
  In extends Plain,
  Out extends Plain,
  const Tools extends ReadonlyArray<Tool.Any>,
  const Backends extends Backend.Name,
  R = never,
  const Reviewers extends Backend.Name = never,
  const Escalates extends boolean = false
>(name: Name, options: {
  readonly description: string
  readonly input: In
  readonly output: Out
  readonly tools: Tools
  readonly backends: ReadonlyArray<Backends>
  readonly readers?: ReadonlyArray<string>
  readonly instructions: string
  readonly task: (input: In["Type"]) => string
  readonly bounds?: Partial<Bounds>
  readonly spotlight?: Partial<Spotlighting>
  /** When a session of it is paused for people to look; `null` for never. */
  readonly drift?: Watch | null
  readonly timeoutMs?: number
  readonly supervision?: Partial<Policy> | undefined
  readonly check?: (output: Out["Type"]) => Effect.Effect<ReadonlyArray<string>, GovernorError, R>
  readonly claims?: (output: Out["Type"]) => ReadonlyArray<Evidence.Claim>
  readonly secondOpinion?: Opinion.Policy<Reviewers, Escalates, Out["Type"]> | undefined
}): Agent<Name, In, Out, Tools, Backends, R, Reviewers, Escalates> => ({
  ...options,
  name,
  readers: options.readers ?? [],
  bounds: { ...standardBounds, ...options.bounds },
  spotlight: { datamark: false, ...options.spotlight },
  drift: options.drift === undefined ? { threshold: Drift.threshold } : options.drift,
  timeoutMs: options.timeoutMs ?? 1_800_000,
  supervision: options.supervision,
  check: options.check ?? (() => Effect.succeed([])),
  claims: options.claims ?? Proposal.claimsOf,
  secondOpinion: options.secondOpinion
})

/** The backend is not on the class's list, or is to judge its own proposals; nothing was made. */
export class BackendNotAllowed extends Schema.TaggedError<BackendNotAllowed>()("BackendNotAllowed", {
  agent: Schema.String,
  backend: Schema.String,
  allowed: Schema.Array(Schema.String)
}) {}

/**
 * Puts a class on a backend of its list, or on a plan of several; and, where it wants second opinions, on one that gives
 * them, which is not the same model.
 */
export const on = <
  Name extends string,
  In extends Plain,
  Out extends Plain,
  Tools extends ReadonlyArray<Tool.Any>,
  Backends extends Backend.Name,
  R,
  B extends Backends,
  Reviewers extends Backend.Name = never,
  Escalates extends boolean = false,
  B2 extends Reviewers = never
>(
  agent: Agent<Name, In, Out, Tools, Backends, R, Reviewers, Escalates>,
  backend: Backend.Backend<B> | Plan.Plan<B>,
  ...second: [Reviewers] extends [never] ? [] : [reviewer: Backend.Backend<B2> | Plan.Plan<B2>]
): Effect.Effect<
  Actor<
    Name,
    In,
    Out,
    Tool.CapabilitiesOf<Tools[number]> | `backend:${B | B2}`,
    Requirements<Tools[number], R, B | B2, Escalates>
  >,
  BackendNotAllowed
> => {
  const [reviewer]: ReadonlyArray<Backend.Backend<B2> | Plan.Plan<B2>> = second
  const own = Plan.backendsOf(backend)
  const others = reviewer === undefined ? [] : Plan.backendsOf(reviewer)
  const reviewers = agent.secondOpinion?.backends ?? []
  const refuse = (name: string, allowed: ReadonlyArray<string>) =>
    Effect.fail(new BackendNotAllowed({ agent: agent.name, backend: name, allowed }))
  const stray = own.find(({ name }) => !agent.backends.includes(name))
  if (stray !== undefined) return refuse(stray.name, agent.backends)
  const odd = others.find((other) => !reviewers.includes(other.name) || own.some((one) => isSame(one, other)))
  if (odd !== undefined) return refuse(odd.name, reviewers)
  if (agent.secondOpinion !== undefined && reviewer === undefined) return refuse("none", reviewers)
  const names = [...own, ...others].map(({ name }) => name)
  return Effect.succeed({
    ...define({
      name: agent.name,
      description: agent.description,
      input: agent.input,
      output: agent.output,
      capabilities: [...Tool.capabilitiesOf(agent.tools), ...names.map(capabilityOf)],
      readers: agent.readers,
      tools: agent.tools,
      timeoutMs: agent.timeoutMs,
      supervision: agent.supervision
    }),
    run: (input) =>
      reason<Out, Tools[number], R, B, Reviewers, B2, Escalates, In["Type"]>(agent, backend, reviewer, input)
  })
}

export { concludeName } from "./Conclusion.ts"
export { acceptName } from "./SecondOpinion.ts"

/** What an agent's body needs. */
export type Requirements<T extends Tool.Any, R, B extends Backend.Name, Escalates extends boolean> =
  | Tool.Requirements<T>
  | Reasoner
  | Conclusion.Requirements<R, B, Escalates>

// internal

const capabilityOf = <B extends Backend.Name>(name: B) => `backend:${name}` as const

/** Whether both are one model. What plays back recordings is nobody's model, and may stand for both. */
const isSame = (one: Backend.Backend<Backend.Name>, other: Backend.Backend<Backend.Name>): boolean =>
  one.name !== "recorded" && one.name === other.name && one.model === other.model

/** What the steps before a conclusion look at. */
interface Acting<T extends Tool.Any> {
  readonly name: string
  readonly output: Plain
  readonly tools: ReadonlyArray<T>
  readonly bounds: Bounds
  readonly spotlight: Spotlighting
  readonly drift: Watch | null
}

/** What a run looks at. */
interface Reasoning<Out extends Plain, T extends Tool.Any, R, Reviewers extends Backend.Name, E extends boolean, Input>
  extends Conclusion.Rules<Out, R, Reviewers, E>
{
  readonly tools: ReadonlyArray<T>
  readonly bounds: Bounds
  readonly spotlight: Spotlighting
  readonly drift: Watch | null
  readonly instructions: string
  readonly task: (input: Input) => string
}

const reason = <
  Out extends Plain,
  T extends Tool.Any,
  R,
  B extends Backend.Name,
  Reviewers extends Backend.Name,
  B2 extends Reviewers,
  Escalates extends boolean,
  Input
>(
  agent: Reasoning<Out, T, R, Reviewers, Escalates, Input>,
  backend: Backend.Backend<B> | Plan.Plan<B>,
  reviewer: Backend.Backend<B2> | Plan.Plan<B2> | undefined,
  input: Input
): Effect.Effect<Out["Type"], ActorError | GovernorError, Requirements<T, R, B | B2, Escalates>> =>
  Effect.gen(function*() {
    const reasoner = yield* Reasoner
    const ended = yield* reasoner.run<Requirements<T, R, B | B2, Escalates>>({
      start: {
        messages: [
          { role: "system", content: `${agent.instructions}\n\n${Spotlight.noticeFor(agent.spotlight.datamark)}` },
          { role: "user", content: [{ type: "text", text: agent.task(input) }] }
        ],
        step: 0,
        pending: [],
        rejections: 0,
        gathered: 0,
        conclusion: null,
        gaveUp: null
      },
      route: (thread) => route(thread),
      maxNodeRuns: agent.bounds.maxSteps * 3,
      nodes: {
        think: (thread) => think(agent, backend, thread),
        act: (thread) => act(agent, thread),
        conclude: (thread) =>
          Effect.suspend(() => Conclusion.conclude(agent, reviewer, thread)).pipe(branch(`conclude-${thread.step}`))
      }
    })
    if (ended.conclusion === null) {
      const detail = ended.gaveUp ?? "the graph ended without a conclusion"
      const stopped = ended.stop === undefined
        ? {}
        : { stop: ended.stop, partial: Unfinished.of(agent.name, ended, Conclusion.concludeName) }
      return yield* new ActorError({ actor: agent.name, detail, abandoned: true, ...stopped })
    }
    return yield* Effect.mapError(
      Tool.codec(agent.output).decode(ended.conclusion.output),
      (detail) => new ActorError({ actor: agent.name, detail, abandoned: false })
    )
  })

const route = (thread: Thread) => {
  if (thread.conclusion !== null || thread.gaveUp !== null) return "end"
  if (thread.pending.length === 0) return "think"
  return thread.pending.some((call) => call.name === Conclusion.concludeName) ? "conclude" : "act"
}

const think = Effect.fnUntraced(function*<T extends Tool.Any, B extends Backend.Name>(
  agent: Acting<T>,
  backend: Backend.Backend<B> | Plan.Plan<B>,
  thread: Thread
): Effect.fn.Return<Thread, ActorError | GovernorError, Backend.Requirements<B>> {
  if (thread.step >= agent.bounds.maxSteps) {
    return stopped(thread, "steps", `no conclusion after ${thread.step} model calls`)
  }
  if (agent.drift !== null) yield* (yield* Governor).watch(agent.drift.threshold)
  const tokens = thread.tokens ?? 0
  if (tokens >= agent.bounds.maxTokens) return stopped(thread, "tokens", `no conclusion after ${tokens} tokens`)
  const prompt = yield* conversation(thread)
  const offered = [
    ...agent.tools,
    { name: Conclusion.concludeName, description: "End with this result.", params: agent.output }
  ]
  const asked = yield* Plan.generate(backend, { prompt, tools: offered }).pipe(
    branch(`think-${thread.step}`),
    // Money that has run out ends the run, with what it has come to; everything else that is refused is a failure.
    Effect.catchIf(Refusal.isOverBudget, ({ reason }) => Effect.succeed(reason)),
    Effect.catchTag(
      ["BackendError", "UnknownModel"],
      (error) =>
        new ActorError({ actor: agent.name, detail: `the model call failed: ${error.message}`, abandoned: false })
    )
  )
  if ("layer" in asked) return stopped(thread, "budget", `its budget has ended: ${asked.detail}`)
  const turn = asked.value
  const content = Backend.said(turn)
  const next: Thread = {
    ...thread,
    step: thread.step + 1,
    tokens: tokens + tokensOf(thread, turn),
    messages: content.length === 0 ? thread.messages : [...thread.messages, { role: "assistant", content }],
    pending: turn.calls
  }
  if (turn.calls.length === 0) {
    const nudge = {
      role: "user",
      content: [{ type: "text", text: `Call a tool, or call ${Conclusion.concludeName} to end.` }]
    }
    return rejected(agent.bounds, { ...next, messages: [...next.messages, nudge] }, "it called no tool")
  }
  // What a cut turn asked for may be less, or other, than what was meant.
  return turn.finish === "length" ? rejected(agent.bounds, notRun(next, cutOff), cutOff) : next
})

/** Where a vendor did not say, a token a byte. */
const tokensOf = (thread: Thread, turn: Backend.Turn): number =>
  turn.usage === null
    ? JSON.stringify(thread.messages).length + JSON.stringify(turn).length
    : turn.usage.input + turn.usage.output

const cutOff = "the turn was cut off at its length limit: ask for less at once"

const act = Effect.fnUntraced(function*<T extends Tool.Any>(agent: Acting<T>, thread: Thread) {
  const digest = yield* Digest.Digest
  const prompt = yield* conversation(thread)
  const reasons = reasonsIn(prompt)
  const { bounds } = agent
  const first = Transcript.calls(digest, prompt).length - thread.pending.length
  let after = { ...thread, pending: [] as ReadonlyArray<Pending> }
  for (const [index, call] of thread.pending.entries()) {
    if (after.gaveUp !== null) break
    const all = Transcript.calls(digest, yield* conversation(after))
    const earlier = all.slice(0, first + index)
    const asked = all[first + index]
    const loop = asked === undefined ? undefined : LoopGuard.before(asked.what, earlier, bounds)
    const answer = loop === undefined
      ? yield* execute(agent, call, reasons).pipe(branch(`act-${thread.step}-${index}`))
      : notAgain(loop)
    const isNew = !earlier.some(({ succeeded, what }) => what === asked?.what && succeeded === true)
    after = reply(after, call, answer.failed, answer.result)
    if (answer.failed) {
      const why = loop === undefined ? "was refused or failed" : `was not run: ${loop.detail}`
      after = rejected(bounds, after, `${call.name} ${why}`, loop?.kind)
    } else if (isNew && isGathering(agent, call.name)) after = { ...after, gathered: after.gathered + 1 }
  }
  const loop = LoopGuard.stale(Transcript.calls(digest, yield* conversation(after)), bounds)
  return loop === undefined || after.gaveUp !== null ? after : stopped(after, loop.kind, loop.detail)
})

const isGathering = ({ tools }: Acting<Tool.Any>, name: string): boolean =>
  tools.some((tool) => tool.name === name && Evidence.isGathering(tool.capabilities))

/** What the model said as it asked, with the stamps that it named: all that an approver learns of its reasons. */
const reasonsIn = ({ content }: Prompt.Prompt) => {
  const last = content.findLast((message) => message.role === "assistant")
  const text = last?.content.flatMap((part) => part.type === "text" ? [part.text] : []).join("\n") ?? ""
  return { text, evidence: Row.stampsIn(text).slice(0, maxCited) }
}

interface Answer {
  readonly failed: boolean
  readonly result: Schema.Json
}

const notAgain = ({ detail, remedy }: LoopGuard.Loop): Answer => ({
  failed: true,
  result: { error: `not run: ${detail}; ${remedy}` }
})

/** Refusals and failures go back to the model; what the run cannot go on from ends it. */
const execute = <T extends Tool.Any>(
  agent: Acting<T>,
  call: Pending,
  reasons: ReturnType<typeof reasonsIn>
) => {
  const tool = agent.tools.find((offered) => offered.name === call.name)
  if (tool === undefined) {
    return Effect.succeed<Answer>({ failed: true, result: { error: `there is no tool ${call.name}` } })
  }
  return Tool.callUnchecked(tool, call.params, { reasons }).pipe(
    Effect.flatMap((outcome) =>
      Effect.map(enveloped(tool, outcome.value, agent.spotlight.datamark), (result): Answer => ({
        failed: false,
        result: { stamp: outcome.stamp, trust: outcome.trust, result }
      }))
    ),
    Effect.catch((error): Effect.Effect<Answer, GovernorError, Session | Digest.Digest> =>
      error instanceof GovernorError
        ? Refusal.endsRun(error.reason)
          ? Effect.fail(error)
          : Effect.succeed({ failed: true, result: told(error.reason) })
        : Effect.map(enveloped(tool, error.failure, agent.spotlight.datamark), (words): Answer => ({
          failed: true,
          result: { trust: Label.overall(tool.trust), error: words }
        }))
    )
  )
}

/** What the tool under way said, as a model is shown it: as data from that tool. Its secrets were taken out before. */
const enveloped = Effect.fnUntraced(function*(tool: Tool.Any, value: Schema.Json, isMarked: boolean) {
  const session = yield* Session
  const digest = yield* Digest.Digest
  // As it is recorded, so that what is quoted from here stands there.
  const text = typeof value === "string" ? value : digest.canonical(value)
  return Spotlight.wrap(text, { mark: Spotlight.mark(digest, session.markedAs()), source: tool.name, isMarked })
})

/** A refusal as a model is told it. What a person said stands apart, marked: it is no instruction of ours. */
const told = (reason: GovernorError["reason"]): Schema.Json =>
  reason._tag === "Refused" && reason.words !== undefined
    ? {
      error: `refused by ${reason.layer}: a person denied it; ${reason.remedy}`,
      said: { trust: "untrusted", words: reason.detail }
    }
    : { error: Refusal.explain(reason) }
