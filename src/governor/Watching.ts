/**
 * How far a session has moved from what it was asked for, read back from its log: the request, the arguments of its acts,
 * and what detectors found in the results. A session that has drifted is paused, with all of its tree, and a row says how
 * far; when an operator resumes it, its course so far is taken as accepted. Every run of it comes to the same score.
 */
import { Effect, Option, Result, type Schema } from "effect"
import { type Digest, Installation, type Log } from "../audit/index.ts"
import { Drift, Label } from "../trust/index.ts"
import { fail, isRejected, type Named, unavailable } from "./Call.ts"
import type * as Mode from "./Mode.ts"
import { type GovernorError, Refused } from "./Refusal.ts"
import { acceptedOf, type Entered, knowledgeOf, type Read } from "./Session.ts"
import type { Store } from "./Store.ts"

/** What is watched with. */
export interface Parts {
  readonly store: Store["Service"]
  readonly log: Log.Log["Service"]
  readonly digest: Digest.Digest["Service"]
  readonly mode: Mode.Mode
}

/** Pauses a session whose score is at `threshold` or above, and ends its run; outside of enforced mode only says so. */
export const make = ({ digest, log, mode, store }: Parts) => {
  /** All texts of a value in the log, if it is still what was recorded. */
  const words = (hash: Digest.Hash | null) =>
    hash === null ? Effect.succeed("") : Effect.map(
      Effect.catch(log.payload(hash), (error) => unavailable(watching, error, false)),
      Option.match({
        onNone: () => "",
        onSome: (text) => digest.sha256(text) === hash ? textsIn(text) : ""
      })
    )

  /** How each run stood when it was last looked at; what it has done since is added. */
  const courses = new WeakMap<ReadonlyArray<Read>, { readonly course: Drift.Course; readonly count: number }>()

  const courseOf = Effect.fnUntraced(function*(session: Entered): Effect.fn.Return<Drift.Course, GovernorError> {
    const { input, read } = knowledgeOf(session)
    const accepted = acceptedOf(session)
    const last = courses.get(read)
    const count = read.length
    let course = last?.course ?? Drift.begin(yield* words(input))
    for (let at = last?.count ?? 0; at < count; at++) {
      if (accepted.includes(at)) course = Drift.accept(course)
      const done = read[at]
      if (done === undefined) continue
      const asked = `${done.tool} ${yield* words(done.args)}`
      course = Drift.next(course, { asked, read: done.detected?.findings ?? [] })
    }
    courses.set(read, { course, count })
    return accepted.includes(count) ? Drift.accept(course) : course
  })

  /** Runs of which it was said outside of enforced mode. */
  const noted = new WeakSet<ReadonlyArray<Read>>()

  return Effect.fnUntraced(function*(session: Entered, threshold: number): Effect.fn.Return<void, GovernorError> {
    if (mode === "disabled") return
    const { score, steps } = yield* courseOf(session)
    const { read } = knowledgeOf(session)
    if (score < threshold || noted.has(read)) return
    const rounded = Math.round(score * 1000) / 1000
    const body = { kind: "drifted", score: rounded, threshold, steps } as const
    const { epoch, id } = session
    if (mode === "warn") {
      noted.add(read)
      const row = { key: null, body }
      const commit = { _tag: "Append", session: id, epoch, row, payloads: [], status: null, result: null } as const
      return yield* Effect.catch(Effect.asVoid(store.commit(commit)), (error) => unavailable(watching, error, false))
    }
    const reason = `it has drifted: its score is ${rounded} after ${steps} acts, and people look from ${threshold} on`
    yield* store.commit({
      _tag: "Control",
      action: "pause",
      session: id,
      run: epoch,
      by: Installation.actor,
      reason,
      cause: body
    }).pipe(
      // Whoever paused or ended it a moment ago has done what was to be done.
      Effect.catchIf(isRejected, () => Effect.void),
      Effect.catch((error) => unavailable(watching, error, false))
    )
    return yield* fail(
      watching,
      new Refused({ layer: "session", detail: reason, remedy: `aosiq sessions resume ${id}` })
    )
  })
}

// internal

const watching: Named = { name: "watch" }

/** Numbers and names of fields say little of what is asked for. */
const textsIn = (text: string): string =>
  Result.match(Result.try(() => JSON.parse(text) as Schema.Json), {
    onFailure: () => "",
    onSuccess: (json) => Label.leaves(json).flatMap(({ value }) => typeof value === "string" ? [value] : []).join("\n")
  })
