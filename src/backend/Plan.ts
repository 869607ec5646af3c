/**
 * Backends in order, of which the first that can answers. A plan moves on only where another backend can help: the vendor is
 * overloaded, limits the rate past patience, has used up its quota, is out of reach or breaks off. What is refused by a
 * policy, a budget, a price list or a filter, or was asked wrongly, is refused.
 *
 * A plan is one act around the attempts, which are acts of their own: each is admitted, priced and recorded under its own
 * backend. A run that is answered from its log gets the same answer of the same backend; one that goes on in mid-plan
 * goes on behind the attempts that were begun, whatever the circuits say by then.
 */
import { Context, Effect, ExecutionPlan, Exit, Option, Result, Schema } from "effect"
import { Digest } from "../audit/index.ts"
import { Prices } from "../cost/index.ts"
import { type Codec, Governor, GovernorError, type Outcome, Session } from "../governor/index.ts"
import { Tool } from "../tool/index.ts"
import * as Backends from "./Backend.ts"
import type { Backend, Heard, Name, Request, Requirements } from "./Backend.ts"
import { BackendError } from "./BackendError.ts"
import * as Breaker from "./Breaker.ts"
import { plain } from "./Clean.ts"
import type { SetupError } from "./Setup.ts"

/** Backends in order. */
export interface Plan<out N extends Name> {
  readonly _tag: "Plan"
  readonly backends: readonly [Backend<N>, ...Array<Backend<N>>]
}

/** A plan: the first is asked first. */
export const make = <N extends Name>(first: Backend<N>, ...rest: ReadonlyArray<Backend<N>>): Plan<N> => ({
  _tag: "Plan",
  backends: [first, ...rest]
})

/** Whether it is a plan, and not a backend. */
export const isPlan = <N extends Name>(model: Backend<N> | Plan<N>): model is Plan<N> => "_tag" in model

/** The backends of either. */
export const backendsOf = <N extends Name>(model: Backend<N> | Plan<N>): Plan<N>["backends"] =>
  isPlan(model) ? model.backends : [model]

/** A plan of those that can be made, with what is missing of the others; fails as the first did when none can. */
export const available = <N extends Name, R>(
  first: Effect.Effect<Backend<N>, SetupError, R>,
  ...rest: ReadonlyArray<Effect.Effect<Backend<N>, SetupError, R>>
): Effect.Effect<{ readonly plan: Plan<N>; readonly missing: ReadonlyArray<SetupError> }, SetupError, R> =>
  Effect.gen(function*() {
    const head = yield* Effect.result(first)
    const all = [head, ...(yield* Effect.forEach(rest, (made) => Effect.result(made)))]
    const missing = all.flatMap((made) => Result.isFailure(made) ? [made.failure] : [])
    const [one, ...others] = all.flatMap((made) => Result.isSuccess(made) ? [made.success] : [])
    if (one !== undefined) return { plan: make(one, ...others), missing }
    return yield* Effect.map(Effect.fromResult(head), (backend) => ({ plan: make(backend), missing }))
  })

/** Whether another backend may succeed where one failed so. */
export const movesOn = ({ reason }: BackendError): boolean => helpful.has(reason._tag)

/** One governed model call, of the first backend that can answer it. */
export const generate = <N extends Name>(plan: Backend<N> | Plan<N>, request: Request): Called<N> =>
  isPlan(plan)
    ? call(plan, request, (backend) => Backends.generate(backend, request), () => false)
    : Backends.generate(plan, request)

/** The same, heard while it comes. Once something was heard of a backend, no other is asked. */
export const stream = <N extends Name>(
  plan: Backend<N> | Plan<N>,
  request: Request,
  hear: (piece: Heard) => Effect.Effect<void>
): Called<N> => {
  if (!isPlan(plan)) return Backends.stream(plan, request, hear)
  let heard = false
  const listen = (piece: Heard) => Effect.andThen(Effect.sync(() => (heard = true)), hear(piece))
  return call(plan, request, (backend) => Backends.stream(backend, request, listen), () => heard)
}

// internal

type Called<N extends Name> = Effect.Effect<
  Outcome<Backends.Turn>,
  BackendError | GovernorError | Prices.UnknownModel,
  Requirements<N>
>

const helpful: ReadonlySet<BackendError["reason"]["_tag"]> = new Set([
  "RateLimited",
  "Overloaded",
  "ProviderFailed",
  "QuotaExhausted",
  "NotConnected",
  "TimedOut",
  "CutShort",
  "InvalidAnswer"
])

/** Longer than each attempt may take by itself. */
const attemptTimeoutMs = 360_000

/** What a plan came to: the turn, whose it is, and who was left alone for failing before. */
const Answered = Schema.Struct({
  turn: Backends.Turn,
  backend: Schema.String,
  passedOver: Schema.Array(Schema.String)
})
type Answered = typeof Answered.Type

const success = Tool.codec(Answered)
const known = Tool.codec(Schema.Union([BackendError, Prices.UnknownModel]))
/** Refusals of ours end the act without being a result of it. */
const failure: Codec<Failure> = {
  ...known,
  encode: (error) => error instanceof GovernorError ? Effect.fail(error.message) : known.encode(error)
}

/** The step under way. */
class Step extends Context.Service<Step, { readonly index: number; readonly backend: Backend<Name> }>()(
  "aosiq/backend/Plan/Step"
) {}

/** The backend was not asked: it is to be left alone, or another run had left it alone here. */
class PassedOver extends Schema.TaggedError<PassedOver>()("PassedOver", { backend: Schema.String }) {}

type Failure = BackendError | GovernorError | Prices.UnknownModel

/** What tells one question from another; the attempts carry the whole of it. */
const fingerprint = ({ prompt, tools }: Request): Schema.Json =>
  plain({ prompt: prompt.content, tools: tools.map(({ name }) => name) })

const nameOf = ({ model, name }: Backend<Name>) => `${name}/${model}`

const call = <N extends Name>(
  plan: Plan<N>,
  request: Request,
  ask: (backend: Backend<N>) => Called<N>,
  isHeard: () => boolean
): Called<N> =>
  Effect.gen(function*() {
    const governor = yield* Governor
    const digest = yield* Digest.Digest
    const backends = plan.backends.map(nameOf)
    const asked = digest.sha256(digest.canonical(fingerprint(request)))
    const { value, ...outcome } = yield* governor.act({
      name: "plan",
      description: `ask the first that can answer of ${backends.join(", ")}`,
      // Each attempt asks for its own.
      capabilities: [],
      reversible: true,
      schema: digest.sha256(digest.canonical({ plan: backends })),
      decode: Effect.succeed({ args: null, json: { backends, request: asked } }),
      reserve: 0,
      bill: () => ({ costMicroUsd: 0 }),
      timeoutMs: attemptTimeoutMs * backends.length,
      trust: "untrusted",
      run: () => attempts(plan, ask, isHeard),
      success,
      failure
    })
    return { ...outcome, value: value.turn }
  })

/** One after the other, at the place of the plan's act. */
const attempts = <N extends Name>(
  plan: Plan<N>,
  ask: (backend: Backend<N>) => Called<N>,
  isHeard: () => boolean
): Effect.Effect<Answered, Failure, Requirements<N>> =>
  Effect.gen(function*() {
    const session = yield* Session
    const breakers = yield* Breaker.Current
    const at = (index: number) => session.at(`${session.path}/${index}`)
    const isBegun = (index: number) => session.recall(`${session.path}/${index}#0`) !== undefined
    const last = plan.backends.findLastIndex((_, index) => isBegun(index))
    const passedOver: Array<string> = []
    let failed: BackendError | undefined

    const answered = (backend: Backend<N>, index: number) =>
      Effect.map(Effect.provideService(ask(backend), Session, at(index)), ({ value }): Answered => ({
        turn: value,
        backend: nameOf(backend),
        passedOver
      }))
    const live = (backend: Backend<N>, index: number) =>
      Effect.onExit(answered(backend, index), (exit) => breakers.leave(nameOf(backend), endOf(exit)))

    const attempt = Effect.gen(function*() {
      const { index } = yield* Step
      // A step is made of a backend of this plan.
      const backend = plan.backends[index] ?? plan.backends[0]
      // What was begun here says nothing new of the backend.
      if (isBegun(index)) return yield* answered(backend, index)
      if (index > last && (yield* breakers.enter(nameOf(backend)))) return yield* live(backend, index)
      passedOver.push(nameOf(backend))
      return yield* new PassedOver({ backend: nameOf(backend) })
    }).pipe(Effect.tapError((error) =>
      Effect.sync(() => {
        if (error instanceof BackendError) failed = error
      })
    ))

    const goesOn = (error: Failure | PassedOver) =>
      error instanceof PassedOver || (error instanceof BackendError && movesOn(error) && !isHeard())
    const step = (backend: Backend<N>, index: number) => ({
      provide: Context.make(Step, { backend, index }),
      while: goesOn
    })
    const [first, ...rest] = plan.backends
    const steps = ExecutionPlan.make(step(first, 0), ...rest.map((backend, index) => step(backend, index + 1)))
    return yield* Effect.withExecutionPlan(attempt, steps).pipe(
      Effect.catchTag("PassedOver", () => failed === undefined ? desperate(plan, live) : Effect.fail(failed))
    )
  })

/** All are to be left alone, and somebody has to be asked: whoever was left alone longest. */
const desperate = <N extends Name>(
  { backends: [first, ...rest] }: Plan<N>,
  live: (backend: Backend<N>, index: number) => Effect.Effect<Answered, Failure, Requirements<N>>
) =>
  Effect.gen(function*() {
    const breakers = yield* Breaker.Current
    const chosen = yield* breakers.longestAlone([nameOf(first), ...rest.map(nameOf)])
    const index = Math.max(0, [first, ...rest].findIndex((backend) => nameOf(backend) === chosen))
    return yield* live([first, ...rest][index] ?? first, index)
  })

/** What a call says of its backend; a refusal of ours, a filter or a mistake says nothing. */
const endOf = (exit: Exit.Exit<Answered, Failure>): Breaker.End => {
  if (Exit.isSuccess(exit)) return "succeeded"
  const error = Option.getOrUndefined(Exit.findErrorOption(exit))
  return error instanceof BackendError && movesOn(error) ? "failed" : "neither"
}
