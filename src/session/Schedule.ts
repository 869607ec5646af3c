/**
 * A schedule starts an actor by itself: which, with what input and authority, when, and what happens when a start meets
 * the one before or was missed. Everything here is data and pure; `Schedules` keeps it.
 *
 * What a schedule has dealt with only ever grows (`through`), so that a clock that goes back fires nothing twice.
 * Instants are epoch milliseconds.
 */
import { Effect, Option, Schema } from "effect"
import { Digest } from "../audit/index.ts"
import { Capability, Claims, Grant as GrantValue } from "../capability/index.ts"
import type { Store } from "../governor/index.ts"
import * as When from "./When.ts"

/** What operators call a schedule. */
export const Name = Schema.String.check(Schema.isPattern(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/)).pipe(
  Schema.brand("ScheduleName")
)
export type Name = typeof Name.Type

/** Authority as it is kept: the names held, and their terms. */
export const Grant = Schema.Struct({
  capabilities: Schema.Array(Capability.Name),
  budgetMicroUsd: Schema.Natural,
  lifetimeSeconds: Schema.Natural,
  depth: Schema.Natural,
  limits: Claims.Limits
})
export type Grant = typeof Grant.Type

/** What becomes of a start while the one before still runs: it is left out, it waits, or it ends the other first. */
export const Overlap = Schema.Literals(["skip", "queue", "cancel_previous"])
export type Overlap = typeof Overlap.Type

/** Which starts are made up for that nobody was there to make. */
export const CatchUp = Schema.Literals(["none", "last", "all"])
export type CatchUp = typeof CatchUp.Type

/** What an operator asks for. */
export const Definition = Schema.Struct({
  name: Name,
  /** The actor's class. */
  actor: Schema.NonEmptyString,
  /** The actor's input, as its class's schema encodes it. */
  input: Schema.Json,
  grant: Grant,
  /** For whom it runs: an account and the chain carry the name. */
  caller: Schema.NonEmptyString,
  when: When.When,
  overlap: Overlap,
  catchUp: CatchUp,
  /** The longest that a start is put off, by chance. */
  jitterMs: Schema.Natural
})
export type Definition = typeof Definition.Type

/** How far a schedule has come. */
export const State = Schema.Struct({
  isPaused: Schema.Boolean,
  /** Every instant up to this one has been dealt with. */
  through: Schema.Natural,
  /** The first instant that has not; `null` when there is none any more. */
  next: Schema.NullOr(Schema.Natural),
  /** The last instant that was fired. */
  last: Schema.NullOr(Schema.Natural)
})
export type State = typeof State.Type

/** A definition, who made it, and how far it has come. */
export const Schedule = Schema.Struct({
  /** A name may be used again by another schedule, an id is not. */
  id: Schema.NonEmptyString,
  ...Definition.fields,
  /** Hash of the definition, a payload. */
  terms: Digest.Hash,
  createdBy: Schema.NonEmptyString,
  createdAt: Schema.Natural,
  state: State,
  /** Id of the firing that was started last. */
  current: Schema.NullOr(Schema.String)
})
export type Schedule = typeof Schedule.Type

/** An instant this close is on time, and not made up for: sweeps and take-overs are quicker. */
export const onTimeMs = 60_000
/** Most instants that are fired at once, the latest of those that were missed. */
export const maxCatchUp = 100

/** What is to be done at some moment. */
export interface Due {
  /** Oldest first. */
  readonly firings: ReadonlyArray<number>
  /** A span whose instants are passed over, both ends excluded. */
  readonly skipped: { readonly after: number; readonly before: number } | null
}

/** What is due at `now`: each instant after `through` once, as the catch-up policy says. */
export const due = (
  { catchUp, when }: Pick<Definition, "catchUp" | "when">,
  { isPaused, through }: Pick<State, "isPaused" | "through">,
  now: number
): Due => {
  if (isPaused || now <= through) return nothing
  const { instants, isCut } = When.within(when, through, now, maxCatchUp)
  const firings = chosen(catchUp, instants, now)
  if (!isCut && firings.length === instants.length) return { firings, skipped: null }
  return { firings, skipped: { after: through, before: firings[0] ?? now + 1 } }
}

/** The state once everything up to `through` was dealt with. */
export const advance = (when: When.When, state: State, through: number): State => {
  const reached = Math.max(state.through, through)
  return { ...state, through: reached, next: When.next(when, reached) }
}

/** The authority of a run. */
export const grantOf = ({ capabilities, ...terms }: Grant): GrantValue<Capability.Name> =>
  GrantValue.make(capabilities, terms)

/** The definition as the text that `terms` is the hash of. */
export const textOf = (digest: Digest.Digest["Service"], definition: Definition): string =>
  digest.canonical(encodeDefinition(definition))

/** The definition in a text; fails with what is wrong with it. */
export const parse = (text: string): Effect.Effect<Definition, string> =>
  Effect.mapError(decodeDefinition(text), (error) => error.message)

/** The schedule as it is kept, from the version that was read; 0 makes it. */
export const keep = (schedule: Schedule, version = 0): Store.Change => ({
  kind: "schedule",
  id: schedule.name,
  version,
  next: {
    owner: "",
    state: schedule.state.isPaused ? "paused" : schedule.state.next === null ? "over" : "active",
    at: schedule.state.next ?? schedule.state.through,
    value: encode(schedule)
  }
})

/** A kept schedule; nothing when it is none. */
export const read = ({ value, version }: Store.Kept): Option.Option<{ schedule: Schedule; version: number }> =>
  Option.map(decode(value), (schedule) => ({ schedule, version }))

// internal

const encodeDefinition = Schema.encodeSync(Schema.toCodecJson(Definition))
const decodeDefinition = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.toCodecJson(Definition)))
const encode = Schema.encodeSync(Schema.toCodecJson(Schedule))
const decode = Schema.decodeUnknownOption(Schema.toCodecJson(Schedule))

const nothing: Due = { firings: [], skipped: null }

/** Always the latest ones: what is left out comes before what is fired. */
const chosen = (policy: CatchUp, instants: ReadonlyArray<number>, now: number): ReadonlyArray<number> => {
  if (policy === "all") return instants
  const onTime = instants.filter((instant) => now - instant <= onTimeMs)
  return policy === "none" || onTime.length > 0 ? onTime : instants.slice(-1)
}
