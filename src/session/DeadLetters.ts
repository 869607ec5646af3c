/**
 * What people do about dead letters: look, replay, drop. A replay lets what was set aside go on or be started anew; a drop
 * ends it. Each decision is a row in the chain of the installation.
 */
import { Clock, Context, Effect, Layer, Option, Schema } from "effect"
import { Digest } from "../audit/index.ts"
import { Governor, Store } from "../governor/index.ts"
import { Redact } from "../trust/index.ts"
import * as DeadLetter from "./DeadLetter.ts"
import type { DispatchError } from "./Ended.ts"
import * as Firing from "./Firing.ts"
import { recording } from "./Installation.ts"
import { Launcher } from "./Launcher.ts"
import { outside } from "./Outside.ts"
import * as Schedule from "./Schedule.ts"
import * as Starting from "./Starting.ts"

/** There is no such letter. */
export class NoSuchLetter extends Schema.TaggedError<NoSuchLetter>()("NoSuchLetter", {
  letter: Schema.String,
  remedy: Schema.String
}) {}
/** Somebody has decided about it, or what it is about is gone. Nothing was changed. */
export class NotDecidable extends Schema.TaggedError<NotDecidable>()("NotDecidable", {
  letter: Schema.String,
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** An actor tried to decide. People do, at the doors of the runtime. Nothing was changed. */
export class InsideActor extends Schema.TaggedError<InsideActor>()("InsideActor", { session: Schema.String }) {}
/** The log did not answer. A retry can help. */
export class Unrecorded extends Schema.TaggedError<Unrecorded>()("Unrecorded", { detail: Schema.String }) {}
/** The one error of this module. */
export class DeadLetterError extends Schema.TaggedError<DeadLetterError>()("DeadLetterError", {
  reason: Schema.Union([NoSuchLetter, NotDecidable, InsideActor, Unrecorded])
}) {
  override get message(): string {
    const { reason } = this
    switch (reason._tag) {
      case "NoSuchLetter":
        return `there is no dead letter ${reason.letter}; ${reason.remedy}`
      case "NotDecidable":
        return `dead letter ${reason.letter}: ${reason.detail}; ${reason.remedy}`
      case "InsideActor":
        return `session ${reason.session} may not decide about dead letters: people do`
      case "Unrecorded":
        return reason.detail
    }
  }
}

/** One person's decision. */
export interface Decision {
  readonly letter: string
  readonly by: string
  readonly reason: string
}

/** The desk where dead letters are decided about. */
export class DeadLetters extends Context.Service<DeadLetters, {
  /** The latest first; only those nobody has decided about if `isOpen`. */
  readonly list: (isOpen: boolean) => Effect.Effect<ReadonlyArray<DeadLetter.DeadLetter>, DeadLetterError>
  readonly show: (letter: string) => Effect.Effect<DeadLetter.DeadLetter, DeadLetterError>
  /** Has it processed once more: the session goes on, the firing is started with the next sweep. */
  readonly replay: (decision: Decision) => Effect.Effect<DeadLetter.DeadLetter, DeadLetterError>
  /** Gives it up for good: the session is cancelled, the firing never started. */
  readonly drop: (decision: Decision) => Effect.Effect<DeadLetter.DeadLetter, DeadLetterError>
}>()("aosiq/session/DeadLetters") {}

/** Letters that are listed at most. */
export const maxListed = 1000

/** The desk over a store. */
export const layer: Layer.Layer<DeadLetters, never, Store.Store | Digest.Digest | Governor | Launcher> = Layer.effect(
  DeadLetters,
  Effect.gen(function*() {
    const store = yield* Store.Store
    const digest = yield* Digest.Digest
    const launcher = yield* Launcher
    const { mode } = yield* Governor
    const record = recording({ store, digest, mode })
    const asPerson = outside((session) => new DeadLetterError({ reason: new InsideActor({ session }) }))

    const find = Effect.fnUntraced(function*(id: string) {
      const kept = yield* Effect.mapError(store.record({ kind: "dead_letter", id }), unrecorded)
      const found = Option.flatMap(Option.fromUndefinedOr(kept), DeadLetter.read)
      return Option.isSome(found) ? found.value : yield* fail(new NoSuchLetter({ letter: id, remedy }))
    })

    /** Changes of the firing that a letter is about; it must still be as it was set aside. */
    const firingOf = Effect.fnUntraced(function*(letter: DeadLetter.DeadLetter) {
      if (letter.kind !== "firing") return []
      const id = Option.getOrUndefined(decodeSubject(letter.payload))?.firing
      const kept = id === undefined
        ? undefined
        : yield* Effect.mapError(store.record({ kind: "firing", id }), unrecorded)
      const found = Option.flatMap(Option.fromUndefinedOr(kept), Firing.read)
      if (Option.isNone(found) || found.value.firing.state !== "dead") {
        return yield* undecidable(letter.id, "the firing that it is about is gone")
      }
      const { firing, version } = found.value
      const schedule = yield* Effect.mapError(store.record({ kind: "schedule", id: firing.schedule }), unrecorded)
      const owner = Option.flatMap(Option.fromUndefinedOr(schedule), Schedule.read)
      if (!Option.exists(owner, ({ schedule }) => schedule.id === firing.owner)) {
        return yield* undecidable(
          letter.id,
          `schedule ${firing.schedule} was removed`,
          "make the schedule anew, or drop it"
        )
      }
      return [Firing.keep({ ...firing, state: "waiting", detail: "" }, version)]
    })

    const decide = (what: "replayed" | "dropped") =>
      Effect.fnUntraced(function*({ by, letter: id, reason: because }: Decision) {
        const { letter, version } = yield* find(id)
        if (letter.state !== "open") return yield* undecidable(id, `it was ${letter.state} by ${letter.by}`)
        const reason = Redact.redact(because)
        const firing = what === "replayed" ? yield* firingOf(letter) : []
        const decided: DeadLetter.DeadLetter = {
          ...letter,
          state: what,
          by,
          because: reason,
          decidedAt: yield* Clock.currentTimeMillis
        }
        // What the decision means is done first and can be done twice; that it was made is written once.
        if (letter.kind !== "firing" && letter.session !== null) {
          const order = { session: letter.session, by, reason: `dead letter ${id} was ${what}: ${reason}` }
          yield* Effect.mapError(what === "replayed" ? launcher.wake(order) : launcher.cancel(order), unrecorded)
        }
        yield* record(DeadLetter.row(letter, what, by, reason), [DeadLetter.keep(decided, version), ...firing]).pipe(
          Effect.catch((error) =>
            Starting.isStale(error) ? undecidable(id, "somebody else decided just now") : Effect.fail(unrecorded(error))
          )
        )
        return decided
      }, asPerson)

    return DeadLetters.of({
      list: (isOpen) =>
        Effect.mapBoth(
          store.records({
            kind: "dead_letter",
            newest: true,
            limit: maxListed,
            ...isOpen ? { state: "open" } : {}
          }),
          {
            onFailure: unrecorded,
            onSuccess: (kept) => kept.flatMap((one) => Option.toArray(DeadLetter.read(one))).map(({ letter }) => letter)
          }
        ),
      show: (id) => Effect.map(find(id), ({ letter }) => letter),
      replay: decide("replayed"),
      drop: decide("dropped")
    })
  })
)

// internal

const remedy = "see aosiq dead-letters list"

const fail = (reason: DeadLetterError["reason"]) => Effect.fail(new DeadLetterError({ reason }))

const undecidable = (letter: string, detail: string, help = remedy) =>
  fail(new NotDecidable({ letter, detail, remedy: help }))

const decodeSubject = Schema.decodeUnknownOption(Schema.Struct({ firing: Schema.String }))

const unrecorded = (error: Store.StoreError | DispatchError): DeadLetterError =>
  new DeadLetterError({
    reason: new Unrecorded({ detail: error instanceof Store.StoreError ? error.reason.detail : error.message })
  })
