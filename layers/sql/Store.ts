/**
 * The log in SQL, for PGlite and PostgreSQL alike. Commits that arrive while a transaction is under way share the next one
 * (`Groups`): lock their sessions, load what they touch, apply them in order, write what changed, commit. Five round trips
 * for a whole group, and two where nothing is shared with other sessions (`Quick`). What is acknowledged is written, and
 * what is refused is not, through restarts and lost answers of the server (`Attempt`).
 */
import { Cause, Clock, Deferred, Effect, Layer, Option, Result } from "effect"
import { SqlClient } from "effect/sql"
import { Digest, Log } from "../../src/audit/index.ts"
import { Store, Transition } from "../../src/governor/index.ts"
import * as Attempt from "./Attempt.ts"
import { unavailable } from "./Failure.ts"
import * as Groups from "./Groups.ts"
import * as Load from "./Load.ts"
import * as Quick from "./Quick.ts"
import * as Read from "./Read.ts"
import * as Save from "./Save.ts"
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
      const wanted = Load.wanted(commits)
      const held = yield* Load.lock(sql, wanted)
      // The sessions are held: a try that may have been written is over, one way or the other.
      if (before !== undefined && (yield* Attempt.isThere(sql, before.row))) {
        return { result: before.results, trace: null }
      }
      const { known, space, xid } = yield* Load.load(sql, wanted, held)
      yield* Load.loadRules(sql, wanted, space)
      const result = commits.map((commit) => Transition.apply(digest, space, commit, at))
      yield* Save.save(sql, digest, space, known)
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
      Layer.succeed(Store.Store, { commit, ...Read.store(sql) }),
      Layer.succeed(Log.Log, Read.log(sql))
    )
  })
)
