/** The commands about what could not be processed. */
import { Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { type About, by, data, json, reason, run } from "./Ask.ts"
import * as Print from "./Print.ts"

/** `aosiq dead-letters`. */
export const deadLetters = (about: About) =>
  Command.make("dead-letters").pipe(
    Command.withDescription("See and decide what could not be processed and was set aside"),
    Command.withSubcommands([
      Command.make(
        "list",
        {
          all: Flag.Boolean("all").pipe(
            Flag.withDescription("Those that were decided, too"),
            Flag.withDefault(false)
          ),
          data,
          json
        },
        (options) => run(options, (client) => client.dead_letters_list({ open: !options.all }), Print.letters)
      ).pipe(Command.withDescription("List dead letters, the latest first")),
      Command.make(
        "show",
        { letter, data, json },
        (options) => run(options, (client) => client.dead_letter({ letter: options.letter }), Print.letter)
      ).pipe(Command.withDescription("Show all that is known about one")),
      decide(about, "replay", "Have it processed once more, from where it stopped"),
      decide(about, "drop", "Give it up for good: its session is cancelled, its firing never started")
    ])
  )

// internal

const letter = Argument.String("letter").pipe(
  Argument.withSchema(Schema.NonEmptyString),
  Argument.withDescription("Letter, as in `aosiq dead-letters list`")
)

const decide = (about: About, action: "replay" | "drop", description: string) =>
  Command.make(action, { letter, by: by(about), reason, data, json }, (options) =>
    run(
      options,
      (client) => client.dead_letter_decide({ letter: options.letter, action, reason: options.reason }),
      ({ id, state }, who) => `dead letter ${id} is ${state} by ${who}`
    )).pipe(Command.withDescription(description))
