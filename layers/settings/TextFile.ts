/**
 * A small text file read whole, with errors an operator can act on.
 *
 * For files that have to be understood as one piece; logs are streamed instead.
 */
import { Effect, FileSystem } from "effect"
import * as Source from "../../src/agents/advisor/Source.ts"
import { Access } from "../logfiles/index.ts"

/** The text of `path` as UTF-8 without a byte order mark; a file larger than `maxBytes` is not read. */
export const read = Effect.fn("TextFile.read")(function*(
  path: string,
  maxBytes: number
): Effect.fn.Return<string, Source.Unreachable | Source.Unreadable, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const refuse = Effect.mapError((error: Parameters<typeof Access.unreachable>[1]) => Access.unreachable(path, error))
  const { size, type } = yield* refuse(fs.stat(path))
  if (type !== "File") {
    return yield* new Source.Unreadable({
      detail: `${path} is a ${type}, not a file`,
      remedy: `name a regular file instead of ${path}`
    })
  }
  if (size > maxBytes) {
    return yield* new Source.Unreadable({
      detail: `${path} is larger than ${maxBytes} bytes`,
      remedy: `reduce ${path} to what matters for the incident`
    })
  }
  const bytes = yield* refuse(fs.readFile(path))
  return new TextDecoder().decode(bytes)
})
