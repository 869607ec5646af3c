/** Sessions as operators see them, and whose they are. */
import { Effect, Option, Schema } from "effect"
import type { Log } from "../audit/index.ts"
import type { Claims } from "../capability/index.ts"
import { Proposal } from "../proposal/index.ts"
import type { Dispatch } from "../session/index.ts"
import { failed, missing } from "./Failure.ts"
import { type OperationError, type ProposalSummary, type RunView, type SessionView, standing } from "./Operations.ts"

/** A session in short. */
export const session = ({ actor, caller, id, parent, seq, startedAt, status }: Log.Summary): SessionView => ({
  actor,
  caller,
  id,
  parent,
  rows: seq,
  startedAt,
  status
})

/** What is seen of sessions in a log. */
export const make = (log: Log.Log["Service"]) => {
  const find = (id: Claims.SessionId): Effect.Effect<Log.Summary, OperationError> =>
    Effect.flatMap(Effect.mapError(log.session(id), failed), (found) =>
      Option.isSome(found)
        ? Effect.succeed(found.value)
        : Effect.fail(missing(`session ${id}`, "see: aosiq sessions")))

  /** The result as the log keeps it. */
  const result = Effect.fnUntraced(function*(hash: Log.Summary["result"]) {
    if (hash === null) return null
    const text = yield* log.payload(hash)
    return Option.isNone(text) ? null : JSON.parse(text.value) as Schema.Json // Canonical JSON of our own.
  })

  /** What a session ended with, where it is a proposal. */
  const proposal = (summary: Log.Summary): Effect.Effect<Option.Option<ProposalSummary>, Log.LogError> =>
    Effect.map(result(summary.result), (found) =>
      Option.map(decodeProposal(found), (base) => ({
        session: summary.id,
        actor: summary.actor,
        caller: summary.caller,
        ...base
      })))

  return {
    find,
    result,
    proposal,
    /** Who asked for it. */
    ownerOf: (id: Claims.SessionId) => Effect.map(find(id), ({ caller }) => caller),
    run: (ended: Dispatch.Ended<unknown>): Effect.Effect<RunView, Log.LogError> =>
      Effect.map(
        ended._tag === "Succeeded"
          ? Effect.flatMap(log.session(ended.session), (found) => result(Option.getOrNull(found)?.result ?? null))
          : Effect.succeed(null),
        (result) => ({ ...standing(ended), result })
      )
  }
}

// internal

const { confidence, severity, title } = Proposal.base
const decodeProposal = Schema.decodeUnknownOption(Schema.Struct({ confidence, severity, title }))
