/**
 * What can be followed of what can be read, and what of it changed. The log is looked at in the name of whoever follows, and
 * not this process: it does not matter which process a session runs in. A notice says where to read, and nothing else.
 */
import { Clock, Effect, Schema } from "effect"
import { Asker, type Operations, Permits } from "../../operator/index.ts"
import { Proposal } from "../../proposal/index.ts"
import * as Resources from "./Resources.ts"
import type { Work } from "./Work.ts"

/** How far commits and the clocks of processes may lag behind, milliseconds: so much is looked at again. */
const lagMs = 10_000

/** What a look found; the next one goes on from there. */
export interface Look {
  /** When, epoch milliseconds. */
  readonly at: number
  /** Sessions that had rows of late, and how many. */
  readonly rows: ReadonlyMap<string, number>
  /** The acts that waited, and how they stood; `null` while nobody follows them. */
  readonly waiting: string | null
}

/** Nobody follows this, or not whoever asks; nothing is followed for it. */
export class Unfollowed extends Schema.TaggedError<Unfollowed>()("Unfollowed", { detail: Schema.String }) {
  override get message(): string {
    return this.detail
  }
}

/** What a server has to tell. */
export interface News {
  /** Whether whoever asks may follow what is read there. */
  readonly admit: (uri: string) => Effect.Effect<void, Unfollowed | Operations.OperationError, Asker.Asker>
  /** What changed of these since a look, the first of which only says from where on. */
  readonly look: (
    uris: ReadonlySet<string>,
    before: Look | null
  ) => Effect.Effect<
    { readonly look: Look; readonly changed: ReadonlySet<string> },
    Operations.OperationError,
    Asker.Asker
  >
}

/** Of the resources, over the operations. */
export const make = (work: Work): News => ({ admit: admitting(work), look: looking(work) })

// internal

const admitting = (work: Work): News["admit"] =>
  Effect.fnUntraced(function*(uri) {
    const place = Resources.placeOf(uri)
    const { role } = yield* Asker.Asker
    if (place === null || Permits.permits[place.operation][role] === "none") {
      return yield* new Unfollowed({ detail: `there is nothing to follow at ${uri}` })
    }
    // One that is not there is refused.
    if (place.session !== null) yield* work.session_show({ session: place.session })
  })

const looking = (work: Work): News["look"] =>
  Effect.fnUntraced(function*(uris, before) {
    const at = yield* Clock.currentTimeMillis
    const list = yield* work.sessions_list({ since: Math.max(0, (before?.at ?? at) - lagMs) })
    const moved = before === null ? [] : list.filter(({ id, rows }) => before.rows.get(id) !== rows)
    const changed = new Set(moved.map(({ id }) => Resources.uris.audit(id)).filter((uri) => uris.has(uri)))
    for (const { id, status } of moved) {
      const about = status === "succeeded" ? above(id).filter((uri) => uris.has(uri)) : []
      if (about.length === 0 || !isProposal(yield* work.session_result({ session: id }))) continue
      for (const uri of about) changed.add(uri)
    }
    const isFollowed = uris.has(Resources.uris.approvals)
    const known = isFollowed ? before?.waiting ?? null : null
    const waiting = isFollowed && (known === null || moved.length > 0)
      ? standing(yield* Resources.waiting(work))
      : known
    if (known !== null && known !== waiting) changed.add(Resources.uris.approvals)
    return { look: { at, rows: new Map(list.map(({ id, rows }) => [id, rows])), waiting }, changed }
  })

/** Where proposals of a session are read: with all others, and with those of each session that it is below. */
const above = (session: string): ReadonlyArray<string> => {
  const parts = session.split(".")
  return [Resources.uris.proposals, ...parts.map((_, at) => Resources.uris.proposal(parts.slice(0, at + 1).join(".")))]
}

const isProposal = Schema.is(Proposal.Base)

const standing = (tickets: Effect.Success<ReturnType<typeof Resources.waiting>>): string =>
  JSON.stringify(tickets.map(({ binding, id, votes }) => [id, binding, votes.length]))
