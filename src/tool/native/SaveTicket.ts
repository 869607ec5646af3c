/** `save_ticket`: writes a text to a new file. It leaves the system and cannot be taken back, so a person approves it. */
import { Effect, FileSystem, Path, Schema } from "effect"
import { Tool } from "../index.ts"

/** The file was not written. */
export class TicketError extends Schema.TaggedError<TicketError>()("TicketError", {
  path: Schema.String,
  detail: Schema.String,
  remedy: Schema.String
}) {}

/** The definition. An existing file is never overwritten. */
export const SaveTicket = Tool.make("save_ticket", {
  description: "Saves a text as a new file outside the system, for people to work with.",
  capabilities: ["tool:save_ticket"],
  reversible: false,
  params: Schema.Struct({ path: Schema.NonEmptyString, text: Schema.String }),
  success: Schema.Struct({ path: Schema.String, bytes: Schema.Natural }),
  failure: TicketError,
  trust: "trusted"
})

/** The handler; it makes the folder if there is none. */
export const layer = Tool.layer(SaveTicket, ({ path, text }) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    yield* fs.makeDirectory(paths.dirname(path), { recursive: true })
    yield* fs.writeFileString(path, text, { flag: "wx" })
    return { path, bytes: new TextEncoder().encode(text).length }
  }).pipe(Effect.catchTag("PlatformError", (error) =>
    new TicketError({
      path,
      detail: error.message,
      remedy: "choose a path that does not exist yet and that this user may write"
    }))))
