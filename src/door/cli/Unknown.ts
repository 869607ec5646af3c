/** The commands about acts that may have taken effect: their outcome was lost. */
import { Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { type About, type By, by, data, json, run } from "./Ask.ts"
import * as Given from "./Given.ts"
import * as Print from "./Print.ts"
import { RuntimeError } from "./Runtime.ts"

/** `aosiq unknown`. */
export const unknown = (about: About) => {
  const common = { id: unknownId, by: by(about), reason: finding, cost: paid, data, json }
  const settle = (
    choice: "retry" | "done" | "not_done",
    { cost, id, reason, result, ...mode }: {
      readonly id: string
      readonly by: By
      readonly reason: string
      readonly cost: Option.Option<number>
      readonly result: Option.Option<Schema.Json>
      readonly data: Option.Option<string>
      readonly json: boolean
    }
  ) => {
    const settlement = {
      unknown: id,
      choice,
      reason,
      ...(Option.isSome(result) ? { result: result.value } : {}),
      ...(Option.isSome(cost) ? { costMicroUsd: cost.value } : {})
    }
    return run(mode, (client) => client.unknown_settle(settlement), Print.settlement(id, choice))
  }
  return Command.make("unknown").pipe(
    Command.withDescription("See and settle acts that may have taken effect: their outcome was lost"),
    Command.withSubcommands([
      Command.make(
        "list",
        { data, json },
        (options) => run(options, (client) => client.unknown_list(), Print.unknowns)
      ).pipe(Command.withDescription("List them")),
      Command.make("show", { id: unknownId, data, json }, ({ id, ...mode }) =>
        run(
          mode,
          (client) =>
            Effect.flatMap(client.unknown_list(), (list) => {
              const found = list.find((outcome) => outcome.id === id)
              const detail = `no act ${id} has an open outcome`
              return found === undefined
                ? Effect.fail(new RuntimeError({ detail, remedy: "see aosiq unknown list" }))
                : Effect.succeed(found)
            }),
          Print.unknown
        )).pipe(Command.withDescription("Show all that is known of one")),
      Command.make("retry", common, (options) => settle("retry", { ...options, result: Option.none() })).pipe(
        Command.withDescription("Do it again, once, whether it took effect or not; covered by its earlier approval")
      ),
      Command.make("done", { ...common, result: answered }, (options) => settle("done", options)).pipe(
        Command.withDescription("Say that it took effect: its session goes on, with the result if one is given")
      ),
      Command.make("not-done", common, (options) => settle("not_done", { ...options, result: Option.none() })).pipe(
        Command.withDescription(
          "Say that it did not take effect: its session may ask for it again, and for an approval"
        )
      )
    ])
  )
}

// internal

const unknownId = Argument.String("id").pipe(
  Argument.withSchema(Schema.NonEmptyString),
  Argument.withDescription("Act, as in `aosiq unknown list`")
)

const paid = Given.usd("cost").pipe(
  Flag.withDescription(
    "What the lost attempt cost, in US dollars (default: nothing if not done, else all that is held)"
  ),
  Flag.withMetavar("USD"),
  Flag.optional
)

const answered = Flag.String("result").pipe(
  Flag.withSchema(Schema.fromJsonString(Schema.Json)),
  Flag.withDescription("What it answered, as the tool's result (default: not known)"),
  Flag.withMetavar("JSON"),
  Flag.optional
)

/** Why is not optional here: what was found out is on record for whoever asks later. */
const finding = Flag.String("reason").pipe(
  Flag.withSchema(Schema.NonEmptyString),
  Flag.withDescription("What was found out, and how; it is recorded")
)
