/**
 * Which tools are to be had just now: those that the settings let in, that the server says it has, and whose definition there
 * is the one that operators approved last.
 *
 * A definition that is another stops its tool for every process. Two things do not: a listing from before the approval, which
 * is why the server is asked anew first, and a definition that was approved before the present one, which an older server may
 * honestly say; its tool is refused in this process alone.
 */
import { Effect, type Schema } from "effect"
import type { Digest } from "../audit/index.ts"
import type { Store } from "../governor/index.ts"
import type { McpError } from "./McpError.ts"
import { NotApproved, NotListed, Unfit } from "./McpError.ts"
import * as Failures from "./McpError.ts"
import type { Peers } from "./Peers.ts"
import * as Pins from "./Pins.ts"
import * as Settings from "./Settings.ts"
import type * as Shelf from "./Shelf.ts"
import * as Views from "./Views.ts"

/** A tool that a server has and an operator lets in. */
export interface Found {
  readonly settings: Settings.ServerSettings
  readonly marks: Settings.Marks
  readonly entry: Shelf.Fit
  /** Of the listing that it stands in. */
  readonly generation: number
}

/** What is looked at. */
export interface Parts {
  readonly servers: Settings.Settings["servers"]
  readonly peers: Peers["Service"]
  readonly pins: Pins.Pins
  readonly read: (server: string, tools: ReadonlyArray<Schema.Json>) => Shelf.Shelf
}

/** How old a listing may be that does not have what operators approved, milliseconds: a server is asked no oftener. */
export const waitMs = 5000

/** Looks at tools. */
export const make = ({ peers, pins, read, servers }: Parts) => {
  const serverOf = (server: string) => {
    const found = Object.hasOwn(servers, server) ? servers[server] : undefined
    return found === undefined
      ? Effect.fail(Failures.of(server, null, notListed("is not in the settings", "add it, or see aosiq mcp list")))
      : Effect.succeed(found)
  }

  const shelved = (server: string, maxAgeMs?: number) =>
    Effect.map(
      peers.list(server, maxAgeMs),
      ({ generation, tools }) => ({ generation, ...read(server, tools) })
    )

  /** What the settings say of a tool that they let in. */
  const letIn = Effect.fnUntraced(function*(server: string, tool: string) {
    const settings = yield* serverOf(server)
    const marks = Settings.marksOf(settings, tool)
    if (marks !== undefined) return { settings, marks }
    return yield* Failures.of(server, tool, notListed("is not let in", `name it under servers.${server}.tools`))
  })

  const found = Effect.fnUntraced(function*(
    server: string,
    tool: string,
    maxAgeMs?: number
  ): Effect.fn.Return<Found, McpError> {
    const said = yield* letIn(server, tool)
    const { byTool, generation } = yield* shelved(server, maxAgeMs)
    const entry = byTool.get(tool)
    if (entry === undefined) {
      return yield* Failures.of(server, tool, notListed("is not there", "see aosiq mcp tools"))
    }
    if (entry._tag === "Unfit") return yield* Failures.of(server, tool, new Unfit({ detail: entry.detail }))
    return { ...said, entry, generation }
  })

  const kept = (server: string, tool: string) => <A>(self: Effect.Effect<A, Store.StoreError>) =>
    Effect.mapError(self, ({ reason }) => {
      const remedy = "try again once the log answers"
      return Failures.of(
        server,
        tool,
        new NotApproved({ detail: `cannot be looked up: ${reason.detail}`, remedy })
      )
    })

  const held = (server: string, tool: string) => kept(server, tool)(pins.held(server, tool))

  /** The tool, if its definition is the approved one; else why it is refused, and on record if it was stopped by that. */
  const approved = Effect.fnUntraced(function*(server: string, tool: string): Effect.fn.Return<Found, McpError> {
    const said = yield* found(server, tool)
    const known = yield* held(server, tool)
    const standing = Views.standingOf(known.pin, said.entry.pinnable)
    if (standing === "approved") return said
    if (standing === "new" && Settings.of(said.settings).firstUse === "pin") {
      const word = { by: Pins.runtime, reason: "taken at its first use, as the settings say" }
      yield* kept(server, tool)(pins.approve({ server, tool, pinnable: said.entry.pinnable }, word))
      return said
    }
    if (standing !== "changed" && standing !== "older") return yield* notApproved(server, tool, Views.told[standing])
    // Asked after the approval was read, so that what it says cannot be from before that.
    const now = yield* found(server, tool, 0)
    const { pinnable } = now.entry
    const present = Views.standingOf(known.pin, pinnable)
    if (present === "approved") return now
    if (present === "older") {
      return yield* Failures.of(server, tool, new NotApproved({ detail: Views.told.older, remedy: Views.renew }))
    }
    yield* kept(server, tool)(pins.stop(pinnable, known))
    return yield* notApproved(server, tool, Views.told.changed)
  })

  /** Whether operators approved another definition than `before` and the server says it. What is kept is looked at first. */
  const isRenewed = Effect.fnUntraced(function*(server: string, tool: string, before: Digest.Hash | undefined) {
    const { pin } = yield* held(server, tool)
    if (pin?.state !== "approved" || pin.definition === before) return false
    // While the server says another one here, making the tool could stop it, for every process.
    const isSaid = (maxAgeMs?: number) =>
      Effect.map(found(server, tool, maxAgeMs), ({ entry }) => entry.pinnable.hash === pin.definition)
    const isSaidYet = Effect.catchIf(
      isSaid(),
      ({ reason }) => reason._tag !== "Unreachable",
      () => Effect.succeed(false)
    )
    return (yield* isSaidYet) || (yield* isSaid(waitMs))
  })

  return { serverOf, shelved, letIn, found, kept, held, approved, isRenewed }
}

// internal

const notListed = (detail: string, remedy: string) => new NotListed({ detail, remedy })

const notApproved = (server: string, tool: string, detail: string) => {
  const remedy = `look at it with aosiq mcp tools ${server}, then aosiq mcp approve ${server} ${JSON.stringify(tool)}`
  return Failures.of(server, tool, new NotApproved({ detail, remedy }))
}
