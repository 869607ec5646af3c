/** `aosiq init`: a typed project to begin with, in a folder where none of its files is. */
import { Console, Effect, Path } from "effect"
import { Argument, Command } from "effect/cli"
import { type About, json, say } from "./Ask.ts"
import * as Files from "./Files.ts"
import * as Print from "./Print.ts"
import { RuntimeError } from "./Runtime.ts"
import * as Starter from "./Starter.ts"

/** The command. */
export const init = (about: About) =>
  Command.make(
    "init",
    {
      folder: Argument.String("folder").pipe(
        Argument.withDescription("Where it goes (default: here)"),
        Argument.withDefault(".")
      ),
      json
    },
    Effect.fnUntraced(function*({ folder, json }) {
      const path = yield* Path.Path
      const home = path.resolve(folder)
      const files = Starter.files(nameOf(path.basename(home)), about)
      const there = yield* Effect.filter(files, (file) => Files.isThere(path.join(home, file.path)))
      if (there.length > 0) {
        return yield* new RuntimeError({
          detail: `${there.map(({ path }) => path).join(", ")} exists already in ${folder}, and nothing was written`,
          remedy: "name a new folder: aosiq init my-project"
        })
      }
      for (const { path: name, text } of files) {
        const file = path.join(home, name)
        yield* Files.makeFolder(path.dirname(file))
        yield* Files.writeNew(file, text)
      }
      const next = [
        ...folder === "." ? [] : [`cd ${Print.word(folder)}`],
        "npm install",
        "npm test",
        "npm start"
      ]
      const written = files.map(({ path }) => path)
      return yield* json
        ? Console.log(Print.json({ folder: home, written, next }, 2))
        : say(
          [`written to ${folder}:`, ...written.map((name) => `  ${name}`), "next:", ...next.map((line) => `  ${line}`)]
            .join("\n")
        )
    })
  ).pipe(
    Command.withDescription("Write a typed project to begin with: tools, an actor, an agent, and tests that pass"),
    Command.withExamples([{ command: "aosiq init my-project", description: "In a new folder" }])
  )

// internal

/** A name that a package may have. */
const nameOf = (folder: string): string =>
  folder.toLowerCase().replaceAll(/[^a-z0-9-]+/g, "-").replaceAll(/^-+|-+$/g, "") || "my-project"
