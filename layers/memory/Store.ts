/** The log in memory: for tests, and for runs whose record may go with the process. */
import { Clock, Effect, Layer, Option, Result } from "effect"
import { Rule, Ticket } from "../../src/approval/index.ts"
import { Digest, Log, type Row } from "../../src/audit/index.ts"
import { Store, Threads, Transition } from "../../src/governor/index.ts"

/** Reader and writer over one workspace that lives as long as the layer. */
export const layer: Layer.Layer<Store.Store | Log.Log, never, Digest.Digest> = Layer.unwrap(
  Effect.sync(() => layerOver(Transition.workspace()))
)

/** Reader and writer over a workspace that whoever made it keeps. */
export const layerOver = (space: Transition.Workspace): Layer.Layer<Store.Store | Log.Log, never, Digest.Digest> =>
  Layer.unwrap(Effect.gen(function*() {
    const digest = yield* Digest.Digest
    const uses: Array<Rule.Use> = []
    const rowsBySession = new Map<string, Array<(typeof space.rows)[number]>>()

    const lastAt = (id: string) => rowsBySession.get(id)?.at(-1)?.at ?? 0

    const commit = (commit: Store.Commit) =>
      Effect.flatMap(Clock.currentTimeMillis, (at) => {
        const result = Transition.apply(digest, space, commit, at)
        for (const row of space.rows.splice(0)) {
          const rows = rowsBySession.get(row.session)
          if (rows === undefined) rowsBySession.set(row.session, [row])
          else rows.push(row)
        }
        uses.push(...space.uses.splice(0))
        for (const changed of Object.values(space.dirty)) changed.clear()
        return Result.isSuccess(result)
          ? Effect.succeed(result.success)
          : Effect.fail(new Store.StoreError({ reason: result.failure }))
      })

    return Layer.mergeAll(
      Layer.succeed(Store.Store, {
        commit,
        ticket: (id) => Effect.sync(() => space.tickets.get(id)),
        tickets: (session) =>
          Effect.sync(() =>
            [...space.tickets.values()].filter((ticket) => session === undefined || ticket.session === session)
              .toSorted((a, b) => a.proposedAt - b.proposedAt || byId(a, b))
          ),
        ticketPage: ({ after, limit, newest = false, states, within }) =>
          Effect.sync(() => {
            const compare = (a: Proposed, b: Proposed) => byProposal(a, b) * (newest ? -1 : 1)
            return [...space.tickets.values()].filter((ticket) =>
              (after === undefined || compare(ticket, after) > 0) && (states?.includes(ticket.state) ?? true) &&
              (within === undefined || Transition.isWithin(ticket.session, within))
            ).toSorted(compare).slice(0, limit)
          }),
        due: (now, limit) =>
          Effect.sync(() =>
            [...space.wakes.values()].filter(({ due }) => due <= now).toSorted((a, b) => a.due - b.due).slice(0, limit)
              .flatMap((wake) => {
                const session = space.sessions.get(wake.session)
                return session === undefined ? [] : [{ ...wake, actor: session.actor }]
              })
          ),
        running: (limit) =>
          Effect.sync(() =>
            [...space.sessions.values()].filter(({ parent, status }) => parent === null && status === "running")
              .toSorted((a, b) => a.startedAt - b.startedAt || byId(a, b)).slice(0, limit)
              .map(({ actor, id }) => ({ session: id, actor }))
          ),
        quiet: (before, limit) =>
          Effect.sync(() =>
            [...space.sessions.values()].flatMap(({ actor, id, parent, status }) => {
              const last = rowsBySession.get(id)?.at(-1)
              const isQuiet = parent === null && status === "running" && last !== undefined && last.at < before
              return isQuiet ? [{ session: id, actor, seq: last.seq, at: last.at }] : []
            }).toSorted((a, b) => a.at - b.at || (a.session < b.session ? -1 : 1)).slice(0, limit)
          ),
        lost: (session) =>
          Effect.sync(() =>
            [...space.acts.values()]
              .filter((act) => act.state === "unknown" && (session === undefined || act.session === session))
              .toSorted((a, b) => a.session === b.session ? a.intent - b.intent : a.session < b.session ? -1 : 1)
          ),
        record: (key) => Effect.sync(() => space.records.get(Transition.recordKey(key))),
        records: ({ after, kind, limit, newest = false, offset = 0, owner, state, until }) =>
          Effect.sync(() => {
            const compare = (a: Place, b: Place) => (a.at - b.at || byId(a, b)) * (newest ? -1 : 1)
            return [...space.records.values()].filter((record) =>
              record.kind === kind && (owner === undefined || record.owner === owner) &&
              (state === undefined || record.state === state) && (until === undefined || record.at <= until) &&
              (after === undefined || compare(record, after) > 0)
            ).toSorted(compare).slice(offset, offset + limit)
          }),
        overdue: (at, limit) =>
          Effect.sync(() =>
            [...space.tickets.values()].filter((ticket) => Ticket.isOverdue(ticket, at))
              .toSorted((a, b) => a.expiresAt - b.expiresAt || byId(a, b)).slice(0, limit)
          ),
        rules: (usableAt) =>
          Effect.sync(() =>
            [...space.rules.values()].filter((rule) => usableAt === undefined || Rule.isUsable(rule, usableAt))
              .toSorted((a, b) => a.createdAt - b.createdAt || byId(a, b))
          ),
        uses: (rule) => Effect.sync(() => uses.filter((use) => use.rule === rule)),
        checkpoints: (session, query) => Effect.sync(() => Threads.read(space, session, query)),
        accounts: Effect.sync(() => [...space.accounts.values()].toSorted(byId)),
        accountPage: ({ after, limit }) =>
          Effect.sync(() =>
            [...space.accounts.values()].filter(({ id }) => after === undefined || id > after).toSorted(byId)
              .slice(0, limit)
          )
      }),
      Layer.succeed(Log.Log, {
        sessions: Effect.sync(() =>
          [...space.sessions.values()].toSorted((a, b) => a.startedAt - b.startedAt || byId(a, b))
        ),
        since: (at) =>
          Effect.sync(() =>
            [...space.sessions.values()].filter(({ id }) => lastAt(id) >= at)
              .toSorted((a, b) => a.startedAt - b.startedAt || byId(a, b))
          ),
        session: (id) => Effect.sync(() => Option.fromUndefinedOr(space.sessions.get(id))),
        page: (query) => Effect.sync(() => pageOf([...space.sessions.values()], query, (id) => lastAt(id))),
        rows: (id, from = 0, limit = Infinity) =>
          Effect.sync(() => (rowsBySession.get(id) ?? []).slice(from, from + limit)),
        trail: (query) =>
          Effect.sync(() => {
            const { caller, session } = query
            const ids = session === undefined ? [...rowsBySession.keys()] : [session]
            const wanted = ids.filter((id) => caller === undefined || space.sessions.get(id)?.caller === caller)
            return trailOf(wanted.flatMap((id) => rowsBySession.get(id) ?? []), query)
          }),
        payload: (hash) => Effect.sync(() => Option.fromUndefinedOr(space.payloads.get(hash)))
      })
    )
  }))

// internal

const byId = (a: { readonly id: string }, b: { readonly id: string }) => a.id === b.id ? 0 : a.id < b.id ? -1 : 1

type Place = NonNullable<Store.RecordQuery["after"]>

type Proposed = NonNullable<Store.TicketQuery["after"]>

const byProposal = (a: Proposed, b: Proposed) => a.proposedAt - b.proposedAt || byId(a, b)

const pageOf = (
  sessions: ReadonlyArray<Log.Summary>,
  { actor, after, caller, hasResult = false, isOver, limit, newest = false, since, status, within }: Log.SessionQuery,
  lastAt: (id: string) => number
) => {
  const compare = (a: Log.SessionPlace, b: Log.SessionPlace) =>
    (a.startedAt - b.startedAt || byId(a, b)) * (newest ? -1 : 1)
  return sessions.filter((session) =>
    (status === undefined || session.status === status) && (actor === undefined || session.actor === actor) &&
    (caller === undefined || session.caller === caller) &&
    (within === undefined || Transition.isWithin(session.id, within)) &&
    (isOver === undefined || Transition.isOver(session.status) === isOver) && (!hasResult || session.result !== null) &&
    (since === undefined || lastAt(session.id) >= since) && (after === undefined || compare(session, after) > 0)
  ).toSorted(compare).slice(0, limit)
}

const trailOf = (rows: ReadonlyArray<Row.Row>, { after, kind, limit, since }: Log.RowQuery) => {
  const compare = (a: Log.RowPlace, b: Log.RowPlace) =>
    a.at - b.at || (a.session === b.session ? 0 : a.session < b.session ? -1 : 1) || a.seq - b.seq
  return rows.filter((row) =>
    row.at >= since && (kind === undefined || row.body.kind === kind) &&
    (after === undefined || compare(row, after) > 0)
  ).toSorted(compare).slice(0, limit)
}
