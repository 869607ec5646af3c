/** Guards what only people and the runtime may do: no actor does it, whatever services it was handed. */
import { type Context, Effect } from "effect"
import { running } from "../governor/index.ts"

/** Runs `self` where no session runs; else fails with what `refused` makes of the session's name. */
export const outside =
  <E2>(refused: (session: string) => E2) => <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | E2, R> =>
    Effect.flatMap(
      Effect.contextWith((context: Context.Context<never>) => Effect.succeed(running(context))),
      ([inside]): Effect.Effect<A, E | E2, R> => inside === undefined ? self : Effect.fail(refused(inside))
    )
