/**
 * The servers of the settings by the official client. A server is started when it is first needed; one that was lost is
 * started again when it is needed next, not before its back-off has passed, and a call that would have to wait for that
 * longer than a moment fails at once. Calls beyond the bound of a server wait for their turn.
 */
import { Clock, type Config, Effect, Exit, Layer, type Schema, Scope, Semaphore } from "effect"
import { FetchHttpClient } from "effect/http"
import { isDeepStrictEqual } from "node:util"
import { type McpError, McpFailure, McpPeers, McpSettings } from "../../src/mcp/index.ts"
import { Redact } from "../../src/trust/index.ts"
import * as Connection from "./Connection.ts"
import * as Http from "./Http.ts"
import * as Secrets from "./Secrets.ts"
import * as Stdio from "./Stdio.ts"

/** The first wait after a server was lost, doubled each time up to the longest. */
export const backOffMs = { first: 250, longest: 60_000 }
/** How long a server must have been up for its next loss to count as the first. */
export const steadyMs = 60_000
/** The longest that a call waits for a back-off to pass. */
export const patienceMs = 5000
/** How long a listing is taken for what the server has, if it says nothing. */
export const listingMs = 300_000

/** The servers of the settings in force. Variables that they name must be there. */
export const layer: Layer.Layer<McpPeers.Peers, Config.ConfigError> = Layer.effect(
  McpPeers.Peers,
  Effect.gen(function*() {
    const { servers } = yield* McpSettings.Current
    const peers = new Map<string, Peer>()
    for (const [name, server] of Object.entries(servers)) peers.set(name, yield* peerOf(name, server))
    const at = (server: string) => {
      const peer = peers.get(server)
      const remedy = "see aosiq mcp list"
      return peer === undefined
        ? Effect.fail(
          McpFailure.of(server, null, new McpFailure.NotListed({ detail: "is not in the settings", remedy }))
        )
        : Effect.succeed(peer)
    }
    return McpPeers.Peers.of({
      list: (server, maxAgeMs) => Effect.flatMap(at(server), ({ list }) => list(maxAgeMs)),
      call: (server, call) => Effect.flatMap(at(server), (peer) => peer.call(call)),
      status: (server) => Effect.suspend(() => peers.get(server)?.status ?? Effect.succeed(McpPeers.idle))
    })
  })
)

// internal

interface Peer {
  readonly list: (maxAgeMs?: number) => Effect.Effect<McpPeers.Listed, McpError>
  readonly call: (call: McpPeers.Call) => Effect.Effect<Schema.Json, McpError>
  readonly status: Effect.Effect<McpPeers.Status>
}

interface Live {
  readonly connection: Connection.Connection
  readonly noise: () => number
  readonly scope: Scope.Closeable
  readonly openedAt: number
  listing: Listing | undefined
}

interface Listing extends McpPeers.Listed {
  readonly edition: number
  readonly at: number
}

interface State {
  live: Live | undefined
  /** Losses in a row. */
  losses: number
  notBefore: number
  starts: number
  /** Counts listings, of all connections. */
  generation: number
  trouble: string | null
  about: Connection.About | null
  readonly refused: Map<string, number>
  noise: number
}

const peerOf = Effect.fnUntraced(function*(name: string, server: McpSettings.ServerSettings) {
  const { maxCalls, maxMessageBytes, roots, timeoutMs } = McpSettings.of(server)
  const values = yield* Secrets.resolve("command" in server ? server.env ?? {} : server.headers ?? {})
  const inherited = "command" in server ? yield* Secrets.inherited(server.inherit ?? McpSettings.inherited) : {}
  const hide = Secrets.hider(values)
  const fetch = yield* FetchHttpClient.Fetch
  const gate = yield* Semaphore.make(1)
  const turns = yield* Semaphore.make(maxCalls)
  const scope = yield* Scope.Scope
  const state: State = {
    live: undefined,
    losses: 0,
    notBefore: 0,
    starts: 0,
    generation: 0,
    trouble: null,
    about: null,
    refused: new Map(),
    noise: 0
  }
  const told = (detail: string) => Redact.redact(hide.text(detail)).slice(0, maxDetail)
  const reasonOf = ({ code, detail, kind }: Connection.Trouble): McpError["reason"] => {
    const said = told(detail)
    switch (kind) {
      case "unreached":
        return new McpFailure.Unreachable({ detail: said })
      case "unanswered":
        return new McpFailure.Unanswered({ detail: said })
      case "rejected":
        return new McpFailure.Rejected({ code, detail: said })
      case "unreadable":
        return new McpFailure.Unreadable({ detail: said })
    }
  }
  const failed = (tool: string | null) => (trouble: Connection.Trouble) => McpFailure.of(name, tool, reasonOf(trouble))
  const unreachable = (detail: string) => McpFailure.of(name, null, new McpFailure.Unreachable({ detail }))

  /** Notes a loss, and from when on the server may be started again. */
  const lost = Effect.fnUntraced(function*(live: Live | undefined, trouble: string) {
    const now = yield* Clock.currentTimeMillis
    const wasSteady = live !== undefined && now - live.openedAt >= steadyMs
    state.losses = wasSteady ? 1 : state.losses + 1
    state.notBefore = now + Math.min(backOffMs.longest, backOffMs.first * 2 ** Math.min(state.losses - 1, 20))
    state.trouble = told(trouble)
    if (live !== undefined) yield* ended(live)
  })

  const ended = (live: Live) =>
    Effect.suspend(() => {
      state.live = undefined
      for (const [method, times] of live.connection.refused) {
        state.refused.set(method, (state.refused.get(method) ?? 0) + times)
      }
      state.noise += live.noise()
      return Scope.close(live.scope, Exit.void)
    })

  const started = Effect.fnUntraced(function*() {
    const own = yield* Scope.fork(scope)
    state.starts++
    const stdio = "command" in server
      ? Stdio.make({
        command: server.command,
        args: server.args ?? [],
        cwd: server.cwd,
        env: { ...inherited, ...Secrets.plain(values) },
        maxMessageBytes
      })
      : undefined
    const transport = stdio ?? ("url" in server
      ? Http.make({ fetch, url: server.url, headers: Secrets.plain(values), maxMessageBytes })
      : undefined)
    if (transport === undefined) return yield* Effect.die("a server is local or remote")
    const said = () => stdio?.said() ?? ""
    const connection = yield* Scope.provide(Connection.open(transport, { roots, said }), own).pipe(
      Effect.onError((cause) => Scope.close(own, Exit.failCause(cause)))
    )
    const openedAt = yield* Clock.currentTimeMillis
    state.about = connection.about
    state.trouble = null
    const noise = () => stdio?.noise() ?? 0
    const live: Live = { connection, noise, scope: own, openedAt, listing: undefined }
    state.live = live
    return live
  })

  /** The connection that is up; a new one if none is and its time has come. */
  const connected = gate.withPermits(1)(Effect.gen(function*() {
    const { live } = state
    if (live?.connection.isOpen() === true) return live
    if (live !== undefined) yield* lost(live, live.connection.trouble() ?? "it ended by itself")
    const wait = state.notBefore - (yield* Clock.currentTimeMillis)
    if (wait > patienceMs) {
      return yield* unreachable(
        `it was lost ${state.losses} times and is not started again for ${Math.ceil(wait / 1000)} s`
      )
    }
    if (wait > 0) yield* Effect.sleep(wait)
    return yield* Effect.catch(
      started(),
      (trouble) => Effect.flatMap(lost(undefined, trouble.detail), () => Effect.fail(failed(null)(trouble)))
    )
  }))

  const listed = Effect.fnUntraced(
    function*(live: Live, maxAgeMs: number): Effect.fn.Return<Listing, Connection.Trouble> {
      const edition = live.connection.edition()
      const now = yield* Clock.currentTimeMillis
      const { listing: known } = live
      if (known?.edition === edition && now - known.at < maxAgeMs) return known
      const tools = (yield* live.connection.list(timeoutMs)).map(hide.json)
      const said = known !== undefined && isDeepStrictEqual(known.tools, tools)
        ? { generation: known.generation, tools: known.tools }
        : { generation: ++state.generation, tools }
      // What was read before a change that was told of meanwhile is read again the next time.
      return live.listing = { ...said, edition, at: now }
    }
  )

  const list = Effect.fnUntraced(function*(maxAgeMs = listingMs) {
    const live = yield* connected
    return yield* Effect.mapError(
      gate.withPermits(1)(listed(live, maxAgeMs)),
      // A listing changes nothing: whatever happened to it, the server was not reached.
      (trouble) => unreachable(failed(null)(trouble).message)
    )
  })

  const call = ({ args, generation, idempotencyKey, timeoutMs, tool }: McpPeers.Call) =>
    turns.withPermits(1)(Effect.gen(function*() {
      const { live } = state
      const isSame = live?.listing?.generation === generation && live.connection.isOpen() &&
        live.listing.edition === live.connection.edition()
      if (!isSame) {
        return yield* McpFailure.of(
          name,
          tool,
          new McpFailure.Unreachable({ detail: "it was lost, or has other tools by now" })
        )
      }
      const request = { name: tool, arguments: args, key: idempotencyKey, timeoutMs: timeoutMs + spareMs }
      return hide.json(yield* Effect.mapError(live.connection.call(request), failed(tool)))
    }))

  const status = Effect.sync((): McpPeers.Status => {
    const { live } = state
    const isUp = live?.connection.isOpen() === true
    const refused = new Map(state.refused)
    for (const [method, times] of live?.connection.refused ?? []) {
      refused.set(method, (refused.get(method) ?? 0) + times)
    }
    const trouble = isUp ? state.trouble : live?.connection.trouble() ?? state.trouble
    return {
      state: isUp ? "up" : state.starts === 0 ? "idle" : "lost",
      about: state.about,
      starts: state.starts,
      trouble: trouble === null ? null : told(trouble),
      refused: Object.fromEntries(refused),
      noise: state.noise + (live?.noise() ?? 0)
    }
  })

  return { list, call, status } satisfies Peer
})

/** Characters of what went wrong. */
const maxDetail = 500
/** The client's own time-out comes after that of the act, which cancels the call. */
const spareMs = 5000
