/**
 * What a group of commits must see: its sessions, held, and everything of theirs that the commits touch, put into a
 * workspace.
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { Rule, Ticket } from "../../src/approval/index.ts"
import type { Log } from "../../src/audit/index.ts"
import { type Store, Transition } from "../../src/governor/index.ts"
import * as State from "./State.ts"

/** A session as its table has it. */
export type SessionRecord = Omit<Log.Summary, "startedAt"> & { readonly started_at: number }

/** What was loaded for a group. */
export interface Group {
  readonly space: Transition.Workspace
  readonly known: Known
  /** The server's number of the transaction; empty outside of one. */
  readonly xid: string
}

/** What was there before the commits were applied: it is updated where it changed, and everything else is new. */
export interface Known {
  readonly sessions: ReadonlySet<string>
  readonly accounts: ReadonlyMap<string, Store.AccountView>
  readonly records: ReadonlySet<string>
}

/**
 * Holds the sessions of a group, in the order of their ids, and gives them as they are once they are held. It is a
 * statement of its own because what a statement reads beside the rows it locks is as old as its start, and it may have
 * waited for the locks.
 */
export const lock = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, commits: ReadonlyArray<Store.Commit>) {
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
 * looked at are not, for they are shared by many. `held` are the sessions; without them the sessions are looked at, too.
 */
export const load = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  commits: ReadonlyArray<Store.Commit>,
  held?: ReadonlyArray<SessionRecord>
): Effect.fn.Return<Group, SqlError.SqlError> {
  const wanted = commits.map((commit) => ({ ...Transition.reads(commit), isFree: isFree(commit) }))
  const acts = wanted.flatMap((read) => read.acts.map((act) => ({ ...act, draws: !read.isFree })))
  const whole = list(wanted.flatMap((read) => read.whole))
  const looked = list(held === undefined ? wanted.flatMap((read) => read.sessions) : [])
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
        array(select json_array_elements_text(${looked}::json)) as looked,
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
      select * from aosiq_sessions where split_part(id, '.', 1) = any((select trees from ask)::text[])
      union all
      select * from aosiq_sessions where id = any((select looked from ask)::text[])),
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
      where ${ofKind(sql, records)}
      order by kind, id for update of r)
    select json_build_object(
      'xid', ${held === undefined ? sql.literal("''") : sql.literal("pg_current_xact_id()::text")},
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
  return { ...filled(held ?? [], row.loaded), xid: row.loaded.xid }
})

/** Rules are rare: they cost a round trip of their own, after everything else is held. */
export const loadRules = Effect.fnUntraced(function*(
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

/** Records `r` whose kinds and ids a JSON array names, for their key's index. */
export const ofKind = (sql: SqlClient.SqlClient, json: string) =>
  sql`r.kind = any(array(select e->>'kind' from json_array_elements(${json}::json) e))
    and r.id = any(array(select e->>'id' from json_array_elements(${json}::json) e))`

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

const list = (values: ReadonlyArray<string>) => JSON.stringify([...new Set(values)])

/** What costs nothing and holds nothing back changes no account. */
const isFree = (commit: Store.Commit) =>
  (commit._tag === "Begin" && commit.reserve === 0) || (commit._tag === "Finish" && commit.spent === 0)

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
