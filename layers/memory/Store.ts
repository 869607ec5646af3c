/** The log in memory: for tests, and for runs whose record may go with the process. */
import { Clock, Effect, Layer, Option, Result } from "effect"
import { Rule, Ticket } from "../../src/approval/index.ts"
import { Digest, Log } from "../../src/audit/index.ts"
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
        records: ({ kind, limit, newest = false, offset = 0, owner, state, until }) =>
          Effect.sync(() => {
            const found = [...space.records.values()].filter((record) =>
              record.kind === kind && (owner === undefined || record.owner === owner) &&
              (state === undefined || record.state === state) && (until === undefined || record.at <= until)
            ).toSorted((a, b) => a.at - b.at || byId(a, b))
            return (newest ? found.toReversed() : found).slice(offset, offset + limit)
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
        accounts: Effect.sync(() => [...space.accounts.values()].toSorted(byId))
      }),
      Layer.succeed(Log.Log, {
        sessions: Effect.sync(() =>
          [...space.sessions.values()].toSorted((a, b) => a.startedAt - b.startedAt || byId(a, b))
        ),
        since: (at) =>
          Effect.sync(() =>
            [...space.sessions.values()].filter(({ id }) => (rowsBySession.get(id)?.at(-1)?.at ?? 0) >= at)
              .toSorted((a, b) => a.startedAt - b.startedAt || byId(a, b))
          ),
        session: (id) => Effect.sync(() => Option.fromUndefinedOr(space.sessions.get(id))),
        rows: (id, from = 0) => Effect.sync(() => (rowsBySession.get(id) ?? []).slice(from)),
        payload: (hash) => Effect.sync(() => Option.fromUndefinedOr(space.payloads.get(hash)))
      })
    )
  }))

// internal

const byId = (a: { readonly id: string }, b: { readonly id: string }) => a.id < b.id ? -1 : 1
