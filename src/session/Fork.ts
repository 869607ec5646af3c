/**
 * Forks: a session that goes on from a row of another, under a name, a token and a budget of its own. What the other did up
 * to that row is its past: it is answered from there and never done again. So the row may not lie within an act.
 *
 * Everything here is data and pure; `Opening` opens what comes of it.
 */
import { Result } from "effect"
import type { Digest, Log, Row } from "../audit/index.ts"
import { Capability, Claims } from "../capability/index.ts"
import { Checkpoint, Lost } from "../governor/index.ts"
import { NotForkable } from "./Ended.ts"
import type { Authority } from "./Opening.ts"

/** From where: a row by its `seq`, or the one that first names a checkpoint; the last that will do when left out. */
export interface From {
  readonly seq?: number | undefined
  readonly checkpoint?: string | undefined
}

/** The row to fork from, or why there is none. */
export const pointOf = (
  { id, parent, status }: Log.Summary,
  rows: ReadonlyArray<Row.Row>,
  from: From
): Result.Result<Row.Row, NotForkable> => {
  if (parent !== null) return refuse(`${id} is a child, and goes on in its parent`, "fork the session at its root")
  if (status === "standing") return refuse(`${id} is run by nobody`, "fork a session of an actor")
  if (rows.some(({ body }) => body.kind === "noted" && body.what === "revoked")) {
    return refuse(`the token of ${id} was revoked`, "dispatch a new session")
  }
  const wanted = wantedOf(rows, from)
  if (wanted === undefined) return refuse(`${id} has no such row`, `fork from one of its ${rows.length} rows`)
  const { quiet, within } = quietBefore(rows, wanted)
  const row = rows[quiet]
  if (row === undefined) return refuse(`${id} has no rows`, "dispatch a new session")
  if (within === null || isOpenEnded(from)) return Result.succeed(row)
  return refuse(`at row ${wanted} of ${id}, ${within} is under way or its outcome is open`, `fork from row ${quiet}`)
}

/** The claims of a fork: no wider than its origin's in any of them, its time among them, nor than what is granted. */
export const claimsOf = (
  origin: Claims.Claims,
  { names, terms }: Authority,
  own: { readonly actor: string; readonly sid: Claims.SessionId; readonly jti: Claims.TokenId; readonly now: number }
): Result.Result<Claims.Claims, Claims.DepthExhausted> => {
  const ask: Claims.Ask = {
    sub: own.actor,
    sid: own.sid,
    jti: own.jti,
    iat: own.now,
    exp: own.now + terms.lifetimeSeconds,
    depth: terms.depth,
    capabilities: names.filter(Capability.isName),
    budget: terms.budgetMicroUsd,
    limits: terms.limits
  }
  // It stands beside its origin, and takes no step down from it.
  return Result.map(
    Claims.narrow({ ...origin, depth: origin.depth + 1 }, ask),
    (claims) => ({ ...claims, backends: Capability.backendsOf(claims.capabilities) })
  )
}

/** The state of graphs as it was at that row, as far as it is still kept and is what the rows say; oldest first. */
export const carried = (
  digest: Digest.Digest["Service"],
  kept: ReadonlyArray<Checkpoint.Kept>,
  rows: ReadonlyArray<Row.Row>,
  seq: number
): ReadonlyArray<Checkpoint.Change> =>
  kept.toReversed().flatMap((one): ReadonlyArray<Checkpoint.Change> => {
    const naming = rows.filter(({ body }) =>
      body.kind === "checkpoint" && body.thread === one.thread && body.ns === one.ns && body.id === one.id
    )
    const then = naming.findLast((row) => row.seq <= seq)
    const isSame = then !== undefined && then === naming.at(-1)
    // Writes that came later are not of that row's past.
    const was = isSame ? one : { ...one, writes: [] }
    if (then?.body.kind !== "checkpoint" || then.body.state !== Checkpoint.keptHash(digest, was)) return []
    return [saved(was), ...written(was)]
  })

// internal

const refuse = (detail: string, remedy: string) => Result.fail(new NotForkable({ detail, remedy }))

const isOpenEnded = ({ checkpoint, seq }: From) => seq === undefined && checkpoint === undefined

const wantedOf = (rows: ReadonlyArray<Row.Row>, { checkpoint, seq }: From): number | undefined => {
  if (checkpoint !== undefined) {
    return rows.find(({ body }) => body.kind === "checkpoint" && body.id === checkpoint)?.seq
  }
  const wanted = seq ?? rows.length - 1
  return wanted >= 0 && wanted < rows.length ? wanted : undefined
}

/** The last row by then at which no act is open, and what is open at the wanted one. */
const quietBefore = (rows: ReadonlyArray<Row.Row>, wanted: number) => {
  const open = new Map<number, { readonly act: string; readonly place: string; readonly isFinal: boolean }>()
  let quiet = 0
  for (const { body, key, seq } of rows.slice(0, wanted + 1)) {
    if (body.kind === "intent" && key !== null) {
      const place = Lost.placeOf(key)
      // Another attempt takes the place of the one before.
      for (const [at, act] of open) if (act.place === place) open.delete(at)
      open.set(seq, { act: body.act, place, isFinal: body.ticket !== null || body.rule !== undefined })
    }
    // What can be undone is simply asked for again; how the rest ended must be known.
    if (body.kind === "outcome" && !(open.get(body.intent)?.isFinal === true && Lost.isOpen(false, body.status))) {
      open.delete(body.intent)
    }
    if (body.kind === "settled" && body.choice !== "retry") open.delete(body.intent)
    if (open.size === 0) quiet = seq
  }
  const [first] = open.values()
  return { quiet, within: first?.act ?? null }
}

const saved = ({ channels, values, ...rest }: Checkpoint.Kept): Checkpoint.Saved => ({
  _tag: "Saved",
  thread: rest.thread,
  ns: rest.ns,
  id: rest.id,
  parent: rest.parent,
  within: rest.within,
  needs: rest.needs,
  state: rest.state,
  metadata: rest.metadata,
  versions: Object.fromEntries(Object.entries(channels).map(([channel, [version]]) => [channel, version])),
  values: Object.fromEntries(
    Object.entries(channels).flatMap(([channel, [, hash]]) => {
      const value = hash === null ? undefined : values[hash]
      return value === undefined ? [] : [[channel, value]]
    })
  )
})

const written = ({ id, ns, thread, writes }: Checkpoint.Kept): ReadonlyArray<Checkpoint.Written> =>
  writes.map(({ path, task, ...write }) => ({ _tag: "Written", thread, ns, id, task, path, writes: [write] }))
