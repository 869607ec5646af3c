/**
 * The log in SQL, for PGlite and PostgreSQL alike. Commits that arrive while a transaction is under way wait and share
 * the next one: lock their sessions, load what they touch, apply them in order, write what changed, commit. Five round
 * trips for a whole group.
 */
import { Cause, Clock, Deferred, Effect, Layer, Option, Queue, Result, Schedule } from "effect"
import { SqlClient, SqlError, type Statement } from "effect/sql"
import type { Ticket } from "../../src/approval/index.ts"
import { Digest, Log, type Row } from "../../src/audit/index.ts"
import type { Claims } from "../../src/capability/index.ts"
import { Store, Transition } from "../../src/governor/index.ts"

/** Commits in one transaction at most: bounds how long a group holds its locks. */
const maxGroup = 256
/** Commits that may wait; more make their callers wait. */
const maxWaiting = 4096
/** Attempts at a group that lost a deadlock, a serialisation race or a race to open something. */
const maxAttempts = 5

/** Reader and writer of the log over a migrated database. */
export const layer: Layer.Layer<Store.Store | Log.Log, never, Digest.Digest | SqlClient.SqlClient> = Layer.unwrap(
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const digest = yield* Digest.Digest
    const waiting = yield* Effect.acquireRelease(Queue.bounded<Waiting, Cause.Done>(maxWaiting), close)

    const group = (commits: ReadonlyArray<Store.Commit>) =>
      Effect.suspend(() => {
        let committing = false
        return Effect.gen(function*() {
          const at = yield* Clock.currentTimeMillis
          return yield* sql.withTransaction(Effect.gen(function*() {
            committing = false
            yield* lock(sql, commits)
            const { known, space } = yield* load(sql, commits)
            const results = commits.map((commit) => Transition.apply(digest, space, commit, at))
            yield* save(sql, digest, space, known)
            committing = true
            return results
          }))
        }).pipe(
          // A connection that broke cannot be rolled back either, and the client dies of that.
          Effect.catchDefect((defect) => SqlError.isSqlError(defect) ? Effect.fail(defect) : Effect.die(defect)),
          Effect.retry({ while: isRace, times: maxAttempts - 1, schedule: Schedule.exponential("5 millis") }),
          Effect.mapError((error) => unavailable(error, committing))
        )
      })

    const settle = (entries: ReadonlyArray<Waiting>): Effect.Effect<void> =>
      Effect.matchCauseEffect(group(entries.map((entry) => entry.commit)), {
        onSuccess: (results) =>
          Effect.forEach(results, (result, index) => {
            const done = entries[index]?.done
            if (done === undefined) return Effect.void
            return Result.isSuccess(result)
              ? Deferred.succeed(done, result.success)
              : Deferred.fail(done, new Store.StoreError({ reason: result.failure }))
          }, { discard: true }),
        onFailure: (cause) =>
          // One commit that cannot be written must not fail its neighbours; one that may be written is not repeated.
          entries.length > 1 && !isMaybe(cause)
            ? Effect.forEach(entries, (entry) => settle([entry]), { discard: true })
            : Effect.forEach(entries, (entry) => Deferred.failCause(entry.done, cause), { discard: true })
      })

    yield* Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(restore(Queue.takeBetween(waiting, 1, maxGroup)), settle)
    ).pipe(Effect.forever, Effect.forkScoped)

    const commit = Effect.fnUntraced(function*(commit: Store.Commit) {
      const done = Deferred.makeUnsafe<Store.Committed, Store.StoreError>()
      const isTaken = yield* Queue.offer(waiting, { commit, done })
      return isTaken ? yield* Deferred.await(done) : yield* closed
    })

    return Layer.mergeAll(
      Layer.succeed(Store.Store, { commit, ...reader(sql) }),
      Layer.succeed(Log.Log, logReader(sql))
    )
  })
)

// internal

interface Waiting {
  readonly commit: Store.Commit
  readonly done: Deferred.Deferred<Store.Committed, Store.StoreError>
}

/** What waits when the log closes is told so. */
const close = (waiting: Queue.Queue<Waiting, Cause.Done>) =>
  Queue.end(waiting).pipe(
    Effect.andThen(Queue.clear(waiting)),
    Effect.flatMap((left) => Effect.forEach(left, ({ done }) => Deferred.completeWith(done, closed), { discard: true }))
  )

const closed = Effect.fail(
  new Store.StoreError({
    reason: new Store.Unavailable({ detail: "the log was closed", remedy: "start again", maybe: false })
  })
)

/** Two processes that open the same session or account meet at its primary key: the second looks again. */
const isRace = (error: SqlError.SqlError) =>
  error.reason._tag === "DeadlockError" || error.reason._tag === "SerializationError" ||
  error.reason._tag === "UniqueViolation"

const isMaybe = (cause: Cause.Cause<Store.StoreError>) =>
  Option.exists(Cause.findErrorOption(cause), ({ reason }) => reason._tag === "Unavailable" && reason.maybe)

const unavailable = (error: SqlError.SqlError, maybe: boolean) =>
  new Store.StoreError({ reason: new Store.Unavailable({ ...describe(error), maybe }) })

const describe = (error: SqlError.SqlError) => ({
  detail: `${error.reason._tag}: ${error.reason.message}`,
  remedy: "look at the database; what was acknowledged is safe"
})

interface Loaded {
  readonly sessions: ReadonlyArray<SessionRecord>
  readonly accounts: ReadonlyArray<Store.AccountView>
  readonly tickets: ReadonlyArray<{ readonly ticket: typeof Ticket.Ticket.Type }>
  readonly acts: ReadonlyArray<Store.Act>
  readonly revoked: ReadonlyArray<{ readonly token: string }>
  readonly records: ReadonlyArray<Store.Kept>
  readonly children: ReadonlyArray<Counted>
  readonly live: ReadonlyArray<Counted>
}

interface Counted {
  readonly id: string
  readonly count: number
}

type SessionRecord = Omit<Log.Summary, "startedAt"> & { readonly started_at: number }

const list = (values: ReadonlyArray<string>) => JSON.stringify([...new Set(values)])

/**
 * Holds the sessions of a group, in the order of their ids. It is a statement of its own because what a statement reads
 * beside the rows it locks is as old as its start, and it may have waited for the locks.
 */
const lock = (sql: SqlClient.SqlClient, commits: ReadonlyArray<Store.Commit>) =>
  sql`
    select id from aosiq_sessions
    where id in (select json_array_elements_text(${
    list(commits.flatMap((commit) => Transition.reads(commit).sessions))
  }::json)) or split_part(id, '.', 1) in (select json_array_elements_text(${
    list(commits.flatMap((commit) => Transition.reads(commit).trees))
  }::json))
    order by id for update`

/** One statement, so that a group costs one round trip to load. */
const load = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, commits: ReadonlyArray<Store.Commit>) {
  const wanted = commits.map(Transition.reads)
  const sessions = list(wanted.flatMap((read) => read.sessions))
  const whole = list(wanted.flatMap((read) => read.whole))
  const trees = list(wanted.flatMap((read) => read.trees))
  const acts = list(wanted.flatMap((read) => read.acts.map((act) => Transition.actKey(act.session, act.key))))
  const accounts = list(wanted.flatMap((read) => read.accounts))
  const tickets = list(wanted.flatMap((read) => read.tickets))
  const tokens = list(wanted.flatMap((read) => read.tokens))
  const records = list(wanted.flatMap((read) => read.records.map(Transition.recordKey)))
  const parents = list(wanted.flatMap((read) => read.parents))
  const roots = list(wanted.flatMap((read) => read.parents.map(Transition.rootOf)))
  const [row] = yield* sql<{ readonly loaded: Loaded }>`
    with ask as materialized (
      select array(select json_array_elements_text(${sessions}::json)) as sessions,
        array(select json_array_elements_text(${whole}::json)) as whole,
        array(select json_array_elements_text(${trees}::json)) as trees,
        array(select json_array_elements_text(${acts}::json)) as acts,
        array(select json_array_elements_text(${accounts}::json)) as accounts,
        array(select json_array_elements_text(${tickets}::json)) as tickets,
        array(select json_array_elements_text(${tokens}::json)) as tokens,
        array(select json_array_elements_text(${records}::json)) as records,
        array(select json_array_elements_text(${parents}::json)) as parents,
        array(select json_array_elements_text(${roots}::json)) as roots),
    s as materialized (
      select * from aosiq_sessions where id = any((select sessions from ask)::text[])
        or split_part(id, '.', 1) = any((select trees from ask)::text[])),
    d as materialized (
      select session, key, name, intent, args, reserved, accounts, ticket, repeat, state from aosiq_acts
      where (session, key) in (select split_part(x, ' ', 1), substr(x, strpos(x, ' ') + 1)
        from unnest((select acts from ask)) x)
      union all
      select session, key, name, intent, args, reserved, accounts, ticket, repeat, state from aosiq_acts
      where session = any((select whole from ask)::text[]) and state = 'running'),
    a as materialized (
      select * from aosiq_accounts
      where id = any((select accounts from ask)::text[])
        or id in (select json_array_elements_text(accounts) from d where state in ('running', 'unknown'))
      order by id for update),
    t as materialized (
      select id, ticket from aosiq_tickets
      where id = any((select tickets from ask)::text[]) or id in (select ticket from d)
        or session = any((select whole from ask)::text[])
        or split_part(session, '.', 1) = any((select trees from ask)::text[])
      order by id for update),
    f as materialized (
      select kind, id, version, owner, state, at, value from aosiq_records
      where (kind, id) in (select split_part(x, ' ', 1), substr(x, strpos(x, ' ') + 1)
        from unnest((select records from ask)) x)
      order by kind, id for update)
    select json_build_object(
      'sessions', (select coalesce(json_agg(s), '[]') from s),
      'accounts', (select coalesce(json_agg(a), '[]') from a),
      'tickets', (select coalesce(json_agg(t), '[]') from t),
      'acts', (select coalesce(json_agg(d), '[]') from d),
      'records', (select coalesce(json_agg(f), '[]') from f),
      'children', (select coalesce(json_agg(x), '[]') from (
        select p.id, (select count(*) from aosiq_sessions s where s.parent = p.id) as count
        from unnest((select parents from ask)::text[]) p(id)) x),
      'live', (select coalesce(json_agg(x), '[]') from (
        select p.id, (select count(*) from aosiq_sessions s where split_part(s.id, '.', 1) = p.id and s.id <> p.id
          and s.status in ('running', 'waiting', 'paused')) as count
        from unnest((select roots from ask)::text[]) p(id)) x),
      'revoked', (select coalesce(json_agg(v), '[]') from aosiq_revoked v
        where token = any((select tokens from ask)::text[]))
    ) as loaded`
  const space = Transition.workspace()
  if (row === undefined) return { space, known: { accounts: new Set<string>(), records: new Set<string>() } }
  const { loaded } = row
  for (const { started_at, ...session } of loaded.sessions) {
    space.sessions.set(session.id, { ...session, startedAt: started_at })
  }
  for (const account of loaded.accounts) space.accounts.set(account.id, account)
  for (const { ticket } of loaded.tickets) space.tickets.set(ticket.id, ticket)
  for (const act of loaded.acts) space.acts.set(Transition.actKey(act.session, act.key), act)
  for (const { token } of loaded.revoked) space.revoked.add(token)
  for (const record of loaded.records) space.records.set(Transition.recordKey(record), record)
  for (const { count, id } of loaded.children) space.crowd.children.set(id, count)
  for (const { count, id } of loaded.live) space.crowd.live.set(id, count)
  const known: Known = {
    accounts: new Set(loaded.accounts.map((account) => account.id)),
    records: new Set(loaded.records.map(Transition.recordKey))
  }
  return { space, known }
})

/** What was there before the group. */
interface Known {
  readonly accounts: ReadonlySet<string>
  readonly records: ReadonlySet<string>
}

/** One statement again: every change of the group, as JSON record sets. */
const save = (
  sql: SqlClient.SqlClient,
  digest: Digest.Digest["Service"],
  space: Transition.Workspace,
  known: Known
) => {
  const picked = <A>(all: ReadonlyMap<string, A>, keys: ReadonlySet<string>) =>
    [...keys].flatMap((key) => all.get(key) ?? [])
  const { dirty } = space
  const accounts = picked(space.accounts, dirty.accounts)
  const drawn = accounts.filter((account) => known.accounts.has(account.id))
  const opened = accounts.filter((account) => !known.accounts.has(account.id))
  const sessions = picked(space.sessions, dirty.sessions).map(({ startedAt, ...rest }) => ({
    ...rest,
    started_at: startedAt
  }))
  const rows = space.rows.map((row) => ({ ...row, body: digest.canonical(row.body) }))
  const payloads = [...space.payloads].map(([hash, text]) => ({ hash, text }))
  const tickets = picked(space.tickets, dirty.tickets).map((ticket) => ({
    id: ticket.id,
    session: ticket.session,
    state: ticket.state,
    ticket
  }))
  const taken = [...space.taken].map(([session, until]) => ({ session, until }))
  const isKnown = (record: Store.Kept) => known.records.has(Transition.recordKey(record))
  const records = picked(space.records, dirty.records)
  const removed = [...dirty.records].filter((key) => !space.records.has(key))
  if (rows.length === 0) return Effect.void
  return sql`
    with r as (insert into aosiq_rows (session, seq, at, key, body, prev, hash)
      select session, seq, at, key, body, prev, hash from json_to_recordset(${JSON.stringify(rows)}::json)
        as x(session text, seq int, at bigint, key text, body text, prev text, hash text)),
    p as (insert into aosiq_payloads (hash, text)
      select hash, text from json_to_recordset(${JSON.stringify(payloads)}::json) as x(hash text, text text)
      on conflict (hash) do nothing),
    s as (insert into aosiq_sessions
        (id, actor, parent, caller, accounts, status, epoch, seq, head, token, input, result, started_at)
      select id, actor, parent, caller, accounts, status, epoch, seq, head, token, input, result, started_at
      from json_to_recordset(${JSON.stringify(sessions)}::json) as x(id text, actor text, parent text, caller text,
        accounts json, status text, epoch int, seq int, head text, token text, input text, result text,
        started_at bigint)
      on conflict (id) do update set status = excluded.status, epoch = excluded.epoch, seq = excluded.seq,
        head = excluded.head, result = excluded.result),
    a as (update aosiq_accounts a set reserved = x.reserved, spent = x.spent
      from json_to_recordset(${JSON.stringify(drawn)}::json) as x(id text, reserved bigint, spent bigint)
      where a.id = x.id),
    o as (insert into aosiq_accounts as o (id, ceiling, reserved, spent)
      select id, ceiling, reserved, spent from json_to_recordset(${JSON.stringify(opened)}::json)
        as x(id text, ceiling bigint, reserved bigint, spent bigint)
      -- Another process may have opened it since, and drawn on it.
      on conflict (id) do update set reserved = o.reserved + excluded.reserved, spent = o.spent + excluded.spent),
    t as (insert into aosiq_tickets (id, session, state, ticket)
      select id, session, state, ticket from json_to_recordset(${JSON.stringify(tickets)}::json)
        as x(id text, session text, state text, ticket json)
      on conflict (id) do update set state = excluded.state, ticket = excluded.ticket),
    d as (insert into aosiq_acts (session, key, name, intent, args, reserved, accounts, ticket, repeat, state)
      select session, key, name, intent, args, reserved, accounts, ticket, repeat, state
      from json_to_recordset(${JSON.stringify(picked(space.acts, dirty.acts))}::json)
        as x(session text, key text, name text, intent int, args text, reserved bigint, accounts json, ticket text,
        repeat text, state text)
      on conflict (session, key) do update set state = excluded.state, reserved = excluded.reserved),
    k as (delete from aosiq_wakes w using
      json_to_recordset(${JSON.stringify(taken)}::json) as x(session text, until bigint)
      where w.session = x.session and w.due <= x.until),
    w as (insert into aosiq_wakes (session, reason, due)
      select session, reason, due from json_to_recordset(${JSON.stringify([...space.wakes.values()])}::json)
        as x(session text, reason text, due bigint)
      on conflict (session, reason) do update set due = excluded.due),
    g as (delete from aosiq_records where (kind, id) in (select split_part(x, ' ', 1), substr(x, strpos(x, ' ') + 1)
      from json_array_elements_text(${JSON.stringify(removed)}::json) x)),
    h as (update aosiq_records r set version = x.version, owner = x.owner, state = x.state, at = x.at, value = x.value
      from json_to_recordset(${JSON.stringify(records.filter(isKnown))}::json)
        as x(kind text, id text, version int, owner text, state text, at bigint, value json)
      where r.kind = x.kind and r.id = x.id),
    n as (insert into aosiq_records (kind, id, version, owner, state, at, value)
      select kind, id, version, owner, state, at, value
      from json_to_recordset(${JSON.stringify(records.filter((record) => !isKnown(record)))}::json)
        as x(kind text, id text, version int, owner text, state text, at bigint, value json))
    insert into aosiq_revoked (token)
      select json_array_elements_text(${JSON.stringify([...dirty.revoked])}::json)
      on conflict (token) do nothing`
}

const reader = (sql: SqlClient.SqlClient): Omit<Store.Store["Service"], "commit"> => {
  const ticketsWhere = (where: ReturnType<typeof sql.and> | ReturnType<typeof sql.literal>) =>
    sql<{ readonly ticket: typeof Ticket.Ticket.Type }>`
      select ticket from aosiq_tickets where ${where}
      order by (ticket->>'proposedAt')::bigint, id`.pipe(
      Effect.map((found) => found.map(({ ticket }) => ticket)),
      Effect.mapError((error) => unavailable(error, false))
    )
  const recordsWhere = (where: ReadonlyArray<Statement.Fragment>, rest: Statement.Fragment) =>
    sql<{ readonly record: Store.Kept }>`
      select row_to_json(r) as record from aosiq_records r where ${sql.and(where)} ${rest}`.pipe(
      Effect.map((found) => found.map(({ record }) => record)),
      Effect.mapError((error) => unavailable(error, false))
    )
  return {
    ticket: (id) => Effect.map(ticketsWhere(sql.and([sql`id = ${id}`])), ([ticket]) => ticket),
    tickets: (session) =>
      ticketsWhere(session === undefined ? sql.literal("true") : sql.and([sql`session = ${session}`])),
    due: (now, limit) =>
      sql<{ readonly wake: Store.Wake & { readonly actor: string } }>`
        select json_build_object('session', w.session, 'reason', w.reason, 'due', w.due, 'actor', s.actor) as wake
        from aosiq_wakes w join aosiq_sessions s on s.id = w.session
        where w.due <= ${now} order by w.due, w.session, w.reason limit ${limit}`.pipe(
        Effect.map((found) => found.map(({ wake }) => wake)),
        Effect.mapError((error) => unavailable(error, false))
      ),
    running: (limit) =>
      sql<{ readonly session: Claims.SessionId; readonly actor: string }>`
        select id as session, actor from aosiq_sessions
        where status = 'running' and parent is null order by started_at, id limit ${limit}`.pipe(
        Effect.mapError((error) => unavailable(error, false))
      ),
    lost: (session) =>
      sql<{ readonly act: Store.Act }>`
        select row_to_json(a) as act from aosiq_acts a where state = 'unknown' and ${
        session === undefined ? sql.literal("true") : sql.and([sql`session = ${session}`])
      } order by session collate "C", intent`.pipe(
        Effect.map((found) => found.map(({ act }) => act)),
        Effect.mapError((error) => unavailable(error, false))
      ),
    record: ({ id, kind }) =>
      Effect.map(recordsWhere([sql`kind = ${kind}`, sql`id = ${id}`], sql`limit 1`), ([record]) => record),
    records: ({ kind, limit, newest = false, offset = 0, owner, state, until }) =>
      recordsWhere(
        [
          sql`kind = ${kind}`,
          ...owner === undefined ? [] : [sql`owner = ${owner}`],
          ...state === undefined ? [] : [sql`state = ${state}`],
          ...until === undefined ? [] : [sql`at <= ${until}`]
        ],
        newest
          ? sql`order by at desc, id collate "C" desc limit ${limit} offset ${offset}`
          : sql`order by at, id collate "C" limit ${limit} offset ${offset}`
      ),
    accounts: sql<{ readonly account: Store.AccountView }>`
      select row_to_json(a) as account from aosiq_accounts a order by id`.pipe(
      Effect.map((found) => found.map(({ account }) => account)),
      Effect.mapError((error) => unavailable(error, false))
    )
  }
}

const logReader = (sql: SqlClient.SqlClient): Log.Log["Service"] => {
  const summaries = (where: ReturnType<typeof sql.and> | ReturnType<typeof sql.literal>) =>
    sql<{ readonly session: SessionRecord }>`
      select row_to_json(s) as session from aosiq_sessions s where ${where} order by started_at, id`.pipe(
      Effect.map((found) =>
        found.map(({ session: { started_at, ...rest } }): Log.Summary => ({ ...rest, startedAt: started_at }))
      )
    )
  const failed = (error: SqlError.SqlError) => new Log.LogError(describe(error))
  return {
    sessions: Effect.mapError(summaries(sql.literal("true")), failed),
    session: (id) =>
      Effect.mapError(
        Effect.map(summaries(sql.and([sql`id = ${id}`])), ([first]) => Option.fromUndefinedOr(first)),
        failed
      ),
    rows: (id) =>
      sql<{ readonly row: StoredRow }>`
        select json_build_object('v', 1, 'session', session, 'seq', seq, 'at', at, 'key', key, 'body', body,
          'prev', prev, 'hash', hash) as row from aosiq_rows where session = ${id} order by seq`.pipe(
        Effect.map((found) => found.map(({ row }) => ({ ...row, body: parsed(row.body) }))),
        Effect.mapError(failed)
      ),
    payload: (hash) =>
      sql<{ readonly text: string }>`select text from aosiq_payloads where hash = ${hash}`.pipe(
        Effect.map(([first]) => Option.fromUndefinedOr(first?.text)),
        Effect.mapError(failed)
      )
  }
}

type StoredRow = Omit<Row.Row, "body"> & { readonly body: string }

/** Rows are handed on as stored; a body that someone broke is left for the verifier to name. */
const parsed = (text: string): Row.Body => {
  try {
    return JSON.parse(text) as Row.Body // Not yet verified, as the contract says.
  } catch {
    return { kind: "noted", what: "mode", by: "unreadable", detail: text }
  }
}
