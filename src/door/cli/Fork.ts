/** `aosiq sessions fork`: a session that goes on from a row of another, which stays as it is. */
import { Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { type About, by, data, json, run } from "./Ask.ts"
import * as Given from "./Given.ts"

export const fork = (about: About) =>
  Command.make("fork", {
    session: Given.session,
    row: Flag.Finite("row").pipe(
      Flag.filter((row) => Number.isSafeInteger(row) && row >= 0, () => "the number of a row"),
      Flag.withDescription("Last row that is its past (default: the last at which no act is under way)"),
      Flag.optional
    ),
    checkpoint: Flag.String("checkpoint").pipe(
      Flag.withSchema(Schema.NonEmptyString),
      Flag.withDescription("Instead of a row: a checkpoint of its graph, by its id"),
      Flag.optional
    ),
    by: by(about),
    data,
    json
  }, ({ checkpoint, row, session, ...options }) =>
    run(
      options,
      (client) =>
        client.session_fork({
          session,
          ...(Option.isSome(row) ? { seq: row.value } : {}),
          ...(Option.isSome(checkpoint) ? { checkpoint: checkpoint.value } : {})
        }),
      ({ id }) => `${id} goes on from there: what ${session} did by then is its past, and is not done again`
    )).pipe(Command.withDescription("Open a session that goes on from a row of another, which stays as it is"))
