/**
 * Which witnesses a log asks, from AOSIQ_WITNESSES: words `name+id+base64@url`, apart by spaces or commas; or the path of a
 * file that holds one a line, and perhaps lines of remarks that begin with `#`. A path begins with `/` or `.`.
 */
import { Config, Effect, FileSystem, Option, Result, Schema } from "effect"
import type { Digest } from "../../src/audit/index.ts"
import * as WitnessClient from "./WitnessClient.ts"

/** What is set names no witnesses; none is asked in their place. */
export class WitnessConfigError extends Schema.TaggedError<WitnessConfigError>()("WitnessConfigError", {
  detail: Schema.String,
  remedy: Schema.String
}) {}

/** The witnesses that are named; none when none is. */
export const peers = Effect.fnUntraced(function*(
  digest: Digest.Digest["Service"]
): Effect.fn.Return<
  ReadonlyArray<Pick<WitnessClient.Options, "key" | "url">>,
  WitnessConfigError | Config.ConfigError,
  FileSystem.FileSystem
> {
  const value = Option.getOrElse(yield* Config.option(Config.String(variable)), () => "").trim()
  const text = /^[/.]/.test(value) ? yield* read(value) : value.replaceAll(",", "\n")
  const words = text.split("\n").map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"))
  const named = words.flatMap((line) => line.split(/\s+/))
  const found = yield* Effect.forEach(
    named,
    (word) =>
      Effect.fromResult(
        Result.mapError(WitnessClient.parse(digest, word), (why) =>
          new WitnessConfigError({ detail: `${variable} has ${word}: ${why}`, remedy }))
      )
  )
  const names = found.map(({ key }) => key.name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) {
    return yield* new WitnessConfigError({ detail: `${variable} has ${twice} twice`, remedy: "name each witness once" })
  }
  return found
})

// internal

const variable = "AOSIQ_WITNESSES"
const remedy = "give each as its operator publishes it: NAME+ID+BASE64@URL"

const read = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* Effect.mapError(fs.readFileString(file), ({ reason }) =>
    new WitnessConfigError({
      detail: `${variable} names the file ${file}, which cannot be read (${reason._tag})`,
      remedy: "name a file that this user may read, or the witnesses themselves"
    }))
})
