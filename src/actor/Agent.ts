/**
 * A reasoning actor: a model that thinks, acts through governed tools and concludes with a typed result. What it may call
 * and which backends it may run on are in its type. A conclusion that does not decode, or that its class objects to, goes
 * back to the model a bounded number of times; then the agent gives up, honestly.
 */
import { Effect, Schema } from "effect"
import { Prompt } from "effect/ai"
import { Digest, Row } from "../audit/index.ts"
import { Backend, Plan } from "../backend/index.ts"
import { branch, Governor, GovernorError, maxCited, Refusal, Session } from "../governor/index.ts"
import { type Plain, Tool } from "../tool/index.ts"
import { Drift, Label, Spotlight } from "../trust/index.ts"
import { type Actor, define } from "./Actor.ts"
import { ActorError } from "./ActorError.ts"
import { type Pending, Reasoner, type Thread } from "./Reasoner.ts"
import type { Policy } from "./Supervision.ts"
import * as Unfinished from "./Unfinished.ts"

/** Limits of one run. */
export interface Bounds {
  /** Model calls. */
  readonly maxSteps: number
  /** Refused acts and rejected conclusions before the agent gives up. */
  readonly maxRejections: number
  /** Different tool calls that must have succeeded before any conclusion is accepted. */
  readonly minEvidence: number
}

/** Twelve steps, three rejections, nothing demanded. */
export const standardBounds: Bounds = { maxSteps: 12, maxRejections: 3, minEvidence: 0 }

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
  R
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
}

/** Defines a reasoning class. `check` lists what is wrong with a conclusion; an empty list accepts it. */
export const make = <
  const Name extends string,
  In extends Plain,
  Out extends Plain,
  const Tools extends ReadonlyArray<Tool.Any>,
  const Backends extends Backend.Name,
  R = never
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
}): Agent<Name, In, Out, Tools, Backends, R> => ({
  ...options,
  name,
  readers: options.readers ?? [],
  bounds: { ...standardBounds, ...options.bounds },
  spotlight: { datamark: false, ...options.spotlight },
  drift: options.drift === undefined ? { threshold: Drift.threshold } : options.drift,
  timeoutMs: options.timeoutMs ?? 1_800_000,
  supervision: options.supervision,
  check: options.check ?? (() => Effect.succeed([]))
})

/** The backend is not on the class's list; nothing was made. */
export class BackendNotAllowed extends Schema.TaggedError<BackendNotAllowed>()("BackendNotAllowed", {
  agent: Schema.String,
  backend: Schema.String,
  allowed: Schema.Array(Schema.String)
}) {}

/** Puts a class on a backend of its list, or on a plan of several. */
export const on = <
  Name extends string,
  In extends Plain,
  Out extends Plain,
  Tools extends ReadonlyArray<Tool.Any>,
  Backends extends Backend.Name,
  R,
  B extends Backends
>(
  agent: Agent<Name, In, Out, Tools, Backends, R>,
  backend: Backend.Backend<B> | Plan.Plan<B>
): Effect.Effect<
  Actor<
    Name,
    In,
    Out,
    Tool.CapabilitiesOf<Tools[number]> | `backend:${B}`,
    Tool.Requirements<Tools[number]> | Backend.Requirements<B> | Reasoner | R
  >,
  BackendNotAllowed
> => {
  const names = Plan.backendsOf(backend).map(({ name }) => name)
  const other = names.find((name) => !agent.backends.includes(name))
  return other === undefined
    ? Effect.succeed({
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
      run: (input) => reason<Out, Tools[number], R, B, In["Type"]>(agent, backend, input)
    })
    : Effect.fail(new BackendNotAllowed({ agent: agent.name, backend: other, allowed: agent.backends }))
}

/** The tool by which a model ends its run. It is never executed: its arguments are the conclusion. */
export const concludeName = "conclude"

// internal

const capabilityOf = <B extends Backend.Name>(name: B) => `backend:${name}` as const

/** How often one call, with the same arguments, is run in one run; asking for it again is a rejection. */
const maxRepeats = 3

type AnyAgent<Out extends Plain, T extends Tool.Any, R> = {
  readonly name: string
  readonly output: Out
  readonly tools: ReadonlyArray<T>
  readonly instructions: string
  readonly bounds: Bounds
  readonly spotlight: Spotlighting
  readonly drift: Watch | null
  readonly check: (output: Out["Type"]) => Effect.Effect<ReadonlyArray<string>, GovernorError, R>
}

const reason = <Out extends Plain, T extends Tool.Any, R, B extends Backend.Name, Input>(
  agent: AnyAgent<Out, T, R> & { readonly task: (input: Input) => string },
  backend: Backend.Backend<B> | Plan.Plan<B>,
  input: Input
): Effect.Effect<
  Out["Type"],
  ActorError | GovernorError,
  R | Reasoner | Tool.Requirements<T> | Backend.Requirements<B>
> =>
  Effect.gen(function*() {
    const reasoner = yield* Reasoner
    const ended = yield* reasoner.run<R | Tool.Requirements<T> | Backend.Requirements<B>>({
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
        conclude: (thread) => Effect.suspend(() => conclude(agent, thread)).pipe(branch(`conclude-${thread.step}`))
      }
    })
    if (ended.conclusion === null) {
      const detail = ended.gaveUp ?? "the graph ended without a conclusion"
      const stopped = ended.stop === undefined
        ? {}
        : { stop: ended.stop, partial: Unfinished.of(agent.name, ended, concludeName) }
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
  return thread.pending.some((call) => call.name === concludeName) ? "conclude" : "act"
}

const think = Effect.fnUntraced(function*<Out extends Plain, T extends Tool.Any, R, B extends Backend.Name>(
  agent: AnyAgent<Out, T, R>,
  backend: Backend.Backend<B> | Plan.Plan<B>,
  thread: Thread
): Effect.fn.Return<Thread, ActorError | GovernorError, Backend.Requirements<B>> {
  if (thread.step >= agent.bounds.maxSteps) {
    return { ...thread, gaveUp: `no conclusion after ${thread.step} model calls` }
  }
  if (agent.drift !== null) yield* (yield* Governor).watch(agent.drift.threshold)
  const prompt = yield* conversation(thread)
  const offered = [
    ...agent.tools,
    { name: concludeName, description: "End with this result.", params: agent.output }
  ]
  const asked = yield* Plan.generate(backend, { prompt, tools: offered }).pipe(
    branch(`think-${thread.step}`),
    // Money that has run out ends the run, with what it has come to; everything else that is refused is a failure.
    Effect.catchIf(isOverBudget, ({ reason }) => Effect.succeed(reason)),
    Effect.catchTag(
      ["BackendError", "UnknownModel"],
      (error) =>
        new ActorError({ actor: agent.name, detail: `the model call failed: ${error.message}`, abandoned: false })
    )
  )
  if ("layer" in asked) return { ...thread, gaveUp: `its budget has ended: ${asked.detail}`, stop: "budget" }
  const turn = asked.value
  const content = Backend.said(turn)
  const next: Thread = {
    ...thread,
    step: thread.step + 1,
    messages: content.length === 0 ? thread.messages : [...thread.messages, { role: "assistant", content }],
    pending: turn.calls
  }
  if (turn.calls.length === 0) {
    const nudge = { role: "user", content: [{ type: "text", text: `Call a tool, or call ${concludeName} to end.` }] }
    return rejected(agent, { ...next, messages: [...next.messages, nudge] }, "it called no tool")
  }
  // What a cut turn asked for may be less, or other, than what was meant.
  return turn.finish === "length" ? rejected(agent, notRun(next, cutOff), cutOff) : next
})

const isOverBudget = (error: unknown): error is GovernorError & { readonly reason: Refusal.Refused } =>
  error instanceof GovernorError && Refusal.stopOf(error.reason) === "budget"

const cutOff = "the turn was cut off at its length limit: ask for less at once"

const act = Effect.fnUntraced(function*<Out extends Plain, T extends Tool.Any, R>(
  agent: AnyAgent<Out, T, R>,
  thread: Thread
) {
  const prompt = yield* conversation(thread)
  const calls = history(yield* Digest.Digest, prompt)
  const reasons = reasonsIn(prompt)
  const earlier = calls.length - thread.pending.length
  let after = { ...thread, pending: [] as ReadonlyArray<Pending> }
  for (const [index, call] of thread.pending.entries()) {
    if (after.gaveUp !== null) break
    const asked = calls[earlier + index]
    const same = calls.slice(0, earlier + index).filter(({ what }) => what === asked?.what)
    const answer = same.length < maxRepeats
      ? yield* execute(agent, call, reasons).pipe(branch(`act-${thread.step}-${index}`))
      : repeated
    after = reply(after, call, answer.failed, answer.result)
    if (asked !== undefined) asked.succeeded = !answer.failed
    if (answer.failed) after = rejected(agent, after, `${call.name} was refused or failed`)
    else if (!same.some(({ succeeded }) => succeeded)) after = { ...after, gathered: after.gathered + 1 }
  }
  return after
})

const conversation = (thread: Thread): Effect.Effect<Prompt.Prompt> =>
  Effect.orDie(Schema.decodeUnknownEffect(Prompt.Prompt)({ content: thread.messages }))

/** What the model said as it asked, with the stamps that it named: all that an approver learns of its reasons. */
const reasonsIn = ({ content }: Prompt.Prompt) => {
  const last = content.findLast((message) => message.role === "assistant")
  const text = last?.content.flatMap((part) => part.type === "text" ? [part.text] : []).join("\n") ?? ""
  return { text, evidence: Row.stampsIn(text).slice(0, maxCited) }
}

interface Asked {
  readonly id: string
  /** The call and its arguments; two spellings of the same arguments are the same. */
  readonly what: string
  succeeded: boolean | undefined
}

/** Every call that was asked for, in order, and whether it succeeded, where it was answered. */
const history = (digest: Digest.Digest["Service"], { content }: Prompt.Prompt): ReadonlyArray<Asked> => {
  const calls: Array<Asked> = []
  for (const message of content) {
    if (message.role !== "assistant" && message.role !== "tool") continue
    for (const part of message.content) {
      if (part.type === "tool-call") {
        // The arguments came out of a thread, which is JSON.
        const what = digest.canonical([part.name, part.params as Schema.Json])
        calls.push({ id: part.id, what, succeeded: undefined })
      }
      if (part.type === "tool-result") {
        const asked = calls.find((call) => call.id === part.id && call.succeeded === undefined)
        if (asked !== undefined) asked.succeeded = !part.isFailure
      }
    }
  }
  return calls
}

interface Answer {
  readonly failed: boolean
  readonly result: Schema.Json
}

const repeated: Answer = {
  failed: true,
  result: {
    error: `not run: it was asked for ${maxRepeats} times before; use what it answered, or ask for something else`
  }
}

/** Refusals and failures go back to the model; what the run cannot go on from ends it. */
const execute = <Out extends Plain, T extends Tool.Any, R>(
  agent: AnyAgent<Out, T, R>,
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
  const text = typeof value === "string" ? value : JSON.stringify(value)
  return Spotlight.wrap(text, { mark: Spotlight.mark(yield* Digest.Digest, session), source: tool.name, isMarked })
})

/** A refusal as a model is told it. What a person said stands apart, marked: it is no instruction of ours. */
const told = (reason: GovernorError["reason"]): Schema.Json =>
  reason._tag === "Refused" && reason.words !== undefined
    ? {
      error: `refused by ${reason.layer}: a person denied it; ${reason.remedy}`,
      said: { trust: "untrusted", words: reason.detail }
    }
    : { error: Refusal.explain(reason) }

const conclude = Effect.fnUntraced(function*<Out extends Plain, T extends Tool.Any, R>(
  agent: AnyAgent<Out, T, R>,
  thread: Thread
): Effect.fn.Return<Thread, GovernorError, R> {
  const call = thread.pending.find((pending) => pending.name === concludeName)
  if (call === undefined) return { ...thread, pending: [] }
  const codec = Tool.codec(agent.output)
  // Calls beside a conclusion are not run: every call of a turn gets an answer, as providers demand.
  const others = thread.pending.filter((pending) => pending !== call)
  const cleared = notRun({ ...thread, pending: others }, "the turn concluded")
  const back = (why: ReadonlyArray<string>) =>
    rejected(agent, reply(cleared, call, true, { error: "not accepted", reasons: why }), why.join("; "))
  if (thread.gathered < agent.bounds.minEvidence) {
    return back([`gather evidence first: ${thread.gathered} of ${agent.bounds.minEvidence} tool calls succeeded`])
  }
  const decoded = yield* Effect.result(codec.decode(call.params))
  if (decoded._tag === "Failure") return back([decoded.failure])
  const objections = yield* agent.check(decoded.success)
  if (objections.length > 0) return back(objections)
  const output = yield* Effect.orDie(codec.encode(decoded.success))
  return { ...cleared, conclusion: { output } }
})

/** Answers all pending calls without running them. */
const notRun = (thread: Thread, why: string): Thread =>
  thread.pending.reduce<Thread>(
    (state, call) => reply(state, call, true, { error: `not run: ${why}` }),
    { ...thread, pending: [] }
  )

const reply = (thread: Thread, call: Pending, isFailure: boolean, result: Schema.Json): Thread => ({
  ...thread,
  messages: [
    ...thread.messages,
    {
      role: "tool",
      content: [{ type: "tool-result", id: call.id, name: call.name, isFailure, result }]
    }
  ]
})

const rejected = (agent: { readonly bounds: Bounds }, thread: Thread, why: string): Thread => {
  const rejections = thread.rejections + 1
  const gaveUp = rejections > agent.bounds.maxRejections
    ? `gave up after ${rejections} rejections: ${why}`
    : thread.gaveUp
  return { ...thread, rejections, gaveUp }
}
