/** `aosiq record` and `aosiq replay`: the traffic of a session as a file, and the session run again from it. */
import { Console, Effect } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { Claims } from "../../capability/index.ts"
import { data, json, run } from "./Ask.ts"
import * as Files from "./Files.ts"
import * as Print from "./Print.ts"
import { type Client, type Replayed, Runtime, RuntimeError } from "./Runtime.ts"

/** Writes the tape of a session. */
export const record = Command.make(
  "record",
  {
    session: Argument.String("session").pipe(
      Argument.withSchema(Claims.SessionId),
      Argument.withDescription("Session that somebody started, as in `aosiq sessions`")
    ),
    out: Flag.String("out").pipe(Flag.withDescription("Tape to write; a new file"), Flag.withMetavar("FILE")),
    data,
    json
  },
  (options) =>
    run(
      options,
      Effect.fnUntraced(function*(client: Client) {
        const text = yield* client.session_tape({ session: options.session })
        yield* Files.writeNew(options.out, text)
        return { file: options.out, session: options.session, calls: text.split("\n").length - 2 }
      }),
      ({ calls, file }) =>
        `${calls} calls of models and tools in ${file}; secrets were taken out, read it before it goes on`
    )
).pipe(
  Command.withDescription("Record the traffic of a session and of all below it, without secrets, to be replayed"),
  Command.withExamples([{ command: "aosiq record ses_01J… --out incident.tape", description: "Record one session" }])
)

/** Runs a tape again. */
export const replay = Command.make(
  "replay",
  { file: Argument.String("file").pipe(Argument.withDescription("Tape written by `aosiq record`")), json },
  Effect.fnUntraced(function*({ file, json }) {
    const runtime = yield* Runtime
    const replayed = yield* runtime.replay(yield* Files.readText(file))
    yield* Console.log(json ? Print.json(replayed, 2) : Print.plain(told(replayed)))
    if (replayed.difference === null) return
    return yield* new RuntimeError({
      detail: `the replay is not what was recorded: ${replayed.difference}`,
      remedy: "compare the versions of the program; record again what is meant to differ"
    })
  })
).pipe(
  Command.withDescription(
    "Run a recorded diagnosis again in memory: no model is asked, nothing is touched, approvals are taken as given"
  )
)

// internal

const told = ({ actor, calls, detail, difference, models, status }: Replayed): string =>
  [
    `${actor} replayed: ${calls} calls, answers of ${models.length === 0 ? "no model" : models.join(", ")}`,
    `it ${status === "succeeded" ? "succeeded" : `ended ${status}`}${detail === "" ? "" : `: ${detail}`}`,
    difference === null ? "every call is the same as on the tape" : `it differs: ${difference}`
  ].join("\n")
