/**
 * Groups that touch nothing but what belongs to their own sessions: checkpoints, notes, and acts that cost nothing and
 * wait for nobody. They take two statements and no transaction around them. The second one writes only if the sessions
 * stand where the first one saw them: every change of anything that belongs to a session moves its `seq`. Where it did not
 * write, or nobody knows whether it did, the group goes the long way, which looks for the row that this one may have left.
 */
import { Clock, Effect } from "effect"
import type { SqlClient } from "effect/sql"
import type { Digest, Row } from "../../src/audit/index.ts"
import { type Store, Transition } from "../../src/governor/index.ts"
import { inTime } from "./Attempt.ts"
import * as Load from "./Load.ts"
import * as Save from "./Save.ts"

/** What the commits of a group came to. */
export type Results = ReadonlyArray<ReturnType<typeof Transition.apply>>

/** A try whose answer was lost: what it came to, if the row is there. */
export interface Lost {
  readonly results: Results
  readonly row: Row.Row
}

/** How a try went. `Elsewhere` wrote nothing. */
export type Tried =
  | { readonly _tag: "Done"; readonly results: Results }
  | { readonly _tag: "Elsewhere" }
  | { readonly _tag: "Lost"; readonly lost: Lost }

/** Whether a group may go this way, as far as its commits say. */
export const isQuick = (commits: ReadonlyArray<Store.Commit>): boolean => commits.every(isSimple)

/** Tries it once. */
export const attempt = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  digest: Digest.Digest["Service"],
  commits: ReadonlyArray<Store.Commit>
): Effect.fn.Return<Tried> {
  let lost: Lost | undefined
  return yield* Effect.gen(function*() {
    const at = yield* Clock.currentTimeMillis
    const { known, space } = yield* inTime(Load.load(sql, Load.wanted(commits)))
    const seen = [...space.sessions.values()]
    const results = commits.map((commit) => Transition.apply(digest, space, commit, at))
    const [row] = space.rows
    if (row === undefined) return { _tag: "Done" as const, results }
    if (!Save.isOwn(sql, space, known)) return elsewhere
    lost = { results, row }
    const isSaved = yield* inTime(Save.saveIf(sql, digest, space, known, seen))
    return isSaved ? { _tag: "Done" as const, results } : elsewhere
  }).pipe(
    // Whatever it was, the long way comes to it again and says so.
    Effect.catchCause(() => Effect.succeed<Tried>(lost === undefined ? elsewhere : { _tag: "Lost", lost }))
  )
})

/** The same for one of its commits. */
export const ofOne = (lost: Lost | undefined, index: number): Lost | undefined => {
  const result = lost?.results[index]
  return lost === undefined || result === undefined ? undefined : { ...lost, results: [result] }
}

// internal

const elsewhere: Tried = { _tag: "Elsewhere" }

const isSimple = (commit: Store.Commit): boolean => {
  switch (commit._tag) {
    case "Checkpoint":
      return true
    case "Append":
      return commit.status === null && commit.keep === undefined && commit.wakeAt === undefined
    case "Begin":
      return commit.reserve === 0 && commit.ticket === null && commit.rule === undefined && commit.after === null
    case "Finish":
      return commit.spent === 0
    default:
      return false
  }
}
