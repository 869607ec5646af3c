/**
 * The bridge: tools of MCP servers as tools of this runtime. Each has a capability of its own, waits for an approval unless
 * the operator marks it otherwise, is what an operator approved to the letter, and answers a stranger's text. A definition
 * that is another by now stops its tool, in every process, until an operator approves it again.
 *
 * A tool is made of its approved definition and stays that: an approval of another counts for those that are made after it.
 */
import { Context, Effect, Layer, Option, Schedule, Schema } from "effect"
import { Digest } from "../audit/index.ts"
import type { Governor, Permit, Store, Unready } from "../governor/index.ts"
import { outside } from "../session/index.ts"
import { Tool } from "../tool/index.ts"
import { Checker } from "./Checker.ts"
import * as Content from "./Content.ts"
import type { Pinnable } from "./Definition.ts"
import { isOpen, McpError, NotApproved, NotListed, Unfit, Unreachable, Unreadable } from "./McpError.ts"
import * as Failures from "./McpError.ts"
import * as Names from "./Names.ts"
import { Peers } from "./Peers.ts"
import * as Pins from "./Pins.ts"
import * as Settings from "./Settings.ts"
import * as Shelf from "./Shelf.ts"
import * as Views from "./Views.ts"

/** Where a tool is from. */
export interface Origin {
  readonly server: string
  /** As the server names it. */
  readonly tool: string
  readonly pinnable: Pinnable
  readonly checks: Shelf.Checks
}

/** A tool of a server, governed. It is gated as far as types go; marks of the operator are known at run time only. */
export interface Governed<out Name extends string, out Caps extends string>
  extends Tool.Tool<Name, Caps, boolean, typeof Schema.Json, typeof Content.Result, typeof McpError>
{
  readonly origin: Origin
}
/** A governed tool whose types were erased. */
export type AnyGoverned = Governed<string, string>

/** A decision about one definition. */
export interface Order {
  readonly server: string
  /** As the server names it. */
  readonly tool: string
  readonly by: string
  readonly reason: string
}

/** How soon a process notices what operators approved in another, in milliseconds. */
export const freshMs = 500

/** The bridge of this process. */
export class Bridge extends Context.Service<Bridge, {
  /** One tool, by its encoded name; fails when it is not let in, not approved or not there. */
  readonly tool: <const S extends string, const T extends string>(
    server: S,
    tool: T
  ) => Effect.Effect<Governed<Names.NameOf<S, T>, Names.CapabilityOf<S, T>>, McpError>
  /**
   * The tool, once a definition other than that of `before` is approved and its server says that one here too; waits for
   * both, whatever is in the way meanwhile. What was made before stays what it is, and stays stopped.
   */
  readonly next: <const S extends string, const T extends string>(
    server: S,
    tool: T,
    before?: AnyGoverned
  ) => Effect.Effect<Governed<Names.NameOf<S, T>, Names.CapabilityOf<S, T>>, McpError>
  /** All tools of a server that are approved; a program that calls any of them requires the whole server. */
  readonly tools: <const S extends string>(
    server: S
  ) => Effect.Effect<ReadonlyArray<Governed<Names.NameOf<S, string>, `mcp:${S}`>>, McpError>
  /** Calls a tool, holding the permit for that. `layer` does. */
  readonly perform: (
    tool: AnyGoverned,
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
    const settings = yield* Settings.Current
    const peers = yield* Peers
    const digest = yield* Digest.Digest
    const pins = yield* Pins.make
    const shelves = Shelf.make({ digest, checker: yield* Checker })
    const asPerson = outside((session) =>
      error("", null, new NotListed({ detail: `are not decided about by session ${session}`, remedy: "people do" }))
    )

    const serverOf = (server: string) => {
      const found = Object.hasOwn(settings.servers, server) ? settings.servers[server] : undefined
      return found === undefined
        ? Effect.fail(error(server, null, notListed("is not in the settings", "add it, or see aosiq mcp list")))
        : Effect.succeed(found)
    }

    const shelved = Effect.fnUntraced(function*(server: string) {
      const { generation, tools } = yield* peers.list(server)
      return { generation, entries: shelves.read(server, tools) }
    })

    /** What an operator lets in and the server has. */
    const found = Effect.fnUntraced(function*(server: string, tool: string) {
      const marks = Settings.marksOf(yield* serverOf(server), tool)
      if (marks === undefined) {
        return yield* error(server, tool, notListed("is not let in", `name it under servers.${server}.tools`))
      }
      const { entries, generation } = yield* shelved(server)
      const entry = entries.find((one) => one.tool === tool)
      if (entry === undefined) {
        return yield* error(server, tool, notListed("is not there", "see aosiq mcp tools"))
      }
      if (entry._tag === "Unfit") return yield* error(server, tool, new Unfit({ detail: entry.detail }))
      return { entry, generation, marks }
    })

    const kept = (server: string, tool: string) => <A>(self: Effect.Effect<A, Store.StoreError>) =>
      Effect.mapError(self, ({ reason }) => {
        const remedy = "try again once the log answers"
        return error(server, tool, new NotApproved({ detail: `cannot be looked up: ${reason.detail}`, remedy }))
      })

    /** Nothing, if a definition is the approved one; else why the tool is stopped, on record. */
    const approved = Effect.fnUntraced(function*(server: string, { pinnable, tool }: Shelf.Fit) {
      const { pin } = yield* kept(server, tool)(pins.held(server, tool))
      const standing = Views.standingOf(pin, pinnable)
      if (standing === "approved") return
      if (standing === "new" && Settings.of(yield* serverOf(server)).firstUse === "pin") {
        const word = { by: Pins.runtime, reason: "taken at its first use, as the settings say" }
        yield* kept(server, tool)(pins.approve({ server, tool, pinnable }, word))
        return
      }
      if (standing === "changed") yield* kept(server, tool)(pins.stop({ server, tool, pinnable }))
      return yield* error(server, tool, notApproved(standing, server, tool))
    })

    /** Whether the tool is still what it was made of, here and at the server. */
    const unchanged = Effect.fnUntraced(function*({ pinnable, server, tool }: Origin) {
      const { entry, generation } = yield* found(server, tool)
      yield* approved(server, entry)
      if (entry.pinnable.hash === pinnable.hash) return generation
      const detail = "was approved with another definition since this process made it"
      return yield* error(server, tool, new NotApproved({ detail, remedy: "make it again, or restart the process" }))
    })

    const governed = (
      server: Settings.ServerSettings,
      marks: Settings.Marks,
      origin: Origin & Pick<Shelf.Fit, "name" | "resource">
    ): AnyGoverned => {
      const { description, inputSchema, title } = origin.pinnable.definition
      const { $schema: _, ...told } = inputSchema
      const timeoutMs = marks.timeoutMs ?? Settings.of(server).timeoutMs
      const tool = Tool.make(origin.name, {
        description: description ?? title ?? origin.tool,
        capabilities: [Names.capabilityOf(origin.server, origin.resource)],
        params: Schema.Json.check(
          Schema.makeFilter((value) => origin.checks.input(value), { toJsonSchema: () => ({ ...told }) })
        ),
        success: Content.Result,
        failure: McpError,
        reversible: Settings.isReversible(marks),
        timeoutMs,
        trust: marks.trust ?? "untrusted",
        sinks: Settings.sinksOf(server, marks),
        readers: marks.readers ?? [],
        idempotent: marks.idempotent ?? false,
        ready: unchanged(origin).pipe(
          Effect.timeoutOrElse({
            duration: timeoutMs,
            orElse: () => {
              const detail = `it did not say what it is within ${timeoutMs} ms`
              return Effect.fail(error(origin.server, origin.tool, new Unreachable({ detail })))
            }
          }),
          Effect.mapError(unready),
          Effect.asVoid
        )
      })
      return { ...tool, origin }
    }

    const make = Effect.fnUntraced(function*(server: string, tool: string) {
      const { entry, marks } = yield* found(server, tool)
      yield* approved(server, entry)
      const { checks, name, pinnable, resource } = entry
      return governed(yield* serverOf(server), marks, { server, tool, pinnable, checks, name, resource })
    })

    /** Whether an operator approved another definition, and the server says it. Looks at what is kept first. */
    const isRenewed = Effect.fnUntraced(function*(server: string, tool: string, before: Digest.Hash | undefined) {
      const { pin } = yield* kept(server, tool)(pins.held(server, tool))
      if (pin?.state !== "approved" || pin.definition === before) return false
      // While the server says another one here, making the tool would stop it, for every process.
      const { entry } = yield* found(server, tool)
      return entry.pinnable.hash === pin.definition
    })

    const next = Effect.fnUntraced(function*(server: string, tool: string, before: AnyGoverned | undefined) {
      const its = yield* serverOf(server)
      if (Settings.marksOf(its, tool) === undefined) {
        return yield* error(server, tool, notListed("is not let in", `name it under servers.${server}.tools`))
      }
      const attempt = Effect.gen(function*() {
        const isDue = yield* isRenewed(server, tool, before?.origin.pinnable.hash)
        return isDue ? Option.some(yield* make(server, tool)) : Option.none()
      }).pipe(Effect.orElseSucceed(() => Option.none()))
      const made = yield* Effect.repeat(attempt, { until: Option.isSome, schedule: Schedule.spaced(freshMs) })
      return yield* Effect.fromOption(made).pipe(Effect.orDie)
    })

    const named = <A>(server: string, resource: string, use: (tool: string) => Effect.Effect<A, McpError>) =>
      Option.match(Names.decode(resource), {
        onNone: () => Effect.fail(error(server, resource, notListed("is not there", "encode its name"))),
        onSome: use
      })

    const perform = Effect.fnUntraced(function*(tool: AnyGoverned, args: Schema.Json, permit: Permit<string>) {
      const { origin } = tool
      const bounds = Settings.of(yield* serverOf(origin.server))
      // What was found unreachable was not called: it is looked at again and called once more.
      const answer = yield* Effect.retry(
        Effect.flatMap(unchanged(origin), (generation) =>
          peers.call(origin.server, {
            generation,
            tool: origin.tool,
            args,
            timeoutMs: tool.timeoutMs,
            idempotencyKey: permit.idempotencyKey
          })),
        { while: ({ reason }) => reason._tag === "Unreachable", times: 1 }
      )
      const unreadable = (detail: string) => error(origin.server, origin.tool, new Unreadable({ detail }))
      const { isError, result } = yield* Effect.mapError(
        Effect.fromResult(Content.read(digest, answer, bounds)),
        unreadable
      )
      if (isError) return yield* error(origin.server, origin.tool, new Failures.Failed({ said: result }))
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
      return yield* Effect.forEach(entries, (entry) =>
        Effect.map(
          kept(server, entry.tool)(pins.held(server, entry.tool)),
          ({ pin }) => Views.toolOf(server, its, entry, pin)
        ))
    })

    const approve = Effect.fnUntraced(function*(order: Order & { readonly definition: Digest.Hash }) {
      const { by, definition, reason, server, tool } = order
      const { entry } = yield* found(server, tool)
      if (entry.pinnable.hash !== definition) {
        const detail = "is another by now than was shown"
        return yield* error(server, tool, new NotApproved({ detail, remedy: "look at it again with aosiq mcp tools" }))
      }
      const pin = yield* kept(server, tool)(pins.approve({ server, tool, pinnable: entry.pinnable }, { by, reason }))
      return Views.toolOf(server, yield* serverOf(server), entry, pin)
    })

    const withdraw = Effect.fnUntraced(function*({ by, reason, server, tool }: Order) {
      const pin = yield* kept(server, tool)(pins.withdraw(server, tool, { by, reason }))
      if (pin === undefined) return yield* error(server, tool, notListed("was never approved", "see aosiq mcp tools"))
    })

    return Bridge.of({
      // The types repeat what the name and the capability are made of.
      tool: (server, resource) =>
        named(server, resource, (tool) => make(server, tool)) as Effect.Effect<never, McpError>,
      next: (server, resource, before) =>
        named(server, resource, (tool) => next(server, tool, before)) as Effect.Effect<never, McpError>,
      tools: (server) =>
        Effect.gen(function*() {
          yield* serverOf(server)
          const { entries } = yield* shelved(server)
          const made = yield* Effect.forEach(entries, (entry) => Effect.option(make(server, entry.tool)))
          // The whole server covers each of its tools.
          return made.flatMap(Option.toArray) as ReadonlyArray<AnyGoverned> as never
        }),
      perform,
      servers: Effect.forEach(
        Object.entries(settings.servers),
        ([name, server]) => Effect.map(peers.status(name), (status) => Views.serverOf(name, server, status))
      ),
      shelf,
      approve: (order) => asPerson(approve(order)),
      withdraw: (order) => asPerson(withdraw(order))
    })
  })
)

/** Provides the handlers of tools that the bridge made. */
export const layer = <const T extends ReadonlyArray<AnyGoverned>>(
  ...tools: T
): Layer.Layer<Tool.HandlerOf<T[number]>, never, Bridge> =>
  tools.reduce<Layer.Layer<never, never, Bridge>>(
    (all, tool) => Layer.merge(all, handled(tool)),
    Layer.empty
  ) as Layer.Layer<Tool.HandlerOf<T[number]>, never, Bridge> // One handler was merged for each.

// internal

const handled = (tool: AnyGoverned): Layer.Layer<never, never, Bridge> =>
  Layer.unwrap(
    Effect.map(Bridge, ({ perform }) =>
      Tool.layer(tool, (args, permit) =>
        Effect.catch(perform(tool, args, permit), (failed) =>
          // An act that cannot be undone and may have happened is for an operator to settle, not for its actor to read.
          !tool.reversible && isOpen(failed) ? Effect.die(failed) : Effect.fail(failed))))
  )

const error = (server: string, tool: string | null, reason: McpError["reason"]) =>
  new McpError({ server, tool, reason })

const notListed = (detail: string, remedy: string) => new NotListed({ detail, remedy })

const notApproved = (standing: Views.Standing, server: string, tool: string) => {
  const remedy = `look at it with aosiq mcp tools ${server}, then aosiq mcp approve ${server} ${JSON.stringify(tool)}`
  return new NotApproved({ detail: Views.told[standing], remedy })
}

const unready = (failed: McpError): Unready => {
  const { reason } = failed
  const remedy = "remedy" in reason ? reason.remedy : "ask again later, or go on without it"
  return { detail: failed.message.replace(`; ${remedy}`, ""), remedy }
}
