/** What people write on a command line, read: JSON or a file of it, times and how long ago, money. */
import { Clock, DateTime, Duration, Effect, Option, Schema } from "effect"
import { Argument, Flag } from "effect/cli"
import { Claims } from "../../capability/index.ts"
import { MicroUsd } from "../../cost/index.ts"
import * as Files from "./Files.ts"
import { UsageError } from "./Runtime.ts"

/** More than anything costs that is started by hand: a slip of it. */
export const maxBudgetUsd = 10_000

/** A session that a command is about. */
export const session = Argument.String("session").pipe(
  Argument.withSchema(Claims.SessionId),
  Argument.withDescription("Session, as in `aosiq sessions`")
)

/** An amount in US dollars, as micro-dollars. */
export const usd = (name: string) =>
  Flag.Finite(name).pipe(
    Flag.filter((usd) => usd >= 0 && usd <= maxBudgetUsd, () => `0 to ${maxBudgetUsd}`),
    Flag.map(MicroUsd.fromUsd)
  )

/** Input of an actor. */
export const input = Flag.String("input").pipe(
  Flag.withDescription("Its input, as JSON; @FILE reads a file"),
  Flag.withMetavar("JSON")
)
/** The JSON of such a text. */
export const inputOf = Effect.fnUntraced(function*(given: string) {
  const text = given.startsWith("@") ? yield* Files.readText(given.slice(1)) : given
  return yield* Effect.catch(
    decodeInput(text),
    () => refuse("the input is no JSON", "give text in quotes of its own: --input '\"text\"'")
  )
})

/** How long something takes or lasts. */
export const durationOf = (flag: string, text: string) =>
  Option.match(Duration.fromInput(text as Duration.Input), { // What is no duration is none.
    onNone: () => refuse(`${flag} ${text} is no duration`, "write it as \"90 minutes\""),
    onSome: (duration) => Effect.succeed(Math.round(Duration.toMillis(duration)))
  })

/** From when on: an instant, or how long ago. */
export const since = Flag.String("since").pipe(
  Flag.withDescription("From then on: 2030-01-31T12:00Z, or \"2 hours\" ago"),
  Flag.withMetavar("TIME")
)
/** The instant of such a text, epoch milliseconds. */
export const sinceOf = Effect.fnUntraced(function*(text: string) {
  const instant = /^\d{4}-/.test(text) ? DateTime.make(text) : Option.none()
  if (Option.isSome(instant)) return DateTime.toEpochMillis(instant.value)
  const ago = Option.filter(Duration.fromInput(text as Duration.Input), Duration.isFinite) // As above.
  return Option.isSome(ago)
    ? Math.max(0, (yield* Clock.currentTimeMillis) - Math.round(Duration.toMillis(ago.value)))
    : yield* refuse(`--since ${text} is no time`, "write it as 2030-01-31T12:00Z, or as \"2 hours\"")
})

// internal

const refuse = (detail: string, remedy: string) => Effect.fail(new UsageError({ detail, remedy }))
const decodeInput = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Json))
