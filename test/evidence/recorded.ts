/**
 * Results that others recorded, as tools would bring them, in sessions of the whole runtime; beside them an act that failed,
 * and another session that has read the same.
 */
import { Effect, Layer, Schema } from "effect"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Memory } from "../../layers/presets/index.ts"
import { Actor, DeterministicActor } from "../../src/actor/index.ts"
import { Log, Row } from "../../src/audit/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { Dispatch } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"
import { Redact } from "../../src/trust/index.ts"

const data = join(import.meta.dirname, "../../../shared/data")

const texts = (folder: string, ending: RegExp, limit: number, characters: number): ReadonlyArray<string> => {
  const top = join(data, folder)
  if (!existsSync(top)) return []
  return readdirSync(top, { recursive: true, encoding: "utf8" })
    .toSorted()
    .filter((name) => ending.test(name))
    .filter((_, index, all) => index % Math.max(1, Math.floor(all.length / limit)) === 0)
    .slice(0, limit)
    .map((name) => readFileSync(join(top, name), "utf8"))
    .map((text) => ending.test("x.json") ? text : text.slice(0, text.lastIndexOf("\n", characters)))
}

/** What the tool brings, one a call; none where the data is not there. Secrets are gone, as a model would not see them. */
export const results = (): ReadonlyArray<Schema.Json> =>
  [
    ...texts("incidents-opensre-rds", /\.json$/, 81, Infinity).map((text) => JSON.parse(text) as Schema.Json),
    ...texts("docs-runbooks", /\.md$/, 60, 8000),
    ...texts("metrics-nab", /\.csv$/, 15, 2500),
    ...texts("metrics-petshop-train", /\.csv$/, 10, 4000),
    ...texts("alert-rules-awesome-prometheus", /\.ya?ml$/, 25, 6000)
  ].filter((value) => value !== "").map(Redact.json)

class Unreadable extends Schema.TaggedError<Unreadable>()("Unreadable", { said: Schema.Json }) {}

const Fetch = Tool.make("fetch", {
  description: "brings one of the results",
  capabilities: ["tool:fetch"],
  params: Schema.Struct({ which: Schema.Int }),
  success: Schema.Json,
  failure: Unreadable
})

const Reader = DeterministicActor.make("Reader", {
  description: "reads everything, and fails to read the first once more",
  input: Schema.Int,
  output: Schema.Int,
  tools: [Fetch],
  run: (amount) =>
    Effect.gen(function*() {
      for (let which = 0; which < amount; which++) yield* Effect.orDie(Tool.call(Fetch, { which }))
      yield* Effect.ignore(Tool.call(Fetch, { which: -1 }))
      return amount
    })
})

/** The runtime with the reader. */
export const layer = (all: ReadonlyArray<Schema.Json>) =>
  Actor.layer(Reader).pipe(
    Layer.provide(
      Tool.layer(Fetch, ({ which }) =>
        which < 0
          ? Effect.fail(new Unreadable({ said: all[0] ?? null }))
          : Effect.succeed(all[which] ?? null))
    ),
    Layer.provideMerge(Memory.layer())
  )

/** A session that has read all: the stamps of its results, and of what cannot be cited in it. */
export const read = (all: ReadonlyArray<Schema.Json>) =>
  Effect.gen(function*() {
    const dispatch = yield* Dispatch.Dispatch
    const log = yield* Log.Log
    const one = Effect.gen(function*() {
      const { session } = yield* dispatch.start(Reader, all.length, {
        grant: Grant.make(["tool:fetch"]),
        caller: "test"
      })
      const rows = yield* log.rows(session)
      const outcomes = rows.filter(({ body }) => body.kind === "outcome").map(Row.stamp)
      const others = rows.filter(({ body }) => body.kind !== "outcome").map(Row.stamp)
      return { session, stamps: outcomes.slice(0, all.length), failed: outcomes[all.length] ?? "", others }
    })
    const mine = yield* one
    const { stamps: elsewhere } = yield* one
    return { ...mine, elsewhere, all }
  })
export type World = Effect.Success<ReturnType<typeof read>>
