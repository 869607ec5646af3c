/**
 * An actor is a registered definition that the runtime can run, stop and run again: a deterministic function or a
 * reasoning agent. Its class name addresses it; what it declares bounds every session of it, whatever a token says.
 */
import { Context, Effect, Layer, type Types } from "effect"
import { Capability, type Fits, Grant } from "../capability/index.ts"
import { type GovernorError, Session } from "../governor/index.ts"
import { type Plain, Tool } from "../tool/index.ts"
import { ActorError } from "./ActorError.ts"
import { type Policy, standard } from "./Supervision.ts"

/** What is known of an actor without its body: enough to dispatch, spawn and resume it. */
export interface Class<
  out Name extends string,
  out In extends Plain,
  out Out extends Plain,
  out Caps extends string
> {
  readonly name: Name
  readonly description: string
  readonly input: In
  readonly output: Out
  readonly capabilities: ReadonlyArray<Caps>
  readonly backends: ReadonlyArray<string>
  /** Groups that the class's own data, its input above all, is for. */
  readonly readers: ReadonlyArray<string>
  /** The longest one run may take, as a child. */
  readonly timeoutMs: number
  /** What becomes of a session of it whose run breaks down. */
  readonly supervision: Policy
  /** Starting this actor as a child, as a tool among others. */
  readonly tool: SpawnTool<Name, In, Out, Caps>
}

/** Calling it spawns a child and waits for its result. */
export type SpawnTool<Name extends string, In extends Plain, Out extends Plain, Caps extends string> = Tool.Tool<
  `spawn_${Name}`,
  Caps | `spawn:${Name}`,
  true,
  In,
  Out,
  typeof ActorError
>

/** A class with its body. */
export interface Actor<Name extends string, In extends Plain, Out extends Plain, Caps extends string, R>
  extends Class<Name, In, Out, Caps>
{
  readonly run: (input: In["Type"]) => Effect.Effect<Out["Type"], ActorError | GovernorError, R>
}

/** A class whose types were erased; no grant fits it. */
export type AnyClass = Class<string, Plain, Plain, string>
/** The capabilities that sessions of an actor exercise. */
export type CapabilitiesOf<A> = A extends Class<string, Plain, Plain, infer Caps> ? Caps : never

/** A marker in `R`: this actor is registered. */
export interface Registered<in out Name extends string> {
  readonly _Registered: Types.Invariant<Name>
}

/** A body with its requirements met, except the session. */
export interface Runnable {
  readonly class: AnyClass
  readonly run: (input: unknown) => Effect.Effect<unknown, ActorError | GovernorError, Session>
}

/** The actors of this process, by class name. */
export class Registry extends Context.Service<Registry, {
  readonly add: (runnable: Runnable) => Effect.Effect<void>
  readonly get: (name: string) => Effect.Effect<Runnable | undefined>
  readonly names: Effect.Effect<ReadonlyArray<string>>
  /** Calls `use` for every actor there is, and for every one that is added. */
  readonly each: (use: (runnable: Runnable) => Effect.Effect<void>) => Effect.Effect<void>
}>()("aosiq/actor/Actor/Registry") {}

/** A registry of its own. */
export const layerRegistry: Layer.Layer<Registry> = Layer.sync(Registry, () => {
  const actors = new Map<string, Runnable>()
  const uses: Array<(runnable: Runnable) => Effect.Effect<void>> = []
  return {
    add: (runnable) =>
      Effect.suspend(() => {
        actors.set(runnable.class.name, runnable)
        return Effect.forEach(uses, (use) => use(runnable), { discard: true })
      }),
    get: (name) => Effect.sync(() => actors.get(name)),
    names: Effect.sync(() => [...actors.keys()]),
    each: (use) =>
      Effect.suspend(() => {
        uses.push(use)
        return Effect.forEach([...actors.values()], use, { discard: true })
      })
  }
})

/** Runs children; the session room implements it. */
export class Spawner extends Context.Service<Spawner, {
  /** Runs a child of the current session to its end. Its token is the parent's ∩ the child's class ∩ `grant`. */
  readonly spawn: (
    child: AnyClass,
    input: unknown,
    grant: Grant<string> | undefined
  ) => Effect.Effect<unknown, ActorError | GovernorError, Session>
}>()("aosiq/actor/Actor/Spawner") {}

/** Registers an actor, and the tool that spawns it. Its body's needs are met where the layer is built. */
export const layer = <Name extends string, In extends Plain, Out extends Plain, Caps extends string, R>(
  actor: Actor<Name, In, Out, Caps, R>
): Layer.Layer<
  Registered<Name> | Tool.Handler<`spawn_${Name}`>,
  never,
  Registry | Spawner | Exclude<R, Session | Capability.Capabilities<Caps>>
> =>
  // The two keys are typed by the actor's name alone.
  Layer.merge(register(actor), spawning(actor)) as never

/** Calls `child` with all that the running actor holds and the child needs. */
export const spawn = <Name extends string, In extends Plain, Out extends Plain, Caps extends string>(
  child: Class<Name, In, Out, Caps>,
  input: In["Type"]
) => Tool.call(child.tool, input)

/** Calls `child` with the authority of `grant`, which must hold all that it needs. */
export const delegate = <
  Name extends string,
  In extends Plain,
  Out extends Plain,
  Caps extends string,
  Held extends string
>(
  child: Class<Name, In, Out, Caps>,
  grant: Grant<Held> & Fits<Caps, Held>,
  input: In["Type"]
): Effect.Effect<
  Out["Type"],
  ActorError | GovernorError,
  Exclude<Tool.Requirements<SpawnTool<Name, In, Out, Caps>>, Capability.Capabilities<Caps>>
> =>
  // The grant discharges `Caps`; at run time the spawner meets it with the parent's verified token.
  Effect.provideService(Tool.call(child.tool, input), Delegated, grant as unknown as Grant<string>) as never

/** The running actor's own authority over `names`, to narrow and delegate. Asking for it counts as using them. */
export const own = <const Names extends Capability.Name = never>(
  ...names: ReadonlyArray<Names>
): Effect.Effect<Grant<Names>, never, Session | Capability.Capabilities<Names>> =>
  Effect.map(Session, () => Grant.make<Names>(names))

/** The parts that every kind of actor shares. */
export const define = <Name extends string, In extends Plain, Out extends Plain, Caps extends string>(
  { readers = [], tools, ...parts }:
    & Omit<Class<Name, In, Out, Caps>, "tool" | "backends" | "supervision" | "readers">
    & {
      readonly supervision: Partial<Policy> | undefined
      readonly readers: ReadonlyArray<string> | undefined
      /** What sessions of it may call. */
      readonly tools: ReadonlyArray<Tool.Any>
    }
): Class<Name, In, Out, Caps> => ({
  ...parts,
  supervision: { ...standard, ...parts.supervision },
  backends: Capability.backendsOf(parts.capabilities),
  readers,
  tool: Tool.make(`spawn_${parts.name}`, {
    description: parts.description,
    // `parts.capabilities` come from tools and grants, which admit capability names only.
    capabilities: [`spawn:${parts.name}`, ...parts.capabilities] as unknown as ReadonlyArray<never>,
    params: parts.input,
    success: parts.output,
    failure: ActorError,
    timeoutMs: parts.timeoutMs,
    trust: "untrusted",
    // A child tells its parent of whatever it may have seen.
    readers: [...new Set([...readers, ...Tool.readersOf(tools)])]
  }) as unknown as SpawnTool<Name, In, Out, Caps>
})

// internal

/** The grant of the `delegate` under way; children start without one. */
const Delegated = Context.Reference<Grant<string> | undefined>("aosiq/actor/Delegated", {
  defaultValue: () => undefined
})

const register = <Name extends string, In extends Plain, Out extends Plain, Caps extends string, R>(
  actor: Actor<Name, In, Out, Caps, R>
) =>
  Layer.effect(
    Context.Service<Registered<Name>, Runnable>(`aosiq/actor/Registered/${actor.name}`),
    Effect.gen(function*() {
      const registry = yield* Registry
      const built = yield* Effect.context<R>()
      const runnable: Runnable = {
        class: actor,
        run: (input) =>
          Effect.flatMap(Session, (session) =>
            Effect.provideContext(
              // The spawner and the dispatcher decode the input with the actor's own schema.
              Effect.provideService(actor.run(input as In["Type"]), Delegated, undefined),
              Context.add(built, Session, session) as Context.Context<R>
            ))
      }
      yield* registry.add(runnable)
      return runnable
    })
  )

const spawning = (actor: AnyClass) =>
  Tool.layer(actor.tool as Tool.Any, (input) =>
    Effect.gen(function*() {
      const spawner = yield* Spawner
      return yield* spawner.spawn(actor, input, yield* Delegated)
    }))
