/**
 * What a group changed, written in one statement: each kind as a JSON record set. What other transactions may write too is
 * written in one order, so that two of them do not wait for each other. Rows that are updated are named twice, once as an
 * array, or the planner reads small tables whole.
 */
import { Effect } from "effect"
import type { SqlClient, SqlError, Statement } from "effect/sql"
import type { Digest, Log } from "../../src/audit/index.ts"
import { type Store, Transition } from "../../src/governor/index.ts"
import * as Load from "./Load.ts"
import * as State from "./State.ts"

/** Writes all of it, in a transaction that holds what was loaded. */
export const save = (
  sql: SqlClient.SqlClient,
  digest: Digest.Digest["Service"],
  space: Transition.Workspace,
  known: Load.Known
): Effect.Effect<unknown, SqlError.SqlError> => {
  const given: Given = (json) => sql`${json}::json`
  const changes = [
    ...space.rows.length === 0 ? [] : own(sql, digest, space, known, given),
    ...shared(sql, space, known)
  ]
  return changes.length === 0 ? Effect.void : sql`with ${sql.join(", ", false)(named(sql, changes))} select`
}

/** Whether nothing changed but what belongs to sessions that were there: each such change moves its session's `seq`. */
export const isOwn = (sql: SqlClient.SqlClient, space: Transition.Workspace, known: Load.Known): boolean =>
  space.dirty.ended.size === 0 && shared(sql, space, known).length === 0

/** Writes what belongs to the sessions, if they still stand as `seen`, and nothing otherwise; says whether they did. */
export const saveIf = (
  sql: SqlClient.SqlClient,
  digest: Digest.Digest["Service"],
  space: Transition.Workspace,
  known: Load.Known,
  seen: ReadonlyArray<Log.Summary>
): Effect.Effect<boolean, SqlError.SqlError> => {
  const expected = JSON.stringify(seen.map(({ epoch, id, seq, status }) => ({ id, epoch, seq, status })))
  const given: Given = (json) => sql`(select case when ok then ${json}::json else '[]'::json end from g)`
  return sql<{ readonly ok: boolean }>`
    with g as materialized (select count(*) = ${seen.length} as ok from (
      select s.id from aosiq_sessions s join json_to_recordset(${expected}::json)
        as x(id text, epoch int, seq int, status text) using (id, epoch, seq, status)
      where s.id = any(array(select e->>'id' from json_array_elements(${expected}::json) e))
      order by s.id for update of s) f),
    ${sql.join(", ", false)(named(sql, own(sql, digest, space, known, given)))}
    select ok from g`.pipe(Effect.map(([row]) => row?.ok === true))
}

// internal

/** How the JSON of a change reaches its statement. */
type Given = (json: string) => Statement.Fragment
type Changes = ReadonlyArray<Statement.Fragment>

const named = (sql: SqlClient.SqlClient, changes: Changes): Changes =>
  changes.map((change, index) => sql`${sql.literal(`c${index}`)} as (${change})`)

/** What belongs to sessions that were there: their rows and texts, their acts, where they stand, and the state of their runs. */
const own = (
  sql: SqlClient.SqlClient,
  digest: Digest.Digest["Service"],
  space: Transition.Workspace,
  known: Load.Known,
  given: Given
): Changes => {
  const rows = JSON.stringify(space.rows.map((row) => ({ ...row, body: digest.canonical(row.body) })))
  const payloads = [...space.payloads].map(([hash, text]) => ({ hash, text })).toSorted(by("hash"))
  const acts = picked(space.acts, space.dirty.acts)
  const moved = JSON.stringify(
    picked(space.sessions, space.dirty.sessions).filter(({ id }) => known.sessions.has(id))
      .map(({ epoch, head, id, result, seq, status }) => ({ epoch, head, id, result, seq, status }))
  )
  return [
    sql`insert into aosiq_rows (session, seq, at, key, body, prev, hash)
      select session, seq, at, key, body, prev, hash from json_to_recordset(${given(rows)})
        as x(session text, seq int, at bigint, key text, body text, prev text, hash text)`,
    ...(payloads.length + acts.length === 0 ? [] : textsAndActs(sql, payloads, acts, given)),
    sql`update aosiq_sessions s set status = x.status, epoch = x.epoch, seq = x.seq, head = x.head, result = x.result
      from json_to_recordset(${given(moved)}) as x(id text, status text, epoch int, seq int, head text, result text)
      where s.id = x.id and s.id = any(array(select e->>'id' from json_array_elements(${moved}::json) e))`,
    ...State.changes(sql, space, given)
  ]
}

/** Together or not at all: a database plans every other text of a statement anew. */
const textsAndActs = (
  sql: SqlClient.SqlClient,
  payloads: ReadonlyArray<{ readonly hash: string; readonly text: string }>,
  acts: ReadonlyArray<Store.Act>,
  given: Given
): Changes => [
  sql`insert into aosiq_payloads (hash, text)
      select hash, text from json_to_recordset(${given(JSON.stringify(payloads))}) as x(hash text, text text)
      on conflict (hash) do nothing`,
  sql`insert into aosiq_acts (session, key, name, intent, args, reserved, accounts, ticket, repeat, state)
      select session, key, name, intent, args, reserved, accounts, ticket, repeat, state
      from json_to_recordset(${
    given(JSON.stringify(acts))
  }) as x(session text, key text, name text, intent int, args text,
        reserved bigint, accounts json, ticket text, repeat text, state text)
      on conflict (session, key) do update set state = excluded.state, reserved = excluded.reserved`
]

/** Everything else. */
const shared = (sql: SqlClient.SqlClient, space: Transition.Workspace, known: Load.Known): Changes =>
  [
    ...sessionChanges(sql, space, known.sessions),
    ...accountChanges(sql, space, known.accounts),
    ...recordChanges(sql, space, known.records),
    ...ruleChanges(sql, space)
  ].filter((change) => change !== null)

const sessionChanges = (sql: SqlClient.SqlClient, space: Transition.Workspace, known: ReadonlySet<string>) => {
  const opened = picked(space.sessions, space.dirty.sessions).filter(({ id }) => !known.has(id))
  const tickets = picked(space.tickets, space.dirty.tickets)
    .map((ticket) => ({ id: ticket.id, session: ticket.session, state: ticket.state, ticket }))
  return [
    into(tickets, (all) =>
      sql`insert into aosiq_tickets (id, session, state, ticket)
        select id, session, state, ticket from json_to_recordset(${all}::json)
          as x(id text, session text, state text, ticket json)
        on conflict (id) do update set state = excluded.state, ticket = excluded.ticket`),
    into(
      [...space.dirty.revoked].toSorted(),
      (all) =>
        sql`insert into aosiq_revoked (token) select json_array_elements_text(${all}::json)
        on conflict (token) do nothing`
    ),
    into(opened, (all) =>
      sql`insert into aosiq_sessions
          (id, actor, parent, caller, accounts, status, epoch, seq, head, token, input, result, started_at)
        select id, actor, parent, caller, accounts, status, epoch, seq, head, token, input, result, "startedAt"
        from json_to_recordset(${all}::json) as x(id text, actor text, parent text, caller text, accounts json,
          status text, epoch int, seq int, head text, token text, input text, result text, "startedAt" bigint)`),
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
        where r.kind = x.kind and r.id = x.id and ${Load.ofKind(sql, all)}`
    ),
    into(
      records.filter(isKnown),
      (all) =>
        sql`update aosiq_records r set version = x.version, owner = x.owner, state = x.state, at = x.at, value = x.value
        from json_to_recordset(${all}::json)
          as x(kind text, id text, version int, owner text, state text, at bigint, value json)
        where r.kind = x.kind and r.id = x.id and ${Load.ofKind(sql, all)}`
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

/** A statement over `all`, unless there are none. */
const into = <A>(all: ReadonlyArray<A>, statement: (json: string) => Statement.Fragment) =>
  all.length === 0 ? null : statement(JSON.stringify(all))

const by = <K extends string>(key: K) => (a: Readonly<Record<K, string>>, b: Readonly<Record<K, string>>) =>
  a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0
