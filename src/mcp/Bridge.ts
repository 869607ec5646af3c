/**
 * The bridge: tools of MCP servers as tools of this runtime. Each has a capability of its own, waits for an approval unless
 * the operator marks it otherwise, is what an operator approved to the letter, and answers a stranger's text. A definition
 * that is another by now stops its tool, in every process, until an operator approves it again.
 *
 * A tool is made of its approved definition and stays that: an approval of another counts for those that are made after it.
 */
import { Context, Effect, Layer, Option, Schedule, type Schema } from "effect"
import { Digest } from "../audit/index.ts"
import type { Governor, Permit, Store } from "../governor/index.ts"
import { outside } from "../session/index.ts"
import { Tool } from "../tool/index.ts"
import * as Admitted from "./Admitted.ts"
import { Checker } from "./Checker.ts"
import * as Content from "./Content.ts"
import * as Governed from "./Governed.ts"
import { isOpen, type McpError, NotApproved, NotListed, Unreadable } from "./McpError.ts"
import * as Failures from "./McpError.ts"
import * as Names from "./Names.ts"
import { Peers } from "./Peers.ts"
import * as Pins from "./Pins.ts"
import * as Settings from "./Settings.ts"
import * as Shelf from "./Shelf.ts"
import * as Views from "./Views.ts"

/** A decision about one definition. */
export interface Order {
  readonly server: string
  /** As the server names it. */
  readonly tool: string
  readonly by: string
  readonly reason: string
}

/** The types of a tool, by its encoded name. */
export type GovernedOf<S extends string, T extends string> = Governed.Governed<
  Names.NameOf<S, T>,
  Names.CapabilityOf<S, T>
>

/** How soon a process notices what operators approved in another, in milliseconds. */
export const freshMs = 500

/** The bridge of this process. */
export class Bridge extends Context.Service<Bridge, {
  /** One tool, by its encoded name; fails when it is not let in, not approved or not there. */
  readonly tool: <const S extends string, const T extends string>(
    server: S,
    tool: T
  ) => Effect.Effect<GovernedOf<S, T>, McpError>
  /**
   * The tool, if a definition other than that of `before` is approved and its server says that one here too; none, whatever is
   * in the way. It fails only when the settings do not let the tool in.
   */
  readonly renewed: <const S extends string, const T extends string>(
    server: S,
    tool: T,
    before?: Governed.AnyGoverned
  ) => Effect.Effect<Option.Option<GovernedOf<S, T>>, McpError>
  /** Waits until there is one. What was made before stays what it is, and stays stopped. */
  readonly next: <const S extends string, const T extends string>(
    server: S,
    tool: T,
    before?: Governed.AnyGoverned
  ) => Effect.Effect<GovernedOf<S, T>, McpError>
  /** All tools of a server that are approved; a program that calls any of them requires the whole server. */
  readonly tools: <const S extends string>(
    server: S
  ) => Effect.Effect<ReadonlyArray<Governed.Governed<Names.NameOf<S, string>, `mcp:${S}`>>, McpError>
  /** Calls a tool, holding the permit for that. `layer` does. */
  readonly perform: (
    tool: Governed.AnyGoverned,
    args: Schema.Json,
    permit: Permit<string>
  ) => Effect.Effect<Content.Result, McpError>
  readonly servers: Effect.Effect<ReadonlyArray<Views.ServerView>>
  /** What a server has, and how each of its tools stands. */
  readonly shelf: (server: string) => Effect.Effect<ReadonlyArray<Views.ToolView>, McpError>
  /** Approves a definition, if it is what the server says now. */
  readonly approve: (order: Order & { readonly definition: Digest.Hash }) => Effect.Effect<Views.ToolView, McpError>
  /** Takes an approval back: no call begins after that. */
  readonly withdraw: (order: Order) => Effect.Effect<void, McpError>
}>()("aosiq/mcp/Bridge") {}

/** The bridge over its servers, with the settings in force. */
export const layerBridge: Layer.Layer<
  Bridge,
  never,
  Peers | Checker | Store.Store | Digest.Digest | Governor
> = Layer.effect(
  Bridge,
  Effect.gen(function*() {
    const { servers } = yield* Settings.Current
    const peers = yield* Peers
    const digest = yield* Digest.Digest
    const pins = yield* Pins.make
    const { read } = Shelf.make({ digest, checker: yield* Checker })
    const { approved, found, held, isRenewed, kept, letIn, serverOf, shelved } = Admitted.make({
      servers,
      peers,
      pins,
      read
    })
    const asPerson = outside((session) => {
      const detail = `are not decided about by session ${session}`
      return Failures.of("", null, new NotListed({ detail, remedy: "people do" }))
    })

    /** The listing in which the tool is what it was made of. */
    const unchanged = Effect.fnUntraced(function*({ pinnable, server, tool }: Governed.Origin) {
      const { entry, generation } = yield* approved(server, tool)
      if (entry.pinnable.hash === pinnable.hash) return generation
      const detail = "was approved with another definition since this process made it"
      const remedy = "make it again, or restart the process"
      return yield* Failures.of(server, tool, new NotApproved({ detail, remedy }))
    })

    const make = (server: string, tool: string) =>
      Effect.map(approved(server, tool), (found) => Governed.make({ ...found, server, ready: unchanged }))

    const renewed = Effect.fnUntraced(function*(
      server: string,
      tool: string,
      before: Governed.AnyGoverned | undefined
    ) {
      yield* letIn(server, tool)
      return yield* Effect.orElseSucceed(
        Effect.gen(function*() {
          const isDue = yield* isRenewed(server, tool, before?.origin.pinnable.hash)
          return isDue ? Option.some(yield* make(server, tool)) : Option.none()
        }),
        () => Option.none<Governed.AnyGoverned>()
      )
    })

    const next = (server: string, tool: string, before: Governed.AnyGoverned | undefined) =>
      renewed(server, tool, before).pipe(
        Effect.repeat({ until: Option.isSome, schedule: Schedule.spaced(freshMs) }),
        Effect.flatMap((made) => Effect.orDie(Effect.fromOption(made)))
      )

    const named = <A>(server: string, resource: string, use: (tool: string) => Effect.Effect<A, McpError>) =>
      Option.match(Names.decode(resource), {
        onNone: () => {
          const reason = new NotListed({ detail: "is not there", remedy: "encode its name" })
          return Effect.fail(Failures.of(server, resource, reason))
        },
        onSome: use
      })

    const perform = Effect.fnUntraced(function*(
      { origin, timeoutMs }: Governed.AnyGoverned,
      args: Schema.Json,
      { idempotencyKey }: Permit<string>
    ) {
      const { server, tool } = origin
      const bounds = Settings.of(yield* serverOf(server))
      // What was found unreachable was not called: it is looked at again and called once more.
      const answer = yield* Effect.retry(
        Effect.flatMap(
          unchanged(origin),
          (generation) => peers.call(server, { generation, tool, args, timeoutMs, idempotencyKey })
        ),
        { while: ({ reason }) => reason._tag === "Unreachable", times: 1 }
      )
      const unreadable = (detail: string) => Failures.of(server, tool, new Unreadable({ detail }))
      const { isError, result } = yield* Effect.mapError(
        Effect.fromResult(Content.read(digest, answer, bounds)),
        unreadable
      )
      if (isError) return yield* Failures.of(server, tool, new Failures.Failed({ said: result }))
      const { output } = origin.checks
      if (output === undefined) return result
      const fault = result.structured === null
        ? "it has no structured content, which its definition promises"
        : output(result.structured)
      return fault === undefined ? result : yield* unreadable(fault)
    })

    const shelf = Effect.fnUntraced(function*(server: string) {
      const its = yield* serverOf(server)
      const { entries } = yield* shelved(server)
      return yield* Effect.forEach(
        entries,
        (entry) => Effect.map(held(server, entry.tool), ({ pin }) => Views.toolOf(server, its, entry, pin))
      )
    })

    const approve = Effect.fnUntraced(function*(order: Order & { readonly definition: Digest.Hash }) {
      const { by, definition, reason, server, tool } = order
      const { entry, settings } = yield* found(server, tool)
      if (entry.pinnable.hash !== definition) {
        const remedy = "look at it again with aosiq mcp tools"
        const detail = "is another by now than was shown"
        return yield* Failures.of(server, tool, new NotApproved({ detail, remedy }))
      }
      const pin = yield* kept(server, tool)(pins.approve({ server, tool, pinnable: entry.pinnable }, { by, reason }))
      return Views.toolOf(server, settings, entry, pin)
    })

    const withdraw = Effect.fnUntraced(function*({ by, reason, server, tool }: Order) {
      const pin = yield* kept(server, tool)(pins.withdraw(server, tool, { by, reason }))
      if (pin !== undefined) return
      return yield* Failures.of(
        server,
        tool,
        new NotListed({ detail: "was never approved", remedy: "see aosiq mcp tools" })
      )
    })

    return Bridge.of({
      // The types repeat what the name and the capability are made of.
      tool: (server, resource) =>
        named(server, resource, (tool) => make(server, tool)) as Effect.Effect<never, McpError>,
      renewed: (server, resource, before) =>
        named(server, resource, (tool) => renewed(server, tool, before)) as Effect.Effect<never, McpError>,
      next: (server, resource, before) =>
        named(server, resource, (tool) => next(server, tool, before)) as Effect.Effect<never, McpError>,
      tools: (server) =>
        Effect.gen(function*() {
          yield* serverOf(server)
          const { entries } = yield* shelved(server)
          const made = yield* Effect.forEach(entries, (entry) => Effect.option(make(server, entry.tool)))
          // The whole server covers each of its tools.
          return made.flatMap(Option.toArray) as ReadonlyArray<Governed.AnyGoverned> as never
        }),
      perform,
      servers: Effect.forEach(
        Object.entries(servers),
        ([name, server]) => Effect.map(peers.status(name), (status) => Views.serverOf(name, server, status))
      ),
      shelf,
      approve: (order) => asPerson(approve(order)),
      withdraw: (order) => asPerson(withdraw(order))
    })
  })
)

/** Provides the handlers of tools that the bridge made. */
export const layer = <const T extends ReadonlyArray<Governed.AnyGoverned>>(
  ...tools: T
): Layer.Layer<Tool.HandlerOf<T[number]>, never, Bridge> =>
  tools.reduce<Layer.Layer<never, never, Bridge>>(
    (all, tool) => Layer.merge(all, handled(tool)),
    Layer.empty
  ) as Layer.Layer<Tool.HandlerOf<T[number]>, never, Bridge> // One handler was merged for each.

// internal

const handled = (tool: Governed.AnyGoverned): Layer.Layer<never, never, Bridge> =>
  Layer.unwrap(
    Effect.map(Bridge, ({ perform }) =>
      Tool.layer(tool, (args, permit) =>
        Effect.catch(perform(tool, args, permit), (failed) =>
          // An act that cannot be undone and may have happened is for an operator to settle, not for its actor to read.
          !tool.reversible && isOpen(failed) ? Effect.die(failed) : Effect.fail(failed))))
  )
