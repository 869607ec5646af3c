/** The log as its readers and those of the sessions' affairs see it: nothing is held, and nothing changes. */
import { Effect, Exit, Option, Request, RequestResolver } from "effect"
import type { SqlClient, SqlError, Statement } from "effect/sql"
import type { Rule, Ticket } from "../../src/approval/index.ts"
import { Log, type Row } from "../../src/audit/index.ts"
import type { Claims } from "../../src/capability/index.ts"
import type { Store } from "../../src/governor/index.ts"
import { describe, patiently, unavailable } from "./Failure.ts"
import * as Load from "./Load.ts"
import * as State from "./State.ts"

/** What the store tells. */
export const store = (sql: SqlClient.SqlClient): Omit<Store.Store["Service"], "commit"> => {
  const ticketsWhere = (where: ReturnType<typeof sql.and> | ReturnType<typeof sql.literal>) =>
    sql<{ readonly ticket: typeof Ticket.Ticket.Type }>`
      select ticket from aosiq_tickets where ${where}
      order by (ticket->>'proposedAt')::bigint, id`.pipe(
      asked,
      Effect.map((found) => found.map(({ ticket }) => ticket))
    )
  const recordsWhere = (where: ReadonlyArray<Statement.Fragment>, rest: Statement.Fragment) =>
    sql<{ readonly record: Store.Kept }>`
      select row_to_json(r) as record from aosiq_records r where ${sql.and(where)} ${rest}`.pipe(
      asked,
      Effect.map((found) => found.map(({ record }) => record))
    )
  return {
    ticket: (id) => Effect.map(ticketsWhere(sql.and([sql`id = ${id}`])), ([ticket]) => ticket),
    tickets: (session) =>
      ticketsWhere(session === undefined ? sql.literal("true") : sql.and([sql`session = ${session}`])),
    ticketPage: ({ after, limit, newest = false, states, within }) =>
      sql<{ readonly ticket: typeof Ticket.Ticket.Type }>`
        select ticket from aosiq_tickets where ${
        sql.and([
          after === undefined
            ? sql.literal("true")
            : sql`((ticket->>'proposedAt')::bigint, id collate "C") ${sql.literal(newest ? "<" : ">")}
              (${after.proposedAt}, ${after.id} collate "C")`,
          ...states === undefined ? [] : [sql`state in ${sql.in(states)}`],
          ...within === undefined ? [] : [isWithin(sql, sql.literal("session"), within)]
        ])
      } order by ${
        sql.literal(
          newest
            ? `(ticket->>'proposedAt')::bigint desc, id collate "C" desc`
            : `(ticket->>'proposedAt')::bigint, id collate "C"`
        )
      } limit ${limit}`.pipe(
        asked,
        Effect.map((found) => found.map(({ ticket }) => ticket))
      ),
    due: (now, limit) =>
      sql<{ readonly wake: Store.Wake & { readonly actor: string } }>`
        select json_build_object('session', w.session, 'reason', w.reason, 'due', w.due, 'actor', s.actor) as wake
        from aosiq_wakes w join aosiq_sessions s on s.id = w.session
        where w.due <= ${now} order by w.due, w.session, w.reason limit ${limit}`.pipe(
        asked,
        Effect.map((found) => found.map(({ wake }) => wake))
      ),
    running: (limit) =>
      sql<{ readonly session: Claims.SessionId; readonly actor: string }>`
        select id as session, actor from aosiq_sessions
        where status = 'running' and parent is null order by started_at, id limit ${limit}`.pipe(
        asked
      ),
    quiet: (before, limit) =>
      sql<{ readonly quiet: Store.Quiet }>`
        select json_build_object('session', s.id, 'actor', s.actor, 'seq', r.seq, 'at', r.at) as quiet
        from aosiq_sessions s join aosiq_rows r on r.session = s.id and r.seq = s.seq - 1
        where s.status = 'running' and s.parent is null and r.at < ${before}
        order by r.at, s.id collate "C" limit ${limit}`.pipe(
        asked,
        Effect.map((found) => found.map(({ quiet }) => quiet))
      ),
    lost: (session) =>
      sql<{ readonly act: Store.Act }>`
        select row_to_json(a) as act from aosiq_acts a where state = 'unknown' and ${
        session === undefined ? sql.literal("true") : sql.and([sql`session = ${session}`])
      } order by session collate "C", intent`.pipe(
        asked,
        Effect.map((found) => found.map(({ act }) => act))
      ),
    record: ({ id, kind }) =>
      Effect.map(recordsWhere([sql`kind = ${kind}`, sql`id = ${id}`], sql`limit 1`), ([record]) => record),
    records: ({ after, kind, limit, newest = false, offset = 0, owner, state, until }) =>
      recordsWhere(
        [
          after === undefined
            ? sql.literal("true")
            : newest
            ? sql`(at, id collate "C") < (${after.at}, ${after.id} collate "C")`
            : sql`(at, id collate "C") > (${after.at}, ${after.id} collate "C")`,
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
        asked,
        Effect.map((found) => found.map(({ ticket }) => ticket))
      ),
    rules: (usableAt) =>
      sql<{ readonly rule: Rule.Rule }>`
        select rule from aosiq_rules where ${
        usableAt === undefined
          ? sql.literal("true")
          : sql.and([sql`state = 'standing'`, sql`uses < max_uses`, sql`expires_at > ${usableAt}`])
      } order by created_at, id`.pipe(
        asked,
        Effect.map((found) => found.map(({ rule }) => rule))
      ),
    checkpoints: (session, query) =>
      Effect.mapError(State.read(sql, session, query), (error) => unavailable(error, false)),
    uses: (rule) =>
      sql<{ readonly use: Rule.Use }>`
        select row_to_json(u) as use from aosiq_rule_uses u where rule = ${rule} order by u.use`.pipe(
        asked,
        Effect.map((found) => found.map(({ use }) => use))
      ),
    accounts: sql<{ readonly account: Store.AccountView }>`
      select row_to_json(a) as account from aosiq_accounts a order by id`.pipe(
      asked,
      Effect.map((found) => found.map(({ account }) => account))
    ),
    accountPage: ({ after, limit }) =>
      sql<{ readonly account: Store.AccountView }>`
        select row_to_json(a) as account from aosiq_accounts a
        where ${after === undefined ? sql.literal("true") : sql`id collate "C" > ${after}`}
        order by id collate "C" limit ${limit}`.pipe(
        asked,
        Effect.map((found) => found.map(({ account }) => account))
      )
  }
}

/** What the log tells. */
export const log = (sql: SqlClient.SqlClient): Log.Log["Service"] => {
  const summaries = (where: Statement.Fragment) =>
    sql<{ readonly session: Load.SessionRecord }>`
      select row_to_json(s) as session from aosiq_sessions s where ${where} order by started_at, id`.pipe(
      patiently,
      Effect.map((found) => found.map(({ session }) => Load.summaryOf(session)))
    )
  const failed = (error: SqlError.SqlError) => new Log.LogError(describe(error))
  const rowsWhere = (where: Statement.Fragment, rest: Statement.Fragment) =>
    sql<{ readonly row: StoredRow }>`
      select json_build_object('v', 1, 'session', session, 'seq', seq, 'at', at, 'key', key, 'body', body,
        'prev', prev, 'hash', hash) as row from aosiq_rows where ${where} ${rest}`.pipe(
      patiently,
      Effect.map((found) => found.map(({ row }) => ({ ...row, body: parsed(row.body) }))),
      Effect.mapError(failed)
    )
  // Messages come many at a time, and each looks at its session: they share a statement.
  const byId = RequestResolver.make<ById>((entries) =>
    summaries(sql`id = any(${Load.named(sql, entries.map(({ request }) => request.id))})`).pipe(
      Effect.mapError(failed),
      Effect.map((found) => new Map<string, Log.Summary>(found.map((summary) => [summary.id, summary]))),
      Effect.exit,
      Effect.map((exit) => {
        for (const entry of entries) {
          entry.completeUnsafe(Exit.map(exit, (found) => Option.fromUndefinedOr(found.get(entry.request.id))))
        }
      })
    )
  )
  return {
    sessions: Effect.mapError(summaries(sql.literal("true")), failed),
    since: (at) =>
      Effect.mapError(
        summaries(sql.and([sql`id in (select session from aosiq_rows where at >= ${at})`])),
        failed
      ),
    session: (id) => Effect.request(new ById({ id }), byId),
    page: ({ actor, after, caller, hasResult = false, isOver, limit, newest = false, since, status, within }) =>
      sql<{ readonly session: Load.SessionRecord }>`
        select row_to_json(s) as session from aosiq_sessions s where ${
        sql.and([
          ...status === undefined ? [] : [sql`status = ${status}`],
          ...actor === undefined ? [] : [sql`actor = ${actor}`],
          ...caller === undefined ? [] : [sql`caller = ${caller}`],
          ...since === undefined ? [] : [sql`id in (select session from aosiq_rows where at >= ${since})`],
          ...isOver === undefined ? [] : [sql`status ${sql.literal(isOver ? "in" : "not in")} ${sql.in(over)}`],
          ...within === undefined ? [] : [isWithin(sql, sql.literal("id"), within)],
          hasResult ? sql`result is not null` : sql.literal("true"),
          after === undefined
            ? sql.literal("true")
            : newest
            ? sql`(started_at, id collate "C") < (${after.startedAt}, ${after.id} collate "C")`
            : sql`(started_at, id collate "C") > (${after.startedAt}, ${after.id} collate "C")`
        ])
      } order by ${sql.literal(newest ? `started_at desc, id collate "C" desc` : `started_at, id collate "C"`)}
        limit ${limit}`.pipe(
        patiently,
        Effect.map((found) => found.map(({ session }) => Load.summaryOf(session))),
        Effect.mapError(failed)
      ),
    rows: (id, from = 0, limit) =>
      rowsWhere(
        sql.and([sql`session = ${id}`, sql`seq >= ${from}`]),
        limit === undefined ? sql`order by seq` : sql`order by seq limit ${limit}`
      ),
    trail: Effect.fnUntraced(function*({ caller, kind, limit, session, since, ...query }) {
      const found: Array<Row.Row> = []
      // What only looks like the kind is sorted out here, and made up for.
      for (let after = query.after; found.length < limit;) {
        const rows = yield* rowsWhere(
          sql.and([
            sql`at >= ${since}`,
            ...session === undefined ? [] : [sql`session = ${session}`],
            ...caller === undefined
              ? []
              : [sql`session in (select id from aosiq_sessions where caller = ${caller})`],
            ...kind === undefined ? [] : [sql`strpos(body, ${`"kind":${JSON.stringify(kind)}`}) > 0`],
            after === undefined ? sql.literal("true") : sql`(at, session collate "C", seq) >
              (${after.at}, ${after.session} collate "C", ${after.seq})`
          ]),
          sql`order by at, session collate "C", seq limit ${limit}`
        )
        found.push(...rows.filter(({ body }) => kind === undefined || body.kind === kind))
        after = rows.at(-1)
        if (rows.length < limit) break
      }
      return found.slice(0, limit)
    }),
    payload: (hash) =>
      sql<{ readonly text: string }>`select text from aosiq_payloads where hash = ${hash}`.pipe(
        patiently,
        Effect.map(([first]) => Option.fromUndefinedOr(first?.text)),
        Effect.mapError(failed)
      )
  }
}

// internal

/** Whether a session is this one or below it: found by the root of its tree, which has an index. */
const isWithin = (sql: SqlClient.SqlClient, column: Statement.Fragment, session: Claims.SessionId) =>
  sql`split_part(${column}, '.', 1) = split_part(${session}, '.', 1)
    and (${column} = ${session} or starts_with(${column}, ${`${session}.`}))`

/** Statuses that are final. */
const over: ReadonlyArray<Log.Status> = ["succeeded", "failed", "abandoned", "cancelled"]

/** What a statement answers, for as long as the database may take to come back. */
const asked = <A>(statement: Effect.Effect<A, SqlError.SqlError>): Effect.Effect<A, Store.StoreError> =>
  Effect.mapError(patiently(statement), (error) => unavailable(error, false))

class ById extends Request.TaggedClass("ById")<{ readonly id: string }, Option.Option<Log.Summary>, Log.LogError> {}

type StoredRow = Omit<Row.Row, "body"> & { readonly body: string }

/** Rows are handed on as stored; a body that someone broke is left for the verifier to name. */
const parsed = (text: string): Row.Body => {
  try {
    return JSON.parse(text) as Row.Body // Not yet verified, as the contract says.
  } catch {
    return { kind: "noted", what: "mode", by: "unreadable", detail: text }
  }
}
