/**
 * What a test of an actor needs: the whole runtime in memory, scripted and recorded backends, and questions to ask of what
 * was recorded.
 */
import { Effect } from "effect"
import { Log } from "../../src/audit/index.ts"
import type { Claims } from "../../src/capability/index.ts"
import { Store } from "../../src/governor/index.ts"

export { Recorded, Scripted } from "../../src/backend/index.ts"
export * as Hijack from "./Hijack.ts"
export { layer } from "./Memory.ts"

/** The acts of a session that succeeded, in order. */
export const acts = (session: Claims.SessionId): Effect.Effect<ReadonlyArray<string>, Log.LogError, Log.Log> =>
  Effect.map(
    Effect.flatMap(Log.Log, (log) => log.rows(session)),
    (rows) => rows.flatMap(({ body }) => body.kind === "outcome" && body.status === "succeeded" ? [body.act] : [])
  )

/** The refusals of a session, as `act: layer`. */
export const refusals = (session: Claims.SessionId): Effect.Effect<ReadonlyArray<string>, Log.LogError, Log.Log> =>
  Effect.map(
    Effect.flatMap(Log.Log, (log) => log.rows(session)),
    (rows) => rows.flatMap(({ body }) => body.kind === "refusal" ? [`${body.act}: ${body.layer}`] : [])
  )

/** What an account has spent, micro-dollars. */
export const spent = (account: string): Effect.Effect<number, Store.StoreError, Store.Store> =>
  Effect.map(
    Effect.flatMap(Store.Store, (store) => store.accounts),
    (accounts) => accounts.find(({ id }) => id === account)?.spent ?? 0
  )

/** Ids of the tickets that wait. */
export const waiting: Effect.Effect<ReadonlyArray<string>, Store.StoreError, Store.Store> = Effect.map(
  Effect.flatMap(Store.Store, (store) => store.tickets()),
  (tickets) => tickets.flatMap(({ id, state }) => state === "proposed" ? [id] : [])
)
