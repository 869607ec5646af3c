/** What a session follows, as server-sent events. An event's id is the number of its notice. */
import { Clock, Effect, Option, Stream } from "effect"
import type { Asker } from "../../operator/index.ts"
import * as Following from "./Following.ts"

/** How long a stream says nothing at the most, milliseconds: so it is found out that nobody hears it any more. */
export const beatMs = 15_000

/** The events after the one that `seen` names, for as long as nothing ends it: another stream of the session among them. */
export const of = (
  follower: Following.Follower,
  seen: string | undefined,
  goesOn: Effect.Effect<ReadonlyArray<boolean>>
): Stream.Stream<string, never, Asker.Asker> =>
  Stream.suspend(() => {
    const isOnly = follower.begin()
    return Stream.paginate({ after: follower.from(seen), said: 0 }, (state) =>
      Effect.gen(function*() {
        if (state.said > 0) yield* Effect.sleep(Following.every)
        const now = yield* Clock.currentTimeMillis
        if (!isOnly() || (yield* goesOn).includes(false)) return [[], Option.none()] as const
        const notices = yield* follower.after(state.after)
        const isQuiet = notices.length === 0 && now - state.said >= beatMs
        const events = isQuiet ? [": \n\n"] : notices.map(event)
        const next = { after: notices.at(-1)?.number ?? state.after, said: events.length === 0 ? state.said : now }
        return [events, Option.some(next)] as const
      }))
  })

// internal

const event = ({ number, uri }: Following.Notice): string =>
  `id: ${number}\ndata: ${
    JSON.stringify({ jsonrpc: "2.0", method: "notifications/resources/updated", params: { uri } })
  }\n\n`
