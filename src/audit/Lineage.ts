/**
 * The past that a session has from others: one that was forked goes on from a row of another, which its genesis row names
 * by its hash. What stands there up to that row is its past too, and is written once.
 */
import { Effect, Option } from "effect"
import type { Claims } from "../capability/index.ts"
import type { Finding } from "./Finding.ts"
import { type Log, LogError } from "./Log.ts"
import type { Row } from "./Row.ts"

/** The rows that are handed on, from the genesis row to the last. */
export interface Part {
  readonly session: Claims.SessionId
  /** The signed token of that session. */
  readonly token: string
  readonly rows: ReadonlyArray<Row>
}

/** Forks of forks. */
export const maxGenerations = 16

/** Where a chain goes on from; nothing when it begins by itself. */
export const originOf = (rows: ReadonlyArray<Row>) => {
  const body = rows[0]?.body
  return body?.kind === "genesis" ? body.origin : undefined
}

/** What came before these rows in other sessions, the oldest first. The rows are as stored; not yet verified. */
export const before = Effect.fnUntraced(function*(
  log: Log["Service"],
  own: ReadonlyArray<Row>
): Effect.fn.Return<ReadonlyArray<Part>, LogError> {
  const parts: Array<Part> = []
  for (let origin = originOf(own); origin !== undefined;) {
    const { hash, seq, session } = origin
    if (parts.length >= maxGenerations) return yield* broken(`it has more than ${maxGenerations} sessions before it`)
    const found = yield* log.session(session)
    const rows = yield* log.rows(session, 0, seq + 1)
    if (Option.isNone(found) || rows.length !== seq + 1 || rows[seq]?.hash !== hash) {
      return yield* broken(`row ${seq} of ${session}, from which it was forked, is not what was bound`)
    }
    parts.unshift({ session, token: found.value.token, rows })
    origin = originOf(rows)
  }
  return parts
})

/** What the rows of one chain say of forks. */
export interface Traces {
  readonly id: Claims.SessionId
  readonly origin: ReturnType<typeof originOf>
  /** Hashes of its rows, where others go on from them. */
  readonly hashes: ReadonlyArray<string>
}

/** The traces in a chain that holds. */
export const trace = (id: Claims.SessionId, rows: ReadonlyArray<Row>): Traces => ({
  id,
  origin: originOf(rows),
  hashes: rows.some(({ body }) => body.kind === "noted" && body.what === "forked") ? rows.map(({ hash }) => hash) : []
})

/** Forks whose origin is gone, or is not what they name. Nothing is said of origins that are `broken` in themselves. */
export const judge = (
  all: ReadonlyArray<Traces>,
  broken: ReadonlySet<string>,
  isComplete: boolean
): ReadonlyArray<Finding> => {
  const byId = new Map<string, Traces>(all.map((traces) => [traces.id, traces]))
  return all.flatMap(({ id, origin }): ReadonlyArray<Finding> => {
    if (origin === undefined || broken.has(origin.session)) return []
    const found = byId.get(origin.session)
    if (found === undefined && !isComplete) return []
    if (found?.hashes[origin.seq] === origin.hash) return []
    const what = found === undefined ? "which is not here" : "and that is not what its chain says"
    const detail = `it was forked from row ${origin.seq} of ${origin.session}, ${what}`
    return [{ kind: "bad_genesis", session: id, seq: 0, detail }]
  })
}

// internal

const broken = (detail: string) => Effect.fail(new LogError({ detail, remedy: "restore the log from a backup" }))
