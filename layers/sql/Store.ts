/**
 * The log in SQL, for PGlite and PostgreSQL alike. Commits that arrive while a transaction is under way share the next one
 * (`Groups`): lock their sessions, load what they touch, apply them in order, write what changed, commit. Five round trips
 * for a whole group. What is acknowledged is written, and what is refused is not, through restarts and lost answers of the
 * server (`Attempt`).
 */
import { Cause, Clock, Deferred, Effect, Layer, Option, Result } from "effect"
import { SqlClient, type SqlError, type Statement } from "effect/sql"
import type { Rule, Ticket } from "../../src/approval/index.ts"
import { Digest, Log, type Row } from "../../src/audit/index.ts"
import type { Claims } from "../../src/capability/index.ts"
import { Store, Transition } from "../../src/governor/index.ts"
import * as Attempt from "./Attempt.ts"
import { describe, patiently, unavailable } from "./Failure.ts"
import * as Groups from "./Groups.ts"
import * as Quick from "./Quick.ts"
import * as State from "./State.ts"

/** Commits that drop checkpoints before what they left dead is cleared away, where nobody else does. */
const maxClearings = 64

/** Reader and writer of the log over a migrated database. */
export const layer: Layer.Layer<Store.Store | Log.Log, never, Digest.Digest | SqlClient.SqlClient> = Layer.unwrap(
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const digest = yield* Digest.Digest

    /** Everything but COMMIT. `before` is a try that may have been written. */
    const prepare = Effect.fnUntraced(function*(commits: ReadonlyArray<Store.Commit>, before: Quick.Lost | undefined) {
      const at = yield* Clock.currentTimeMillis
      const held = yield* lock(sql, commits)
      if (before !== undefined && (yield* Quick.isWritten(sql, before))) return { result: before.results, trace: null }
      const { known, space, xid } = yield* load(sql, commits, held)
      yield* loadRules(sql, commits, space)
      const result = commits.map((commit) => Transition.apply(digest, space, commit, at))
      yield* save(sql, digest, space, known)
      const [row] = space.rows
      return { result, trace: row === undefined ? null : { xid, row } }
    })

    const answer = (group: ReadonlyArray<Groups.Waiting>, results: Quick.Results) =>
      Effect.forEach(results, (result, index) => {
        const done = group[index]?.done
        if (done === undefined) return Effect.void
        return Result.isSuccess(result)
          ? Deferred.succeed(done, result.success)
          : Deferred.fail(done, new Store.StoreError({ reason: result.failure }))
      }, { discard: true })

    const write = Effect.fnUntraced(function*(group: ReadonlyArray<Groups.Waiting>, isClosed: () => boolean) {
      const commits = group.map((entry) => entry.commit)
      const tried = Quick.isQuick(commits) ? yield* Quick.attempt(sql, digest, commits) : undefined
      if (tried?._tag === "Done") yield* answer(group, tried.results)
      else yield* writeLong(group, isClosed, tried?._tag === "Lost" ? tried.lost : undefined)
      yield* clear(commits)
    })

    const writeLong = (
      group: ReadonlyArray<Groups.Waiting>,
      isClosed: () => boolean,
      before?: Quick.Lost
    ): Effect.Effect<void> => {
      const since = Math.min(...group.map((entry) => entry.since))
      const transaction = prepare(group.map((entry) => entry.commit), before)
      return Effect.matchCauseEffect(Attempt.untilKnown(sql, transaction, { since, isClosed }), {
        onSuccess: (results) => answer(group, results),
        onFailure: (cause) => {
          const error = Option.getOrUndefined(Cause.findErrorOption(cause))
          // One commit that cannot be written must not fail its neighbours; in an outage they all fail.
          if (group.length > 1 && error?._tag !== "Away" && error?._tag !== "Maybe") {
            const alone = (entry: Groups.Waiting, index: number) =>
              writeLong([entry], isClosed, Quick.ofOne(before, index))
            return Effect.forEach(group, alone, { discard: true })
          }
          const failure = Cause.map(cause, ({ _tag, error }) => unavailable(error, _tag === "Maybe"))
          return Effect.forEach(group, ({ done }) => Deferred.failCause(done, failure), { discard: true })
        }
      })
    }

    let clearings = 0
    /** An embedded database does not clear away what is dead by itself, as a server does. */
    const clear = Effect.fnUntraced(function*(commits: ReadonlyArray<Store.Commit>) {
      if (sql.driver !== "pglite") return
      clearings += commits.filter(State.leavesDead).length
      if (clearings < maxClearings) return
      clearings = 0
      yield* Effect.ignore(State.vacuum(sql))
    })

    const commit = yield* Groups.make(write)
    return Layer.mergeAll(
      Layer.succeed(Store.Store, { commit, ...reader(sql) }),
      Layer.succeed(Log.Log, logReader(sql))
    )
  })
)

// internal

interface Loaded extends State.Loaded {
  readonly xid: string
  readonly sessions: ReadonlyArray<SessionRecord>
  readonly seen: ReadonlyArray<Store.AccountView>
  readonly accounts: ReadonlyArray<Store.AccountView>
  readonly tickets: ReadonlyArray<{ readonly ticket: typeof Ticket.Ticket.Type }>
  readonly acts: ReadonlyArray<Store.Act & { readonly draws: boolean }>
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

/** What costs nothing and holds nothing back changes no account. */
const isFree = (commit: Store.Commit) =>
  (commit._tag === "Begin" && commit.reserve === 0) || (commit._tag === "Finish" && commit.spent === 0)

/**
 * Holds the sessions of a group, in the order of their ids, and gives them as they are once they are held. It is a
 * statement of its own because what a statement reads beside the rows it locks is as old as its start, and it may have
 * waited for the locks.
 */
const lock = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, commits: ReadonlyArray<Store.Commit>) {
  const wanted = commits.map(Transition.reads)
  const sessions = list(wanted.flatMap((read) => read.sessions))
  const trees = wanted.flatMap((read) => read.trees)
  const orInTree = trees.length === 0
    ? sql.literal("")
    : sql`or split_part(id, '.', 1) = any(array(select json_array_elements_text(${list(trees)}::json)))`
  const held = yield* sql<{ readonly session: SessionRecord }>`
    select row_to_json(s) as session from aosiq_sessions s
    where id = any(array(select json_array_elements_text(${sessions}::json))) ${orInTree}
    order by id for update`
  return held.map(({ session }) => session)
})

/**
 * One statement, so that a group costs one round trip to load. Accounts that are drawn on are held; those that are only
 * looked at are not, for they are shared by many. `held` are the sessions.
 */
const load = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  commits: ReadonlyArray<Store.Commit>,
  held: ReadonlyArray<SessionRecord>
) {
  const wanted = commits.map((commit) => ({ ...Transition.reads(commit), isFree: isFree(commit) }))
  const acts = wanted.flatMap((read) => read.acts.map((act) => ({ ...act, draws: !read.isFree })))
  const whole = list(wanted.flatMap((read) => read.whole))
  const trees = list(wanted.flatMap((read) => read.trees))
  const drawn = list(wanted.flatMap((read) => read.isFree ? [] : read.accounts))
  const seen = list(wanted.flatMap((read) => read.isFree ? read.accounts : []))
  const denied = list(wanted.flatMap((read) => read.denied))
  const pending = list(wanted.flatMap((read) => read.pending))
  const tickets = list(wanted.flatMap((read) => read.tickets))
  const tokens = list(wanted.flatMap((read) => read.tokens))
  const records = JSON.stringify(wanted.flatMap((read) => read.records))
  const parents = list(wanted.flatMap((read) => read.parents))
  const roots = list(wanted.flatMap((read) => read.parents.map(Transition.rootOf)))
  const [row] = yield* sql<{ readonly loaded: Loaded }>`
    with ask as materialized (
      select array(select json_array_elements_text(${whole}::json)) as whole,
        array(select json_array_elements_text(${trees}::json)) as trees,
        array(select json_array_elements_text(${drawn}::json)) as drawn,
        array(select json_array_elements_text(${seen}::json)) as seen,
        array(select json_array_elements_text(${denied}::json)) as denied,
        array(select json_array_elements_text(${pending}::json)) as pending,
        array(select json_array_elements_text(${tickets}::json)) as tickets,
        array(select json_array_elements_text(${tokens}::json)) as tokens,
        array(select json_array_elements_text(${parents}::json)) as parents,
        array(select json_array_elements_text(${roots}::json)) as roots),
    s as materialized (
      -- Children that were opened while their tree was waited for.
      select * from aosiq_sessions where split_part(id, '.', 1) = any((select trees from ask)::text[])),
    d as materialized (
      select session, key, name, intent, args, reserved, accounts, ticket, repeat, state, draws
      from json_to_recordset(${JSON.stringify(acts)}::json) as x(session text, key text, draws bool)
      -- One look at the key for each: the planner takes the list for longer than it is.
      cross join lateral (select name, intent, args, reserved, accounts, ticket, repeat, state from aosiq_acts
        where aosiq_acts.session = x.session and aosiq_acts.key = x.key offset 0) found
      union all
      select session, key, name, intent, args, reserved, accounts, ticket, repeat, state, true as draws from aosiq_acts
      where session = any((select whole from ask)::text[]) and state = 'running'),
    b as materialized (
      select * from aosiq_accounts where id = any((select seen from ask)::text[])),
    a as materialized (
      select * from aosiq_accounts
      where id = any((select drawn from ask) || array(select json_array_elements_text(accounts) from d
        where state in ('running', 'unknown') and (draws or reserved > 0)))
      order by id for update),
    t as materialized (
      select id, ticket from aosiq_tickets where id in (
        select unnest((select tickets from ask) || array(select ticket from d))
        union select id from aosiq_tickets where session = any((select denied from ask)::text[]) and state = 'denied'
        union select id from aosiq_tickets
          where split_part(session, '.', 1) = any((select pending from ask)::text[]) and state = 'proposed'
        union select id from aosiq_tickets where split_part(session, '.', 1) = any((select trees from ask)::text[]))
      order by id for update),
    f as materialized (
      select kind, id, version, owner, state, at, value
      from json_to_recordset(${records}::json) as x(kind text, id text) join aosiq_records r using (kind, id)
      where ${named(sql, records)}
      order by kind, id for update of r)
    select json_build_object(
      'xid', pg_current_xact_id()::text,
      'sessions', (select coalesce(json_agg(s), '[]') from s),
      'seen', (select coalesce(json_agg(b), '[]') from b),
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
      ${State.loading(sql, wanted)}) as loaded`
  if (row === undefined) return yield* Effect.die("a statement without a condition gave no row")
  return { ...filled(held, row.loaded), xid: row.loaded.xid }
})

const filled = (held: ReadonlyArray<SessionRecord>, loaded: Loaded) => {
  const space = Transition.workspace()
  for (const { started_at, ...session } of [...held, ...loaded.sessions]) {
    space.sessions.set(session.id, { ...session, startedAt: started_at })
  }
  // What is held is newer than what was only looked at.
  for (const account of [...loaded.seen, ...loaded.accounts]) space.accounts.set(account.id, account)
  for (const { ticket } of loaded.tickets) space.tickets.set(ticket.id, ticket)
  for (const { draws: _, ...act } of loaded.acts) space.acts.set(Transition.actKey(act.session, act.key), act)
  for (const { token } of loaded.revoked) space.revoked.add(token)
  for (const record of loaded.records) space.records.set(Transition.recordKey(record), record)
  for (const { count, id } of loaded.children) space.crowd.children.set(id, count)
  for (const { count, id } of loaded.live) space.crowd.live.set(id, count)
  State.fill(space, loaded)
  const known: Known = {
    sessions: new Set(space.sessions.keys()),
    accounts: new Map(space.accounts),
    records: new Set(space.records.keys())
  }
  return { space, known }
}

/** What was there before the commits were applied: it is updated where it changed, and everything else is new. */
interface Known {
  readonly sessions: ReadonlySet<string>
  readonly accounts: ReadonlyMap<string, Store.AccountView>
  readonly records: ReadonlySet<string>
}

/** Rules are rare: they cost a round trip of their own, after everything else is held. */
const loadRules = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  commits: ReadonlyArray<Store.Commit>,
  space: Transition.Workspace
) {
  const wanted = commits.flatMap((commit) => Transition.reads(commit).rules)
  if (wanted.length === 0) return
  const found = yield* sql<{ readonly rule: Rule.Rule }>`
    select rule from aosiq_rules where id in (select json_array_elements_text(${list(wanted)}::json))
    order by id for update`
  for (const { rule } of found) space.rules.set(rule.id, rule)
})

/**
 * One statement again: every change of the group, each kind as a JSON record set. What other transactions may write too
 * is written in one order, so that two of them do not wait for each other. Rows that are updated are named twice, once as
 * an array, or the planner reads small tables whole.
 */
const save = (
  sql: SqlClient.SqlClient,
  digest: Digest.Digest["Service"],
  space: Transition.Workspace,
  known: Known
) => {
  const changes = [
    ...logChanges(sql, digest, space),
    ...sessionChanges(sql, space, known.sessions),
    ...accountChanges(sql, space, known.accounts),
    ...recordChanges(sql, space, known.records),
    ...ruleChanges(sql, space),
    ...State.changes(sql, space, (json) => sql`${json}::json`)
  ].flatMap((change, index) => change === null ? [] : [sql`${sql.literal(`c${index}`)} as (${change})`])
  return changes.length === 0 ? Effect.void : sql`with ${sql.join(", ", false)(changes)} select`
}

const logChanges = (sql: SqlClient.SqlClient, digest: Digest.Digest["Service"], space: Transition.Workspace) => {
  const rows = space.rows.map((row) => ({ ...row, body: digest.canonical(row.body) }))
  const payloads = [...space.payloads].map(([hash, text]) => ({ hash, text })).toSorted(by("hash"))
  const tickets = picked(space.tickets, space.dirty.tickets)
    .map((ticket) => ({ id: ticket.id, session: ticket.session, state: ticket.state, ticket }))
  return [
    into(rows, (all) =>
      sql`insert into aosiq_rows (session, seq, at, key, body, prev, hash)
        select session, seq, at, key, body, prev, hash from json_to_recordset(${all}::json)
          as x(session text, seq int, at bigint, key text, body text, prev text, hash text)`),
    into(payloads, (all) =>
      sql`insert into aosiq_payloads (hash, text)
        select hash, text from json_to_recordset(${all}::json) as x(hash text, text text)
        on conflict (hash) do nothing`),
    into(tickets, (all) =>
      sql`insert into aosiq_tickets (id, session, state, ticket)
        select id, session, state, ticket from json_to_recordset(${all}::json)
          as x(id text, session text, state text, ticket json)
        on conflict (id) do update set state = excluded.state, ticket = excluded.ticket`),
    into(
      picked(space.acts, space.dirty.acts),
      (all) =>
        sql`insert into aosiq_acts (session, key, name, intent, args, reserved, accounts, ticket, repeat, state)
        select session, key, name, intent, args, reserved, accounts, ticket, repeat, state
        from json_to_recordset(${all}::json) as x(session text, key text, name text, intent int, args text,
          reserved bigint, accounts json, ticket text, repeat text, state text)
        on conflict (session, key) do update set state = excluded.state, reserved = excluded.reserved`
    ),
    into(
      [...space.dirty.revoked].toSorted(),
      (all) =>
        sql`insert into aosiq_revoked (token) select json_array_elements_text(${all}::json)
        on conflict (token) do nothing`
    )
  ]
}

const sessionChanges = (sql: SqlClient.SqlClient, space: Transition.Workspace, known: ReadonlySet<string>) => {
  const sessions = picked(space.sessions, space.dirty.sessions)
  const opened = sessions.filter(({ id }) => !known.has(id))
  const moved = sessions.flatMap(({ epoch, head, id, result, seq, status }) =>
    known.has(id) ? [{ epoch, head, id, result, seq, status }] : []
  )
  return [
    into(opened, (all) =>
      sql`insert into aosiq_sessions
          (id, actor, parent, caller, accounts, status, epoch, seq, head, token, input, result, started_at)
        select id, actor, parent, caller, accounts, status, epoch, seq, head, token, input, result, "startedAt"
        from json_to_recordset(${all}::json) as x(id text, actor text, parent text, caller text, accounts json,
          status text, epoch int, seq int, head text, token text, input text, result text, "startedAt" bigint)`),
    into(
      moved,
      (all) =>
        sql`update aosiq_sessions s set status = x.status, epoch = x.epoch, seq = x.seq, head = x.head, result = x.result
        from json_to_recordset(${all}::json) as x(id text, status text, epoch int, seq int, head text, result text)
        where s.id = x.id and s.id = any(array(select e->>'id' from json_array_elements(${all}::json) e))`
    ),
    into(
      [...space.taken].map(([session, until]) => ({ session, until })),
      (all) =>
        sql`delete from aosiq_wakes w using json_to_recordset(${all}::json) as x(session text, until bigint)
        where w.session = x.session and w.due <= x.until
          and w.session = any(array(select e->>'session' from json_array_elements(${all}::json) e))`
    ),
    into([...space.wakes.values()].toSorted(by("session")), (all) =>
      sql`insert into aosiq_wakes (session, reason, due)
        select session, reason, due from json_to_recordset(${all}::json) as x(session text, reason text, due bigint)
        on conflict (session, reason) do update set due = excluded.due`)
  ]
}

const accountChanges = (
  sql: SqlClient.SqlClient,
  space: Transition.Workspace,
  known: ReadonlyMap<string, Store.AccountView>
) => {
  const accounts = picked(space.accounts, space.dirty.accounts)
  const opened = accounts.filter(({ id }) => !known.has(id))
  const drawn = accounts.filter(({ id, reserved, spent }) => {
    const before = known.get(id)
    return before !== undefined && (reserved !== before.reserved || spent !== before.spent)
  })
  return [
    into(drawn, (all) =>
      sql`update aosiq_accounts a set reserved = x.reserved, spent = x.spent
        from json_to_recordset(${all}::json) as x(id text, reserved bigint, spent bigint)
        where a.id = x.id and a.id = any(array(select e->>'id' from json_array_elements(${all}::json) e))`),
    into(opened, (all) =>
      sql`insert into aosiq_accounts as o (id, ceiling, reserved, spent)
        select id, ceiling, reserved, spent from json_to_recordset(${all}::json)
          as x(id text, ceiling bigint, reserved bigint, spent bigint)
        -- Another process may have opened it since, and drawn on it.
        on conflict (id) do update set reserved = o.reserved + excluded.reserved, spent = o.spent + excluded.spent`)
  ]
}

const recordChanges = (sql: SqlClient.SqlClient, space: Transition.Workspace, known: ReadonlySet<string>) => {
  const records = picked(space.records, space.dirty.records)
  const isKnown = (record: Store.Kept) => known.has(Transition.recordKey(record))
  const removed = [...space.dirty.records].filter((key) => !space.records.has(key)).toSorted()
    .map((key) => ({ kind: key.slice(0, key.indexOf(" ")), id: key.slice(key.indexOf(" ") + 1) }))
  return [
    into(
      removed,
      (all) =>
        sql`delete from aosiq_records r using json_to_recordset(${all}::json) as x(kind text, id text)
        where r.kind = x.kind and r.id = x.id and ${named(sql, all)}`
    ),
    into(
      records.filter(isKnown),
      (all) =>
        sql`update aosiq_records r set version = x.version, owner = x.owner, state = x.state, at = x.at, value = x.value
        from json_to_recordset(${all}::json)
          as x(kind text, id text, version int, owner text, state text, at bigint, value json)
        where r.kind = x.kind and r.id = x.id and ${named(sql, all)}`
    ),
    into(
      records.filter((record) => !isKnown(record)),
      (all) =>
        sql`insert into aosiq_records (kind, id, version, owner, state, at, value)
        select kind, id, version, owner, state, at, value from json_to_recordset(${all}::json)
          as x(kind text, id text, version int, owner text, state text, at bigint, value json)`
    )
  ]
}

const ruleChanges = (sql: SqlClient.SqlClient, space: Transition.Workspace) => [
  into(
    picked(space.rules, space.dirty.rules),
    (all) =>
      sql`insert into aosiq_rules (id, rule) select rule->>'id', rule from json_array_elements(${all}::json) rule
        on conflict (id) do update set rule = excluded.rule`
  ),
  into(space.uses, (all) =>
    sql`insert into aosiq_rule_uses (rule, use, session, seq, at)
        select rule, use, session, seq, at from json_to_recordset(${all}::json)
          as x(rule text, use int, session text, seq int, at bigint)`)
]

const picked = <A>(all: ReadonlyMap<string, A>, keys: ReadonlySet<string>) =>
  [...keys].toSorted().flatMap((key) => all.get(key) ?? [])

/** Records `r` whose kinds and ids a JSON array names, for their key's index. */
const named = (sql: SqlClient.SqlClient, json: string) =>
  sql`r.kind = any(array(select e->>'kind' from json_array_elements(${json}::json) e))
    and r.id = any(array(select e->>'id' from json_array_elements(${json}::json) e))`

/** A statement over `all`, unless there are none. */
const into = <A>(all: ReadonlyArray<A>, statement: (json: string) => Statement.Fragment) =>
  all.length === 0 ? null : statement(JSON.stringify(all))

const by = <K extends string>(key: K) => (a: Readonly<Record<K, string>>, b: Readonly<Record<K, string>>) =>
  a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0

const reader = (sql: SqlClient.SqlClient): Omit<Store.Store["Service"], "commit"> => {
  const ticketsWhere = (where: ReturnType<typeof sql.and> | ReturnType<typeof sql.literal>) =>
    sql<{ readonly ticket: typeof Ticket.Ticket.Type }>`
      select ticket from aosiq_tickets where ${where}
      order by (ticket->>'proposedAt')::bigint, id`.pipe(
      patiently,
      Effect.map((found) => found.map(({ ticket }) => ticket)),
      Effect.mapError((error) => unavailable(error, false))
    )
  const recordsWhere = (where: ReadonlyArray<Statement.Fragment>, rest: Statement.Fragment) =>
    sql<{ readonly record: Store.Kept }>`
      select row_to_json(r) as record from aosiq_records r where ${sql.and(where)} ${rest}`.pipe(
      patiently,
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
        patiently,
        Effect.map((found) => found.map(({ wake }) => wake)),
        Effect.mapError((error) => unavailable(error, false))
      ),
    running: (limit) =>
      sql<{ readonly session: Claims.SessionId; readonly actor: string }>`
        select id as session, actor from aosiq_sessions
        where status = 'running' and parent is null order by started_at, id limit ${limit}`.pipe(
        patiently,
        Effect.mapError((error) => unavailable(error, false))
      ),
    quiet: (before, limit) =>
      sql<{ readonly quiet: Store.Quiet }>`
        select json_build_object('session', s.id, 'actor', s.actor, 'seq', r.seq, 'at', r.at) as quiet
        from aosiq_sessions s join aosiq_rows r on r.session = s.id and r.seq = s.seq - 1
        where s.status = 'running' and s.parent is null and r.at < ${before}
        order by r.at, s.id collate "C" limit ${limit}`.pipe(
        patiently,
        Effect.map((found) => found.map(({ quiet }) => quiet)),
        Effect.mapError((error) => unavailable(error, false))
      ),
    lost: (session) =>
      sql<{ readonly act: Store.Act }>`
        select row_to_json(a) as act from aosiq_acts a where state = 'unknown' and ${
        session === undefined ? sql.literal("true") : sql.and([sql`session = ${session}`])
      } order by session collate "C", intent`.pipe(
        patiently,
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
    overdue: (at, limit) =>
      sql<{ readonly ticket: typeof Ticket.Ticket.Type }>`
        select ticket from aosiq_tickets where state in ('proposed', 'approved') and expires_at <= ${at}
        order by expires_at, id limit ${limit}`.pipe(
        patiently,
        Effect.map((found) => found.map(({ ticket }) => ticket)),
        Effect.mapError((error) => unavailable(error, false))
      ),
    rules: (usableAt) =>
      sql<{ readonly rule: Rule.Rule }>`
        select rule from aosiq_rules where ${
        usableAt === undefined
          ? sql.literal("true")
          : sql.and([sql`state = 'standing'`, sql`uses < max_uses`, sql`expires_at > ${usableAt}`])
      } order by created_at, id`.pipe(
        patiently,
        Effect.map((found) => found.map(({ rule }) => rule)),
        Effect.mapError((error) => unavailable(error, false))
      ),
    checkpoints: (session, query) =>
      Effect.mapError(State.read(sql, session, query), (error) => unavailable(error, false)),
    uses: (rule) =>
      sql<{ readonly use: Rule.Use }>`
        select row_to_json(u) as use from aosiq_rule_uses u where rule = ${rule} order by u.use`.pipe(
        patiently,
        Effect.map((found) => found.map(({ use }) => use)),
        Effect.mapError((error) => unavailable(error, false))
      ),
    accounts: sql<{ readonly account: Store.AccountView }>`
      select row_to_json(a) as account from aosiq_accounts a order by id`.pipe(
      patiently,
      Effect.map((found) => found.map(({ account }) => account)),
      Effect.mapError((error) => unavailable(error, false))
    )
  }
}

const logReader = (sql: SqlClient.SqlClient): Log.Log["Service"] => {
  const summaries = (where: ReturnType<typeof sql.and> | ReturnType<typeof sql.literal>) =>
    sql<{ readonly session: SessionRecord }>`
      select row_to_json(s) as session from aosiq_sessions s where ${where} order by started_at, id`.pipe(
      patiently,
      Effect.map((found) =>
        found.map(({ session: { started_at, ...rest } }): Log.Summary => ({ ...rest, startedAt: started_at }))
      )
    )
  const failed = (error: SqlError.SqlError) => new Log.LogError(describe(error))
  return {
    sessions: Effect.mapError(summaries(sql.literal("true")), failed),
    since: (at) =>
      Effect.mapError(
        summaries(sql.and([sql`id in (select session from aosiq_rows where at >= ${at})`])),
        failed
      ),
    session: (id) =>
      Effect.mapError(
        Effect.map(summaries(sql.and([sql`id = ${id}`])), ([first]) => Option.fromUndefinedOr(first)),
        failed
      ),
    rows: (id, from = 0) =>
      sql<{ readonly row: StoredRow }>`
        select json_build_object('v', 1, 'session', session, 'seq', seq, 'at', at, 'key', key, 'body', body,
          'prev', prev, 'hash', hash) as row from aosiq_rows
        where session = ${id} and seq >= ${from} order by seq`.pipe(
        patiently,
        Effect.map((found) => found.map(({ row }) => ({ ...row, body: parsed(row.body) }))),
        Effect.mapError(failed)
      ),
    payload: (hash) =>
      sql<{ readonly text: string }>`select text from aosiq_payloads where hash = ${hash}`.pipe(
        patiently,
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
