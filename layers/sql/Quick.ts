/**
 * Groups of checkpoints, which touch nothing but what belongs to their own sessions. They take two statements and no
 * transaction around them. The second one writes only if the sessions stand where the first one saw them: every change
 * of anything that belongs to a session moves its `seq`. Where it did not write, or nobody knows whether it did, the
 * group goes the long way, which looks for the row that this one may have left.
 */
import { Clock, Effect } from "effect"
import type { SqlClient, SqlError, Statement } from "effect/sql"
import type { Digest, Log, Row } from "../../src/audit/index.ts"
import { type Store, Transition } from "../../src/governor/index.ts"
import { inTime } from "./Attempt.ts"
import * as State from "./State.ts"

/** What the commits of a group came to. */
export type Results = ReadonlyArray<ReturnType<typeof Transition.apply>>

/** A try whose answer was lost: what it came to, if the row is there. */
export interface Lost {
  readonly results: Results
  readonly row: Row.Row
}

/** How a try went. `Elsewhere` wrote nothing. */
export type Tried =
  | { readonly _tag: "Done"; readonly results: Results }
  | { readonly _tag: "Elsewhere" }
  | { readonly _tag: "Lost"; readonly lost: Lost }

/** Whether a group can go this way. */
export const isQuick = (commits: ReadonlyArray<Store.Commit>): boolean =>
  commits.every(({ _tag }) => _tag === "Checkpoint")

/** Tries it once. */
export const attempt = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  digest: Digest.Digest["Service"],
  commits: ReadonlyArray<Store.Commit>
): Effect.fn.Return<Tried> {
  let lost: Lost | undefined
  return yield* Effect.gen(function*() {
    const at = yield* Clock.currentTimeMillis
    const space = yield* inTime(load(sql, commits))
    const seen = [...space.sessions.values()]
    const results = commits.map((commit) => Transition.apply(digest, space, commit, at))
    const [row] = space.rows
    if (row === undefined) return { _tag: "Done" as const, results }
    lost = { results, row }
    const isSaved = yield* inTime(save(sql, digest, space, seen))
    return isSaved ? { _tag: "Done" as const, results } : elsewhere
  }).pipe(
    // Whatever it was, the long way comes to it again and says so.
    Effect.catchCause(() => Effect.succeed<Tried>(lost === undefined ? elsewhere : { _tag: "Lost", lost }))
  )
})

/** The same for one of its commits. */
export const ofOne = (lost: Lost | undefined, index: number): Lost | undefined => {
  const result = lost?.results[index]
  return lost === undefined || result === undefined ? undefined : { ...lost, results: [result] }
}

/** Whether a lost try was written, seen by a transaction that holds its sessions: then it is over, one way or the other. */
export const isWritten = (
  sql: SqlClient.SqlClient,
  { row: { hash, seq, session } }: Lost
): Effect.Effect<boolean, SqlError.SqlError> =>
  Effect.map(
    sql`select 1 as there from aosiq_rows where session = ${session} and seq = ${seq} and hash = ${hash}`,
    (found) => found.length > 0
  )

// internal

const elsewhere: Tried = { _tag: "Elsewhere" }

interface Loaded extends State.Loaded {
  readonly sessions: ReadonlyArray<Omit<Log.Summary, "startedAt"> & { readonly started_at: number }>
}

/** What the group needs, unlocked. */
const load = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, commits: ReadonlyArray<Store.Commit>) {
  const wanted = commits.map(Transition.reads)
  const ids = JSON.stringify([...new Set(wanted.flatMap((read) => read.sessions))])
  const [row] = yield* sql<{ readonly loaded: Loaded }>`
    select json_build_object('sessions', (select coalesce(json_agg(s), '[]') from aosiq_sessions s
      where id = any(array(select json_array_elements_text(${ids}::json))))${State.loading(sql, wanted)}) as loaded`
  const space = Transition.workspace()
  for (const { started_at, ...session } of row?.loaded.sessions ?? []) {
    space.sessions.set(session.id, { ...session, startedAt: started_at })
  }
  State.fill(space, row?.loaded ?? {})
  return space
})

/** Writes what changed, if the sessions still stand as `seen`; says whether they did. */
const save = (
  sql: SqlClient.SqlClient,
  digest: Digest.Digest["Service"],
  space: Transition.Workspace,
  seen: ReadonlyArray<Log.Summary>
): Effect.Effect<boolean, SqlError.SqlError> => {
  const expected = JSON.stringify(seen.map(({ epoch, id, seq, status }) => ({ id, epoch, seq, status })))
  const given = (json: string) => sql`(select case when ok then ${json}::json else '[]'::json end from g)`
  const rows = JSON.stringify(space.rows.map((row) => ({ ...row, body: digest.canonical(row.body) })))
  const moved = JSON.stringify([...space.dirty.sessions].flatMap((id) => {
    const session = space.sessions.get(id)
    return session === undefined ? [] : [{ id, seq: session.seq, head: session.head }]
  }))
  const changes: ReadonlyArray<Statement.Fragment> = [
    sql`insert into aosiq_rows (session, seq, at, key, body, prev, hash)
      select session, seq, at, key, body, prev, hash from json_to_recordset(${given(rows)})
        as x(session text, seq int, at bigint, key text, body text, prev text, hash text)`,
    sql`update aosiq_sessions s set seq = x.seq, head = x.head
      from json_to_recordset(${given(moved)}) as x(id text, seq int, head text)
      where s.id = x.id and s.id = any(array(select e->>'id' from json_array_elements(${moved}::json) e))`,
    ...State.changes(sql, space, given)
  ]
  return sql<{ readonly ok: boolean }>`
    with g as materialized (select count(*) = ${seen.length} as ok from (
      select s.id from aosiq_sessions s join json_to_recordset(${expected}::json)
        as x(id text, epoch int, seq int, status text) using (id, epoch, seq, status)
      where s.id = any(array(select e->>'id' from json_array_elements(${expected}::json) e))
      order by s.id for update of s) f),
    ${sql.join(", ", false)(changes.map((change, index) => sql`${sql.literal(`c${index}`)} as (${change})`))}
    select ok from g`.pipe(Effect.map(([row]) => row?.ok === true))
}
