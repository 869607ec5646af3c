/**
 * What a group of commits must see: its sessions, held, and everything of theirs that the commits touch, put into a
 * workspace.
 */
import { Effect } from "effect"
import type { SqlClient, SqlError, Statement } from "effect/sql"
import type { Rule, Ticket } from "../../src/approval/index.ts"
import type { Log } from "../../src/audit/index.ts"
import { type Store, Transition } from "../../src/governor/index.ts"
import * as State from "./State.ts"

/** A session as its table has it. */
export type SessionRecord = Omit<Log.Summary, "startedAt"> & { readonly started_at: number }

/** What the commits of a group must see. */
export type Wanted = ReadonlyArray<Transition.Reads & { readonly isFree: boolean }>

/** Of commits, in their order. */
export const wanted = (commits: ReadonlyArray<Store.Commit>): Wanted =>
  commits.map((commit) => ({ ...Transition.reads(commit), isFree: isFree(commit) }))

/** Ids as an array, each once. */
export const named = (sql: SqlClient.SqlClient, ids: ReadonlyArray<string>): Statement.Fragment =>
  sql`array(select json_array_elements_text(${JSON.stringify([...new Set(ids)])}::json))`

/** A session as the log tells of it. */
export const summaryOf = ({ started_at, ...session }: SessionRecord): Log.Summary => ({
  ...session,
  startedAt: started_at
})

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
export const lock = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, wanted: Wanted) {
  const sessions = named(sql, wanted.flatMap((read) => read.sessions))
  const trees = wanted.flatMap((read) => read.trees)
  const orInTree = trees.length === 0 ? sql.literal("") : sql`or split_part(id, '.', 1) = any(${named(sql, trees)})`
  const held = yield* sql<{ readonly session: SessionRecord }>`
    select row_to_json(s) as session from aosiq_sessions s where id = any(${sessions}) ${orInTree}
    order by id for update`
  return held.map(({ session }) => session)
})

/**
 * One statement, so that a group costs one round trip to load. Accounts that are drawn on are held; those that are only
 * looked at are not, for they are shared by many. `held` are the sessions; without them the sessions are looked at, too.
 */
export const load = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  wanted: Wanted,
  held?: ReadonlyArray<SessionRecord>
): Effect.fn.Return<Group, SqlError.SqlError> {
  const parts = [
    ...sessionsOf(sql, wanted, held === undefined),
    ...actsOf(sql, wanted),
    ...recordsOf(sql, wanted),
    ...familiesOf(sql, wanted)
  ]
  const xid = held === undefined ? sql.literal("''") : sql.literal("pg_current_xact_id()::text")
  const [row] = yield* sql<{ readonly loaded: Loaded }>`
    ${parts.length === 0 ? sql.literal("") : sql`with ${sql.join(", ", false)(parts.map(({ cte }) => cte))}`}
    select json_build_object('xid', ${xid}
      ${sql.join("", false)(parts.map(({ member }) => member))}
      ${State.loading(sql, wanted)}) as loaded`
  if (row === undefined) return yield* Effect.die("a statement without a condition gave no row")
  return { ...filled(held ?? [], row.loaded), xid: row.loaded.xid }
})

/** Rules are rare: they cost a round trip of their own, after everything else is held. */
export const loadRules = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  wanted: Wanted,
  space: Transition.Workspace
) {
  const rules = wanted.flatMap((read) => read.rules)
  if (rules.length === 0) return
  const found = yield* sql<{ readonly rule: Rule.Rule }>`
    select rule from aosiq_rules where id = any(${named(sql, rules)}) order by id for update`
  for (const { rule } of found) space.rules.set(rule.id, rule)
})

/** Records `r` whose kinds and ids a JSON array names, for their key's index. */
export const ofKind = (sql: SqlClient.SqlClient, json: string) =>
  sql`r.kind = any(array(select e->>'kind' from json_array_elements(${json}::json) e))
    and r.id = any(array(select e->>'id' from json_array_elements(${json}::json) e))`

// internal

interface Loaded extends State.Loaded {
  readonly xid: string
  readonly sessions?: ReadonlyArray<SessionRecord>
  readonly seen?: ReadonlyArray<Store.AccountView>
  readonly accounts?: ReadonlyArray<Store.AccountView>
  readonly tickets?: ReadonlyArray<{ readonly ticket: typeof Ticket.Ticket.Type }>
  readonly acts?: ReadonlyArray<Store.Act & { readonly draws: boolean }>
  readonly revoked?: ReadonlyArray<{ readonly token: string }>
  readonly records?: ReadonlyArray<Store.Kept>
  readonly children?: ReadonlyArray<Counted>
  readonly live?: ReadonlyArray<Counted>
}

interface Counted {
  readonly id: string
  readonly count: number
}

/** What costs nothing and holds nothing back changes no account. */
const isFree = (commit: Store.Commit) =>
  (commit._tag === "Begin" && commit.reserve === 0) || (commit._tag === "Finish" && commit.spent === 0)

/** A part of the statement, and the member of its object that gives what the part found. */
interface Part {
  readonly cte: Statement.Fragment
  readonly member: Statement.Fragment
}

/** A part by its letter; parts that are not asked for are left out, in bundles: every other text is planned anew. */
const part = (sql: SqlClient.SqlClient, letter: string, name: keyof Loaded, body: Statement.Fragment): Part => {
  const [as, table] = [sql.literal(`${letter} as materialized`), sql.literal(letter)]
  return {
    cte: sql`${as} (${body})`,
    member: sql`, ${sql.literal(`'${name}'`)}, (select coalesce(json_agg(${table}), '[]') from ${table})`
  }
}

const sessionsOf = (sql: SqlClient.SqlClient, wanted: Wanted, isLooking: boolean): ReadonlyArray<Part> => {
  const trees = wanted.flatMap((read) => read.trees)
  if (trees.length === 0 && !isLooking) return []
  // Of trees that are held: children that were opened while the tree was waited for.
  const where = isLooking
    ? sql`id = any(${named(sql, wanted.flatMap((read) => read.sessions))})`
    : sql`split_part(id, '.', 1) = any(${named(sql, trees)})`
  return [part(sql, "s", "sessions", sql`select * from aosiq_sessions where ${where}`)]
}

/** Acts with the accounts, tickets and tokens that they have to do with. */
const actsOf = (sql: SqlClient.SqlClient, wanted: Wanted): ReadonlyArray<Part> => {
  const acts = wanted.flatMap((read) => read.acts.map((act) => ({ ...act, draws: !read.isFree })))
  const whole = wanted.flatMap((read) => read.whole)
  const trees = wanted.flatMap((read) => read.trees)
  const drawn = wanted.flatMap((read) => read.isFree ? [] : read.accounts)
  const seen = wanted.flatMap((read) => read.isFree ? read.accounts : [])
  const tickets = wanted.flatMap((read) => read.tickets)
  const denied = wanted.flatMap((read) => read.denied)
  const pending = wanted.flatMap((read) => read.pending)
  const tokens = wanted.flatMap((read) => read.tokens)
  if ([acts, whole, trees, drawn, seen, tickets, denied, pending, tokens].every((ids) => ids.length === 0)) return []
  const isPlain = [trees, denied, pending].every((ids) => ids.length === 0)
  return [
    part(
      sql,
      "d",
      "acts",
      sql`
      select session, key, name, intent, args, reserved, accounts, ticket, repeat, state, draws
      from json_to_recordset(${JSON.stringify(acts)}::json) as x(session text, key text, draws bool)
      -- One look at the key for each: the planner takes the list for longer than it is.
      cross join lateral (select name, intent, args, reserved, accounts, ticket, repeat, state from aosiq_acts
        where aosiq_acts.session = x.session and aosiq_acts.key = x.key offset 0) found
      union all
      select session, key, name, intent, args, reserved, accounts, ticket, repeat, state, true as draws from aosiq_acts
      where session = any(${named(sql, whole)}) and state = 'running'`
    ),
    part(sql, "b", "seen", sql`select * from aosiq_accounts where id = any(${named(sql, seen)})`),
    part(
      sql,
      "a",
      "accounts",
      sql`
      select * from aosiq_accounts
      where id = any(${named(sql, drawn)} || array(select json_array_elements_text(accounts) from d
        where state in ('running', 'unknown') and (draws or reserved > 0)))
      order by id for update`
    ),
    part(
      sql,
      "t",
      "tickets",
      sql`
      select id, ticket from aosiq_tickets where id in (
        select unnest(${named(sql, tickets)} || array(select ticket from d))
        ${
        isPlain ? sql.literal("") : sql`
        union select id from aosiq_tickets where session = any(${named(sql, denied)}) and state = 'denied'
        union select id from aosiq_tickets
          where split_part(session, '.', 1) = any(${named(sql, pending)}) and state = 'proposed'
        union select id from aosiq_tickets where split_part(session, '.', 1) = any(${named(sql, trees)})`
      })
      order by id for update`
    ),
    part(sql, "v", "revoked", sql`select * from aosiq_revoked where token = any(${named(sql, tokens)})`)
  ]
}

const recordsOf = (sql: SqlClient.SqlClient, wanted: Wanted): ReadonlyArray<Part> => {
  const records = wanted.flatMap((read) => read.records)
  if (records.length === 0) return []
  const json = JSON.stringify(records)
  return [part(
    sql,
    "f",
    "records",
    sql`
    select kind, id, version, owner, state, at, value
    from json_to_recordset(${json}::json) as x(kind text, id text) join aosiq_records r using (kind, id)
    where ${ofKind(sql, json)}
    order by kind, id for update of r`
  )]
}

/** How many children parents have, and how many sessions live below their roots. */
const familiesOf = (sql: SqlClient.SqlClient, wanted: Wanted): ReadonlyArray<Part> => {
  const parents = wanted.flatMap((read) => read.parents)
  if (parents.length === 0) return []
  return [
    part(
      sql,
      "c",
      "children",
      sql`
      select p.id, (select count(*) from aosiq_sessions s where s.parent = p.id) as count
      from unnest(${named(sql, parents)}) p(id)`
    ),
    part(
      sql,
      "l",
      "live",
      sql`
      select p.id, (select count(*) from aosiq_sessions s where split_part(s.id, '.', 1) = p.id and s.id <> p.id
        and s.status in ('running', 'waiting', 'paused')) as count
      from unnest(${named(sql, parents.map(Transition.rootOf))}) p(id)`
    )
  ]
}

const filled = (held: ReadonlyArray<SessionRecord>, loaded: Loaded) => {
  const space = Transition.workspace()
  for (const session of [...held, ...loaded.sessions ?? []]) space.sessions.set(session.id, summaryOf(session))
  // What is held is newer than what was only looked at.
  for (const account of [...loaded.seen ?? [], ...loaded.accounts ?? []]) space.accounts.set(account.id, account)
  for (const { ticket } of loaded.tickets ?? []) space.tickets.set(ticket.id, ticket)
  for (const { draws: _, ...act } of loaded.acts ?? []) space.acts.set(Transition.actKey(act.session, act.key), act)
  for (const { token } of loaded.revoked ?? []) space.revoked.add(token)
  for (const record of loaded.records ?? []) space.records.set(Transition.recordKey(record), record)
  for (const { count, id } of loaded.children ?? []) space.crowd.children.set(id, count)
  for (const { count, id } of loaded.live ?? []) space.crowd.live.set(id, count)
  State.fill(space, loaded)
  const known: Known = {
    sessions: new Set(space.sessions.keys()),
    accounts: new Map(space.accounts),
    records: new Set(space.records.keys())
  }
  return { space, known }
}
