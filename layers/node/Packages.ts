/** Which packages are installed where this program would find them. Nothing of them is loaded. */
import { Effect, Layer, Result, Schema } from "effect"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { Check } from "../../src/backend/index.ts"

/** Packages as Node finds them from here. */
export const layer: Layer.Layer<Check.Packages> = Layer.succeed(Check.Packages, {
  version: (name) => Effect.sync(() => versionIn(places(name), name))
})

// internal

const { resolve } = createRequire(import.meta.url)

const places = (name: string): ReadonlyArray<string> => resolve.paths(name) ?? []

const decode = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Struct({ version: Schema.String })))

/** What a package exports need not include what describes it, so the file is read where it lies. */
const versionIn = (folders: ReadonlyArray<string>, name: string): string | undefined => {
  for (const folder of folders) {
    const text = Result.try(() => readFileSync(join(folder, name, "package.json"), "utf8"))
    const found = Result.isSuccess(text) ? decode(text.success) : undefined
    if (found !== undefined && Result.isSuccess(found)) return found.success.version
  }
  return undefined
}
