/**
 * Answers that go on for long, counted by who asks, whatever door they come by: streams of events, of notices and of the log,
 * and calls that wait. Each holds a connection, and looks at the log all the while.
 */
import { Context, Effect, Layer, Schema, type Scope } from "effect"

/** So many of one caller's are open already; nothing was begun. A retry helps once one of them has ended. */
export class TooManyStreams extends Schema.TaggedError<TooManyStreams>()("TooManyStreams", { detail: Schema.String }) {
  override get message(): string {
    return this.detail
  }
}

/** Holds one more of somebody's for as long as the scope is open. */
export type Hold = (name: string) => Effect.Effect<void, TooManyStreams, Scope.Scope>

/** The count of one server. */
export class Streams extends Context.Service<Streams, { readonly hold: Hold }>()("aosiq/door/Streams") {}

/** At most so many of one caller. */
export const layer = (streams: number): Layer.Layer<Streams> =>
  Layer.sync(Streams, () => Streams.of({ hold: atMost(streams) }))

/** Counts no more than so many under one name. */
export const atMost = (streams: number): Hold => {
  const open = new Map<string, number>()
  const add = (name: string, more: number) => {
    const count = (open.get(name) ?? 0) + more
    if (count === 0) open.delete(name)
    else open.set(name, count)
  }
  return (name) =>
    Effect.asVoid(Effect.acquireRelease(
      Effect.suspend(() => {
        if ((open.get(name) ?? 0) >= streams) {
          return Effect.fail(new TooManyStreams({ detail: `${name} has ${streams} streams open already` }))
        }
        return Effect.sync(() => add(name, 1))
      }),
      () => Effect.sync(() => add(name, -1))
    ))
}
