/** Real files for tests: a temporary folder that lives as long as the test. */
import { Effect, FileSystem, Path } from "effect"

/** Writes the files, named by their paths inside the folder, and gives the folder's path. */
export const make = Effect.fn("Folder.make")(function*(files: Readonly<Record<string, string | Uint8Array>>) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = yield* fs.makeTempDirectoryScoped()
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name)
    yield* fs.makeDirectory(path.dirname(file), { recursive: true })
    yield* fs.writeFile(file, typeof content === "string" ? new TextEncoder().encode(content) : content)
  }
  return folder
}, Effect.orDie)
