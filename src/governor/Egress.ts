/**
 * Whom data is for, and where it may go. Data can be *for* groups of readers: the class says for whom its own data
 * is, a tool for whom its results are. What a session has seen for several groups at once belongs to all of them, and
 * never becomes less. A backend covers a group when the operator says that the group's data may be sent there; what no
 * backend is said to cover goes nowhere. Data for nobody in particular goes to every backend of its class. A tool by which
 * something leaves (`outbound`) is held to the same: it covers whom the operator says that it does.
 *
 * Readers are names such as `clinic` or `staff.eu`. The table is read once, where the Governor is built: an actor cannot
 * widen it for itself.
 */
import { Config, Context, Effect, Layer, Option, Schema } from "effect"
import { Label } from "../trust/index.ts"

/** Groups that data is for. */
export type Readers = Label.Readers

/** The groups that each backend and each tool by which something leaves covers, by its name; others cover none. */
export type Table = Readonly<Record<string, Readers>>

/** The table in force; empty unless a layer says otherwise. */
export const Covers = Context.Reference<Table>("aosiq/governor/Egress/Covers", { defaultValue: () => ({}) })

/** The table cannot be read; nothing was started. */
export class EgressError extends Schema.TaggedError<EgressError>()("EgressError", {
  detail: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return `${this.detail}; ${this.remedy}`
  }
}

/** Whether data with these labels may go where `covered` are covered: whom it is for in all, and who is left out. */
export interface Verdict {
  readonly readers: Readers
  /** Groups that are not covered; the data may go when there are none. */
  readonly uncovered: Readers
}

/** Joins labels and decides. More labels never admit more, and more cover never admits less. */
export const decide = (labels: Iterable<Readers>, covered: Readers): Verdict => {
  const { readers } = Label.join([...labels].map((readers) => ({ ...Label.top, readers })))
  return { readers, uncovered: readers.filter((reader) => !covered.includes(reader)) }
}

/** What a backend or a tool covers, by a table. */
export const coveredBy = (table: Table, backend: string): Readers =>
  Object.hasOwn(table, backend) ? table[backend] ?? [] : []

/** A table of one's own. */
export const layer = (table: Table): Layer.Layer<never> => Layer.succeed(Covers, table)

/** The variable that holds the table, such as `ollama=clinic,staff anthropic=staff`. */
export const variable = "AOSIQ_COVERS"

/** Reads a table as it is written in the variable. */
export const parse = (text: string): Effect.Effect<Table, EgressError> =>
  Effect.gen(function*() {
    const table: Record<string, Readers> = {}
    for (const entry of text.split(/\s+/).filter((word) => word !== "")) {
      const [, backend = "", readers = ""] = entryOf.exec(entry) ?? []
      if (backend === "" || Object.hasOwn(table, backend)) {
        return yield* new EgressError({
          detail: `${variable}: ${JSON.stringify(entry)} is no backend with its readers, or names a backend twice`,
          remedy: "write it like ollama=clinic,staff anthropic=staff"
        })
      }
      table[backend] = readers.split(",")
    }
    return table
  })

/** The table from the environment; where it says nothing, the one in force. */
export const fromConfig: Effect.Effect<Table, EgressError | Config.ConfigError> = Effect.gen(function*() {
  const text = yield* Config.option(Config.String(variable))
  return Option.isSome(text) ? yield* parse(text.value) : yield* Covers
})

/** The table from the environment, as a layer. */
export const layerConfig = Layer.effect(Covers, fromConfig)

// internal

const entryOf = /^([a-z][a-z0-9_-]{0,63})=([a-z][a-z0-9._-]{0,63}(?:,[a-z][a-z0-9._-]{0,63})*)$/
