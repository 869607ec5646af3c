/** A recorded diagnosis, run again in memory: models and tools answer from the tape, people have agreed as they had then. */
import { Effect, Layer } from "effect"
import { Tape } from "../../src/backend/index.ts"
import { Claims } from "../../src/capability/index.ts"
import { RuntimeError } from "../../src/door/cli/index.ts"
import { Operations } from "../../src/operator/index.ts"
import { Approvals, Dispatch } from "../../src/session/index.ts"
import { AdvisorPreset, Memory } from "../presets/index.ts"

/** Runs what is on the tape; gives how it ended, and where it differs from the tape. */
export const replay = Effect.fnUntraced(function*(text: string) {
  const tape = yield* Tape.read(text)
  const { actor, input, models } = tape.header
  const { diagnosis, layer } = yield* AdvisorPreset.replaying(tape)
  if (actor !== diagnosis.name) {
    return yield* new RuntimeError({
      detail: `the tape is of ${actor}, and this program replays ${diagnosis.name}`,
      remedy: "replay it in the program that has the actor, with Tape.backend and Tape.handler"
    })
  }
  const runtime = Layer.provideMerge(layer, Memory.layer())
  const context = yield* Layer.build(runtime)
  return yield* Effect.gen(function*() {
    const dispatch = yield* Dispatch.Dispatch
    yield* dispatch.open({ session, actor, input, grant: AdvisorPreset.grant(budgetMicroUsd), caller: "replay" })
    const ended = yield* agreed(tape, yield* dispatch.resume(session))
    const difference = Tape.differs(tape, yield* Tape.record(session))
    const { detail, status } = Operations.standing(ended)
    return { actor, models, calls: tape.calls.length, status, detail, difference: difference ?? null }
  }).pipe(Effect.provideContext(context))
})

// internal

const session = Claims.SessionId.make("ses_replay")
/** Nobody is paid. */
const budgetMicroUsd = 1_000_000

/** Goes on past each approval whose act is on the tape: then somebody agreed, and here it does nothing. */
const agreed = (tape: Tape.Tape, ended: Dispatch.Ended<unknown>): Effect.Effect<
  Dispatch.Ended<unknown>,
  Approvals.ApprovalError | Dispatch.DispatchError,
  Approvals.Approvals | Dispatch.Dispatch
> =>
  Effect.gen(function*() {
    if (ended._tag !== "Waiting") return ended
    const approvals = yield* Approvals.Approvals
    const { ticket } = yield* approvals.show(ended.ticket)
    if (ticket.key === null || !Tape.has(tape, ticket.session, ticket.key)) return ended
    yield* approvals.decide({ ticket: ticket.id, approve: true, by: "tape", reason: "as it was recorded" })
    const dispatch = yield* Dispatch.Dispatch
    return yield* agreed(tape, yield* dispatch.resume(session))
  })
