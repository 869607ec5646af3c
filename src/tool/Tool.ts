/**
 * A tool is a typed definition: what it is called, what it takes and gives, which capabilities its handler exercises,
 * whether it can be undone, what it may cost and how far its results are trusted. The definition says in its type what a
 * program that calls it requires; the handler is provided apart, as a layer, and cannot use more than was declared.
 */
import { Context, Effect, Layer, Schema, type Types } from "effect"
import { Tool as AiTool } from "effect/ai"
import type { Gate } from "../approval/index.ts"
import { Digest } from "../audit/index.ts"
import type { Capability } from "../capability/index.ts"
import { CostModel } from "../cost/index.ts"
import {
  type Action,
  type Codec,
  Governor,
  GovernorError,
  type Idempotency,
  type Outcome,
  Permit,
  type Probed,
  Received,
  Refusal,
  Session,
  type Unready
} from "../governor/index.ts"
import { type Flow, Label, type Labelled } from "../trust/index.ts"

/** A schema whose values need no services to travel as JSON. */
export type Plain = Schema.ConstraintCodec<unknown, unknown>

/**
 * A tool, by its types. All of `Caps` are exercised; a tool that is not `Reversible` requires a gate; one that is
 * `Probing` is provided with a probe beside its handler.
 */
export interface Tool<
  out Name extends string,
  out Caps extends string,
  out Reversible extends boolean,
  out Params extends Plain,
  out Success extends Plain,
  out Failure extends Plain,
  out Probing extends boolean = boolean,
  out Trust extends Label.Declared = Label.Declared
> {
  readonly name: Name
  readonly description: string
  readonly capabilities: ReadonlyArray<Caps>
  readonly reversible: Reversible
  readonly params: Params
  readonly success: Success
  readonly failure: Failure
  readonly cost: CostModel.CostModel
  readonly timeoutMs: number
  /** Whether results are ours, or a stranger's text; as a whole or field by field. */
  readonly trust: Trust
  /** What a call does to the world outside of its session: the rules on labels look at these. */
  readonly sinks: ReadonlyArray<Flow.Sink>
  /** Whether the handler may run again with the same `permit.idempotencyKey` when an outcome was lost. */
  readonly idempotent: Idempotency
  /** Whether a probe can tell what became of an act whose outcome was lost. */
  readonly probe: Probing
  /**
   * Groups that its results are for, as a whole or field by field: a backend must cover all of these. A tool by which
   * something leaves must cover those that whole results are for, and those of the fields that its arguments come from.
   */
  readonly readers: Label.Readership
  /** Whether it is to be had just now, for tools that can be taken away while a process runs. */
  readonly ready: Effect.Effect<void, Unready> | undefined
}

/** A tool whose types were erased: it can be listed, and no grant covers what it needs. */
export type Any = Tool<string, string, boolean, Plain, Plain, Plain>

/** The capabilities a tool declares. */
export type CapabilitiesOf<T> = T extends Tool<string, infer Caps, boolean, Plain, Plain, Plain> ? Caps : never
/** `Gate` if any of the tools cannot be undone. */
export type GateOf<T> = T extends Any ? (T["reversible"] extends true ? never : Gate.Gate) : never
/** What it gives back, with the labels that it declares. */
export type ResultOf<T extends Any> = Labelled.Declared<T["success"]["Type"], T["trust"]>
/** All that a list of tools declares, once each. */
export const capabilitiesOf = <const T extends ReadonlyArray<Any>>(
  tools: T
): ReadonlyArray<CapabilitiesOf<T[number]>> =>
  // The union over a list is what its members hold, each of its own type.
  [...new Set(tools.flatMap((tool) => tool.capabilities))] as unknown as ReadonlyArray<CapabilitiesOf<T[number]>>

/** All groups that results of the tools may be for. */
export const readersOf = (tools: ReadonlyArray<Any>): ReadonlyArray<string> => [
  ...new Set(tools.flatMap(({ readers }) => Label.everyReader(readers)))
]

/** A marker in `R`: the handler of this tool is provided. */
export interface Handler<in out Name extends string> {
  readonly _Handler: Types.Invariant<Name>
}
/** One marker a tool. */
export type HandlerOf<T> = T extends Any ? Handler<T["name"]> : never
/** What a program that calls the tool requires. */
export type Requirements<T> =
  | Capability.Capabilities<CapabilitiesOf<T>>
  | GateOf<T>
  | HandlerOf<T>
  | Governor
  | Session
  | Digest.Digest

/**
 * Defines a tool. It costs nothing, has 30 seconds, may be undone and returns a stranger's text unless said otherwise.
 * `idempotent` and `probe` are for acts that cannot be undone: without either, an operator says what became of an act
 * whose outcome was lost.
 */
export const make = <
  const Name extends string,
  const Caps extends Capability.Name,
  Params extends Plain,
  Success extends Plain,
  Failure extends Plain = Schema.Never,
  const Reversible extends boolean = true,
  const Probing extends boolean = false,
  const Trust extends Label.Declared = "untrusted"
>(name: Name, options: {
  readonly description: string
  readonly capabilities: ReadonlyArray<Caps>
  readonly params: Params
  readonly success: Success
  readonly failure?: Failure
  readonly reversible?: Reversible
  readonly cost?: CostModel.CostModel
  readonly timeoutMs?: number
  readonly trust?: Trust
  readonly sinks?: ReadonlyArray<Flow.Sink>
  readonly idempotent?: Idempotency
  readonly probe?: Probing
  readonly readers?: Label.Readership
  readonly ready?: Effect.Effect<void, Unready> | undefined
}): Tool<Name, Caps, Reversible, Params, Success, Failure, Probing, Trust> => ({
  name,
  description: options.description,
  capabilities: options.capabilities,
  // The defaults of the five type parameters below are the values written here.
  reversible: (options.reversible ?? true) as Reversible,
  params: options.params,
  success: options.success,
  failure: (options.failure ?? Schema.Never) as Failure,
  cost: options.cost ?? CostModel.free,
  timeoutMs: options.timeoutMs ?? 30_000,
  trust: (options.trust ?? "untrusted") as Trust,
  sinks: options.sinks ?? [],
  idempotent: options.idempotent ?? false,
  probe: (options.probe ?? false) as Probing,
  readers: options.readers ?? [],
  ready: options.ready
})

/** Says which capability a handler uses without its tool having declared it. */
export type OnlyDeclared<Used extends string, Declared extends string> = Capability.Complaint<
  "the tool does not declare",
  Exclude<Used, Declared>
>

/** What handlers are: the decoded arguments and a permit in, the tool's success or failure out. */
export type Implementation<T extends Any, R> = (
  args: T["params"]["Type"],
  permit: Permit<CapabilitiesOf<T>>
) => Effect.Effect<T["success"]["Type"], T["failure"]["Type"] | GovernorError, R>

/**
 * What probes are: like a handler, with the permit of the act that is looked for, but they change nothing. `NotDone` is a
 * promise that no attempt so far can take effect any more: a request that may still be under way is `Unknown`.
 */
export type Probe<T extends Any, R> = (
  args: T["params"]["Type"],
  permit: Permit<CapabilitiesOf<T>>
) => Effect.Effect<Probed<T["success"]["Type"]>, T["failure"]["Type"] | GovernorError, R>

/**
 * Provides a tool's handler, and its probe if it declares one. What they need is taken from where the layer is built,
 * except their authority: the session is the caller's, on every call.
 */
export const layer = <T extends Any, R, P = never>(
  tool: T,
  handler: Implementation<T, R> & OnlyDeclared<Capability.Needs<R>, CapabilitiesOf<T>>,
  ...probe: T["probe"] extends true ? [probe: Probe<T, P> & OnlyDeclared<Capability.Needs<P>, CapabilitiesOf<T>>] : []
): Layer.Layer<HandlerOf<T>, never, Exclude<R | P, Session | Capability.Capabilities<CapabilitiesOf<T>>>> =>
  Layer.effect(
    key(tool),
    Effect.gen(function*() {
      yield* register(tool)
      const built = yield* Effect.context<Exclude<R | P, Session | Capability.Capabilities<CapabilitiesOf<T>>>>()
      const services = Context.omit(Session)(built as Context.Context<never>)
      const guarded = <A>(act: string, handler: ErasedHandler<A>) => (args: unknown, permit: Permit<string>) =>
        Effect.suspend(() =>
          Permit.redeem(permit, act)
            // The Governor issued the permit for this act, with arguments that the tool's own schema decoded.
            ? Effect.mapError(handler(args, permit), failed)
            : Effect.fail(unpermitted(tool))
        ).pipe(Effect.provideContext(services))
      const [looks] = probe
      return {
        tool,
        run: guarded(tool.name, handler as unknown as ErasedHandler<unknown>),
        // A probe is given to the tools that declare one, and to no others.
        probe: looks === undefined
          ? undefined
          : guarded(`probe_${tool.name}`, looks as unknown as ErasedHandler<Probed<unknown>>)
      }
    })
  ) as never // The key of an erased tool is typed by its name alone.

/** The definitions whose handlers are provided just now, by name. */
export const provided: Effect.Effect<ReadonlyArray<Any>> = Effect.map(
  Effect.suspend(() => Provisions),
  (provisions) => [...provisions.keys()].toSorted((a, b) => a.name < b.name ? -1 : 1)
)

/** A result that a person gives for an act done with the definition of that hash: as the log keeps it, or why not. */
export const resultOf = (
  name: string,
  definition: Digest.Hash,
  json: Schema.Json
): Effect.Effect<Schema.Json, string, Digest.Digest> =>
  Effect.gen(function*() {
    const digest = yield* Digest.Digest
    const known = [...(yield* Provisions).keys()]
    const tool = known.find((tool) => tool.name === name && definitionHash(digest, tool) === definition)
    if (tool === undefined) {
      return yield* Effect.fail(`${name}, as it was when the act began, has no handler in this process`)
    }
    const { success } = compile(tool)
    const value = yield* success.decode(json)
    const encoded = yield* success.encode(value)
    return (yield* Received.cleaned(success, encoded, value)).json
  })

/** Calls a tool and gives its answer. */
export const call = <T extends Any>(
  tool: T,
  args: T["params"]["Type"],
  options?: CallOptions
): Effect.Effect<ResultOf<T>, T["failure"]["Type"] | GovernorError, Requirements<T>> =>
  Effect.map(cite(tool, args, options), (outcome) => outcome.value)

/** Calls a tool and gives its answer with the stamp that a claim can cite. */
export const cite = <T extends Any>(
  tool: T,
  args: T["params"]["Type"],
  options?: CallOptions
): Effect.Effect<Outcome<ResultOf<T>>, T["failure"]["Type"] | GovernorError, Requirements<T>> =>
  // Sound by construction of `Any`: the erased call returns what the tool's own schemas decode.
  Effect.mapError(run(tool, typed(tool, args), options), (error) =>
    error instanceof Failed ? error.failure as object : error) as never

/**
 * Calls a tool with arguments that nobody has checked, such as a model's. What comes back is the answer as JSON.
 * A tool picked from a list requires what all of the list require.
 */
export const callUnchecked = <T extends Any>(
  tool: T,
  json: unknown,
  options?: CallOptions
): Effect.Effect<Outcome<Schema.Json>, Rejection | GovernorError, Requirements<T>> =>
  run(tool, unchecked(tool, json), options).pipe(
    Effect.catchTag(
      "ToolFailed",
      ({ failure }) =>
        Effect.flatMap(
          Effect.orDie(compile(tool).failure.encode(failure)),
          (json) => Effect.fail(new Rejection({ failure: json }))
        )
    ),
    Effect.flatMap((outcome) =>
      Effect.map(Effect.orDie(compile(tool).success.encode(outcome.value)), (value) => ({ ...outcome, value }))
    )
  ) as never // As for `cite`: the erased call requires what the tool's own type says.

/** The tool ran and failed, in its own words. */
export class Rejection extends Schema.TaggedError<Rejection>()("ToolRejection", { failure: Schema.Json }) {}

/** What the approver is told beside the arguments. */
export interface CallOptions {
  readonly reasons?: { readonly text: string; readonly evidence: ReadonlyArray<string> }
}

/** JSON Schema of the arguments, as models are told. */
export const jsonSchema = (tool: Any): ReturnType<typeof AiTool.getJsonSchemaFromSchema> =>
  AiTool.getJsonSchemaFromSchema(tool.params)

/** JSON Schema of what a schema encodes to, as JSON. */
export const documentOf = (schema: Plain): Schema.Json =>
  JSON.parse(JSON.stringify(AiTool.getJsonSchemaFromSchema(schema))) as Schema.Json // A JSON Schema document is JSON.

/** Hash of everything an approver relied on about the tool; a changed definition needs a new approval. */
export const definitionHash = (digest: Digest.Digest["Service"], tool: Any): Digest.Hash => {
  const known = hashes.get(tool)
  if (known !== undefined) return known
  const hash = digest.sha256(digest.canonical({
    name: tool.name,
    description: tool.description,
    capabilities: [...tool.capabilities],
    reversible: tool.reversible,
    trust: typeof tool.trust === "string" ? tool.trust : { rest: tool.trust.rest, fields: { ...tool.trust.fields } },
    timeoutMs: tool.timeoutMs,
    cost: { ...tool.cost },
    params: documentOf(tool.params),
    // Named only where they are declared: definitions without them keep the hash that approvals are bound to.
    ...(tool.idempotent === false
      ? {}
      : { idempotent: tool.idempotent === true ? true : { withinMs: tool.idempotent.withinMs } }),
    ...(tool.probe ? { probe: true } : {}),
    ...(tool.sinks.length === 0 ? {} : { sinks: [...tool.sinks] }),
    ...(Label.isByField(tool.readers)
      ? { readers: { rest: [...tool.readers.rest], fields: listed(tool.readers.fields) } }
      : tool.readers.length === 0
      ? {}
      : { readers: [...tool.readers] })
  }))
  hashes.set(tool, hash)
  return hash
}

/** A schema's values as JSON and back. */
export const codec = <T, E>(schema: Schema.ConstraintCodec<T, E>): Codec<T> => {
  const json = Schema.toCodecJson(schema)
  const encode = Schema.encodeEffect(json)
  const decode = Schema.decodeEffect(json)
  return {
    encode: (value) => Effect.mapError(encode(value), (error) => error.message),
    decode: (value) => Effect.mapError(decode(value), (error) => error.message)
  }
}

// internal

const listed = (fields: Label.ReadersByField["fields"]) =>
  Object.fromEntries(Object.entries(fields).map(([path, readers]) => [path, [...readers]]))

/** A handler's own error on its way through code that does not know its type. */
class Failed extends Schema.TaggedError<Failed>()("ToolFailed", { failure: Schema.Unknown }) {}

const unpermitted = (tool: Any) =>
  new GovernorError({
    act: tool.name,
    reason: new Refusal.Refused({
      layer: "session",
      detail: "its handler was called without a permit of its own",
      remedy: "call the tool with Tool.call"
    })
  })

const failed = (error: unknown) => error instanceof GovernorError ? error : new Failed({ failure: error })

type ErasedHandler<A> = (args: unknown, permit: Permit<string>) => Effect.Effect<A, object>
type GuardedHandler<A> = (args: unknown, permit: Permit<string>) => Effect.Effect<A, Failed | GovernorError, Session>

interface Provided {
  readonly tool: Any
  readonly run: GuardedHandler<unknown>
  readonly probe: GuardedHandler<Probed<unknown>> | undefined
}

/** The definitions whose handlers are provided just now, and how often. */
const Provisions = Context.Reference<Map<Any, number>>("aosiq/tool/Provisions", { defaultValue: () => new Map() })

const register = (tool: Any) =>
  Effect.flatMap(Provisions, (provisions) => {
    const count = (by: number) =>
      Effect.sync(() => {
        const times = (provisions.get(tool) ?? 0) + by
        if (times > 0) provisions.set(tool, times)
        else provisions.delete(tool)
      })
    return Effect.acquireRelease(count(1), () => count(-1))
  })

const keyed = (name: string) => Context.Service<Handler<string>, Provided>(`aosiq/tool/Handler/${name}`)
const keys = new Map<string, ReturnType<typeof keyed>>()
const key = (tool: Any) => {
  const known = keys.get(tool.name)
  if (known !== undefined) return known
  const fresh = keyed(tool.name)
  keys.set(tool.name, fresh)
  return fresh
}

interface Compiled {
  readonly params: Codec<unknown>
  readonly success: Codec<unknown>
  readonly failure: Codec<unknown>
}
const compiled = new WeakMap<Any, Compiled>()
const hashes = new WeakMap<Any, Digest.Hash>()

const compile = (tool: Any): Compiled => {
  const known = compiled.get(tool)
  if (known !== undefined) return known
  const fresh = { params: codec(tool.params), success: codec(tool.success), failure: codec(tool.failure) }
  compiled.set(tool, fresh)
  return fresh
}

const typed = (tool: Any, args: unknown) => Effect.map(compile(tool).params.encode(args), (json) => ({ args, json }))

/** The canonical form is the decoded value's, so that two spellings of one call are one call. */
const unchecked = (tool: Any, json: unknown) =>
  Effect.flatMap(
    compile(tool).params.decode(json as Schema.Json), // Decoding is what checks it.
    (args) => typed(tool, args)
  )

const run = Effect.fnUntraced(function*(
  tool: Any,
  decode: Action<unknown, unknown, unknown, never>["decode"],
  options: CallOptions | undefined
) {
  const governor = yield* Governor
  const digest = yield* Digest.Digest
  const provided = yield* Effect.serviceOption(key(tool))
  const { failure, success } = compile(tool)
  const handler = provided._tag === "Some" && provided.value.tool === tool ? provided.value : undefined
  if (handler === undefined) {
    const detail = provided._tag === "None" ? "it has no handler here" : "its handler implements another definition"
    const reason = new Refusal.Refused({ layer: "class", detail, remedy: `provide Tool.layer(${tool.name}, …)` })
    return yield* new GovernorError({ act: tool.name, reason })
  }
  return yield* governor.act({
    name: tool.name,
    description: tool.description,
    capabilities: tool.capabilities as ReadonlyArray<Capability.Name>, // `make` admits no other names.
    reversible: tool.reversible,
    schema: definitionHash(digest, tool),
    decode,
    ready: tool.ready,
    reserve: CostModel.bound(tool.cost, tool.timeoutMs),
    bill: (elapsedMs) => ({ costMicroUsd: CostModel.bill(tool.cost, Math.min(elapsedMs, tool.timeoutMs)) }),
    timeoutMs: tool.timeoutMs,
    trust: tool.trust,
    sinks: tool.sinks,
    readers: tool.readers,
    reasons: options?.reasons,
    run: handler.run,
    idempotent: tool.idempotent,
    probe: handler.probe,
    success,
    failure: {
      encode: (error: Failed | GovernorError) => failure.encode(error instanceof Failed ? error.failure : error),
      decode: (json) => Effect.map(failure.decode(json), failed)
    }
  })
})
