/** Several sources as one: what each brings is put together, and one that is down is a gap in the whole. */
import { Context, Effect, Layer, Stream } from "effect"
import { type Gap, Logs, Metrics, Settings, type SourceError } from "./Source.ts"

/** Measurements of all of them; fails only when none answers. */
export const metrics = <E, R>(layers: ReadonlyArray<Layer.Layer<Metrics, E, R>>): Layer.Layer<Metrics, E, R> =>
  Layer.effect(
    Metrics,
    Effect.map(each(layers, Metrics), (sources) => ({
      read: (query) =>
        Effect.map(tolerate(sources.map((source) => source.read(query))), ({ answers, gaps }) => ({
          series: answers.flatMap(({ series }) => series),
          gaps: [...answers.flatMap((answer) => answer.gaps), ...gaps]
        }))
    }))
  )

/** Settings of all of them; fails only when none answers. */
export const settings = <E, R>(layers: ReadonlyArray<Layer.Layer<Settings, E, R>>): Layer.Layer<Settings, E, R> =>
  Layer.effect(
    Settings,
    Effect.map(each(layers, Settings), (sources) => ({
      read: Effect.map(tolerate(sources.map((source) => source.read)), ({ answers, gaps }) => ({
        settings: answers.flatMap((answer) => answer.settings),
        gaps: [...answers.flatMap((answer) => answer.gaps), ...gaps]
      }))
    }))
  )

/** A source that has nothing to say. */
export const noLogs: Layer.Layer<Logs> = Layer.succeed(Logs, { read: () => Stream.empty })
export const noSettings: Layer.Layer<Settings> = Layer.succeed(Settings, {
  read: Effect.succeed({ settings: [], gaps: [] })
})

// internal

const each = <I, S, E, R>(layers: ReadonlyArray<Layer.Layer<I, E, R>>, key: Context.Key<I, S>) =>
  Effect.forEach(layers, (layer) => Effect.map(Layer.build(layer), (context) => Context.get(context, key)))

const tolerate = Effect.fnUntraced(function*<A>(reads: ReadonlyArray<Effect.Effect<A, SourceError>>) {
  const results = yield* Effect.forEach(reads, Effect.result, { concurrency: "unbounded" })
  const answers = results.flatMap((result) => result._tag === "Success" ? [result.success] : [])
  const errors = results.flatMap((result) => result._tag === "Failure" ? [result.failure] : [])
  const [first] = errors
  if (answers.length === 0 && first !== undefined) return yield* first
  const gaps: ReadonlyArray<Gap> = errors.map(({ reason, source }) => ({
    source,
    detail: reason.detail,
    remedy: reason.remedy
  }))
  return { answers, gaps }
})
