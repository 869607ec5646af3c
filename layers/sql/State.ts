/**
 * The state of runs in SQL: the parts that checkpoints and working memories add to the statements of the store. A group
 * that has nothing to do with them gets the statements without these parts.
 */
import { Effect } from "effect"
import type { SqlClient, SqlError, Statement } from "effect/sql"
import { type Checkpoint, type Store, Threads, type Transition } from "../../src/governor/index.ts"
import { patiently } from "./Failure.ts"

/** What `loading` adds to a loaded group. */
export interface Loaded {
  readonly memories?: ReadonlyArray<{ readonly session: string; readonly key: string; readonly hash: Hash }>
  readonly checkpoints?: ReadonlyArray<Omit<Threads.Entry, "texts"> & { readonly session: string }>
  readonly writes?: ReadonlyArray<Owned & Omit<Threads.WriteEntry, "value">>
  readonly values?: ReadonlyArray<Owned & { readonly hash: Hash }>
}

/** More members of the object that a group is loaded as; none, if nothing here is read. */
export const loading = (sql: SqlClient.SqlClient, reads: ReadonlyArray<Transition.Reads>): Statement.Fragment => {
  const memories = unique(reads.flatMap((read) => read.memories))
  const places = unique(reads.flatMap((read) => read.places))
  const threads = unique(reads.flatMap((read) => read.threads))
  if (memories === none && places === none && threads === none) return sql.literal("")
  const isPlace = sql`(session, thread, ns, id) in (select session, thread, ns, id
    from json_to_recordset(${places}::json) as x(session text, thread text, ns text, id text))
    and ${ofSessions(sql, "session", places)}`
  const isThread = sql`(session, thread) in (
    select session, thread from json_to_recordset(${threads}::json) as x(session text, thread text))
    and ${ofSessions(sql, "session", threads)}`
  // Whole threads are read now and then, to be compacted.
  const either = (select: Statement.Fragment) =>
    threads === none
      ? sql`${select} where ${isPlace}`
      : sql`${select} where ${isPlace} union all ${select} where ${isThread}`
  return sql`
    , 'memories', (select coalesce(json_agg(m), '[]') from aosiq_memory m
        where session = any(array(select json_array_elements_text(${memories}::json))))
    , 'checkpoints', (select coalesce(json_agg(c), '[]') from (${
    either(sql`select session, thread, ns, id, parent, within, needs, channels, base, seq from aosiq_checkpoints`)
  }) c)
    , 'writes', (select coalesce(json_agg(w), '[]') from (${
    either(sql`select session, thread, ns, id, task, idx as index, path, channel, hash from aosiq_writes`)
  }) w)
    ${
    threads === none ? sql.literal("") : sql`, 'values', (select coalesce(json_agg(v), '[]') from (
        select session, thread, hash from aosiq_values where ${isThread}) v)`
  }`
}

/** Puts what was loaded into a workspace. */
export const fill = (space: Transition.Workspace, loaded: Loaded): void => {
  for (const { hash, key, session } of loaded.memories ?? []) {
    const memory = space.memories.get(session) ?? new Map<string, Hash>()
    space.memories.set(session, memory)
    memory.set(key, hash)
  }
  for (const { session, ...entry } of loaded.checkpoints ?? []) {
    Threads.putEntry(Threads.thread(space, session, entry.thread), { ...entry, texts: undefined })
  }
  for (const { session, thread, ...write } of loaded.writes ?? []) {
    Threads.putWrite(Threads.thread(space, session, thread), { ...write, value: undefined })
  }
  for (const { hash, session, thread } of loaded.values ?? []) {
    Threads.thread(space, session, thread).values.set(hash, undefined)
  }
}

/**
 * More statements that a group is saved by. They come in a few bundles, whole or not at all: a database plans every other
 * text of a statement anew. `given` says how their JSON reaches them.
 */
export const changes = (
  sql: SqlClient.SqlClient,
  space: Transition.Workspace,
  given: (json: string) => Statement.Fragment
): ReadonlyArray<Statement.Fragment> => {
  const { ended, memories, threads } = space.dirty
  return [
    ...(threads.size === 0 ? [] : threadChanges(sql, Threads.changesOf(space), given)),
    ...(memories.size === 0 ? [] : memoryChanges(sql, space, given)),
    ...(ended.size === 0 ? [] : dropping(sql, given(JSON.stringify([...ended].toSorted()))))
  ]
}

/** Whether a commit drops state, and so leaves dead rows in the tables that hold it. */
export const leavesDead = (commit: Store.Commit): boolean =>
  commit._tag === "Checkpoint" ? commit.keep !== null : commit._tag === "Append" && commit.status !== null

/** Clears dead rows away; not in a transaction. */
export const vacuum = (sql: SqlClient.SqlClient): Effect.Effect<unknown, SqlError.SqlError> =>
  sql`vacuum aosiq_checkpoints, aosiq_values, aosiq_writes, aosiq_memory`

/** Reads checkpoints with all their texts. */
export const read = (
  sql: SqlClient.SqlClient,
  session: string,
  query: Checkpoint.Query
): Effect.Effect<ReadonlyArray<Checkpoint.Kept>, SqlError.SqlError> => {
  const { before, id, limit, ns, thread } = query
  const where = sql.and([
    sql`session = ${session}`,
    ...(thread === undefined ? [] : [sql`thread = ${thread}`]),
    ...(ns === undefined ? [] : [sql`ns = ${ns}`]),
    ...(id === undefined ? [] : [sql`id = ${id}`]),
    ...(before === undefined ? [] : [sql`id < ${before}`])
  ])
  return sql<{ readonly kept: Checkpoint.Kept }>`
    with c as materialized (
      select * from aosiq_checkpoints where ${where}
      order by id desc, thread, ns ${limit === undefined ? sql.literal("") : sql`limit ${limit}`})
    select json_build_object('thread', thread, 'ns', ns, 'id', id, 'parent', parent, 'within', within, 'needs', needs,
      'seq', seq, 'channels', channels,
      'state', json_build_object('type', type, 'text', state),
      'metadata', json_build_object('type', meta_type, 'text', metadata),
      'values', (select coalesce(json_object_agg(v.hash, json_build_object('type', v.type, 'text', v.text)), '{}')
        from aosiq_values v where v.session = c.session and v.thread = c.thread
          and v.hash in (select e.value->>1 from json_each(c.channels) e)),
      'writes', (select coalesce(json_agg(json_build_object('task', w.task, 'index', w.idx, 'path', w.path,
          'channel', w.channel, 'value', json_build_object('type', w.type, 'text', w.text))), '[]')
        from aosiq_writes w
        where w.session = c.session and w.thread = c.thread and w.ns = c.ns and w.id = c.id)) as kept
    from c order by id desc, thread, ns`.pipe(
    patiently,
    Effect.map((found) => found.map(({ kept }) => ({ ...kept, writes: Threads.inOrder(kept.writes) })))
  )
}

// internal

type Hash = Threads.Entry["base"]
type Changes = ReturnType<typeof Threads.changesOf>

interface Owned {
  readonly session: string
  readonly thread: string
}

const none = "[]"

/**
 * Rows of the sessions that are named in a JSON array. Said beside the condition that names them one by one, for their
 * key's index: the planner takes the array for longer than it is, and reads small tables whole.
 */
const ofSessions = (sql: SqlClient.SqlClient, column: "session" | "d.session", json: string) =>
  sql`${sql.literal(column)} = any(array(select e->>'session' from json_array_elements(${json}::json) e))`

/** As JSON, each once. */
const unique = (values: ReadonlyArray<unknown>): string =>
  `[${[...new Set(values.map((value) => JSON.stringify(value)))].join(",")}]`

const threadChanges = (
  sql: SqlClient.SqlClient,
  changes: Changes,
  given: (json: string) => Statement.Fragment
): ReadonlyArray<Statement.Fragment> => {
  const saved = changes.saved.map(({ texts, ...entry }) => ({
    ...entry,
    type: texts?.state.type,
    state: texts?.state.text,
    meta_type: texts?.metadata.type,
    metadata: texts?.metadata.text
  }))
  const values = changes.values.map(({ value, ...entry }) => ({ ...entry, ...value }))
  const writes = changes.writes.map(({ value, ...entry }) => ({ ...entry, ...value }))
  return [
    sql`insert into aosiq_checkpoints (session, thread, ns, id, parent, within, needs, channels, base, seq,
        type, state, meta_type, metadata)
      select session, thread, ns, id, parent, within, needs, channels, base, seq, type, state, meta_type, metadata
      from json_to_recordset(${given(JSON.stringify(saved))}) as x(session text, thread text, ns text, id text,
        parent text, within text, needs int, channels json, base text, seq int, type text, state text,
        meta_type text, metadata text)
      on conflict (session, thread, ns, id) do update set parent = excluded.parent, within = excluded.within,
        needs = excluded.needs, channels = excluded.channels, base = excluded.base, seq = excluded.seq,
        type = excluded.type, state = excluded.state, meta_type = excluded.meta_type, metadata = excluded.metadata`,
    sql`insert into aosiq_values (session, thread, hash, type, text)
      select session, thread, hash, type, text from json_to_recordset(${given(JSON.stringify(values))})
        as x(session text, thread text, hash text, type text, text text)
      on conflict (session, thread, hash) do nothing`,
    sql`insert into aosiq_writes (session, thread, ns, id, task, idx, path, channel, hash, type, text)
      select session, thread, ns, id, task, index, path, channel, hash, type, text
      from json_to_recordset(${given(JSON.stringify(writes))}) as x(session text, thread text, ns text, id text,
        task text, index int, path text, channel text, hash text, type text, text text)
      on conflict (session, thread, ns, id, task, idx) do update set path = excluded.path,
        channel = excluded.channel, hash = excluded.hash, type = excluded.type, text = excluded.text`,
    ...dropped(sql, changes, given)
  ]
}

const dropped = (
  sql: SqlClient.SqlClient,
  { droppedCheckpoints, droppedValues, droppedWrites }: Changes,
  given: (json: string) => Statement.Fragment
): ReadonlyArray<Statement.Fragment> => {
  if (droppedCheckpoints.length + droppedValues.length + droppedWrites.length === 0) return []
  const checkpoints = JSON.stringify(droppedCheckpoints)
  const written = JSON.stringify(droppedWrites)
  const channels = JSON.stringify(droppedValues)
  return [
    sql`delete from aosiq_checkpoints d using json_to_recordset(${given(checkpoints)})
        as x(session text, thread text, ns text, id text)
      where d.session = x.session and d.thread = x.thread and d.ns = x.ns and d.id = x.id
        and ${ofSessions(sql, "d.session", checkpoints)}`,
    sql`delete from aosiq_writes d using json_to_recordset(${given(written)})
        as x(session text, thread text, ns text, id text, task text, index int)
      where d.session = x.session and d.thread = x.thread and d.ns = x.ns and d.id = x.id and d.task = x.task
        and d.idx = x.index and ${ofSessions(sql, "d.session", written)}`,
    sql`delete from aosiq_values d using json_to_recordset(${given(channels)})
        as x(session text, thread text, hash text)
      where d.session = x.session and d.thread = x.thread and d.hash = x.hash
        and ${ofSessions(sql, "d.session", channels)}`
  ]
}

const memoryChanges = (
  sql: SqlClient.SqlClient,
  space: Transition.Workspace,
  given: (json: string) => Statement.Fragment
): ReadonlyArray<Statement.Fragment> => {
  const entries = [...space.dirty.memories].flatMap(([session, keys]) =>
    [...keys].map((key) => ({ session, key, hash: space.memories.get(session)?.get(key) }))
  )
  const gone = JSON.stringify(entries.filter((entry) => entry.hash === undefined))
  return [
    sql`insert into aosiq_memory (session, key, hash)
      select session, key, hash from json_to_recordset(${
      given(JSON.stringify(entries.filter((entry) => entry.hash !== undefined)))
    }) as x(session text, key text, hash text)
      on conflict (session, key) do update set hash = excluded.hash`,
    sql`delete from aosiq_memory d using json_to_recordset(${given(gone)}) as x(session text, key text)
      where d.session = x.session and d.key = x.key and ${ofSessions(sql, "d.session", gone)}`
  ]
}

/** All that sessions leave, when they have ended. */
const dropping = (sql: SqlClient.SqlClient, sessions: Statement.Fragment): ReadonlyArray<Statement.Fragment> =>
  ["aosiq_checkpoints", "aosiq_values", "aosiq_writes", "aosiq_memory"].map((table) =>
    sql`delete from ${sql.literal(table)} where session = any(array(select json_array_elements_text(${sessions})))`
  )
