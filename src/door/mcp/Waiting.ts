/**
 * How a session stands, and waiting for it: until it has ended or needs people, or so long. Whoever waits is told each row as
 * progress. A call that its client cancels meanwhile cancels the session; one whose connection broke does not.
 */
import { Cause, Clock, Context, Duration, Effect, Exit, Option, Predicate } from "effect"
import { McpSchema, McpServer } from "effect/ai"
import { RpcSchema } from "effect/rpc"
import type { Row } from "../../audit/index.ts"
import { Asker, type Operations } from "../../operator/index.ts"
import type { Hold, TooManyStreams } from "../Streams.ts"
import { maxTickets, type Standing } from "./Tools.ts"
import type { Work } from "./Work.ts"

type SessionId = Operations.SessionView["id"]

/** What is known of whoever asks, for as long as an answer takes. */
export interface Held {
  /** Whether they are still let in. */
  readonly isIn: Effect.Effect<boolean>
  /** Counts a stream of theirs, or a call that waits; fails where they have too many open. */
  readonly hold: ReturnType<Hold>
}

/** The connection of a request, as the transport knows it. */
export class Connection extends Context.Reference<
  Held & {
    /** Whether it is gone: an interruption looks the same. */
    readonly isGone: () => boolean
  }
>("aosiq/door/mcp/Connection", {
  defaultValue: () => ({ isGone: () => false, isIn: Effect.succeed(true), hold: Effect.void })
}) {}

/** Waits in a call that is counted while it does; it does nothing where whoever asks has too many open. */
export const held = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | TooManyStreams, R> =>
  Effect.scoped(Effect.flatMap(Connection, ({ hold }) => Effect.andThen(hold, self)))

/** What a call leaves to be done if it is cancelled. */
class Call extends Context.Reference<{ readonly onCancel: (act: Effect.Effect<void>) => void }>("aosiq/door/mcp/Call", {
  defaultValue: () => ({ onCancel: () => undefined })
}) {}

/** How often the session is looked at. */
const every = Duration.millis(250)

/** How it stands. */
export const standing = Effect.fnUntraced(function*(work: Work, id: SessionId) {
  const session = yield* work.session_show({ session: id })
  const result = ended.has(session.status) ? yield* work.session_result({ session: id }) : null
  const waitsFor = ended.has(session.status)
    ? []
    : yield* work.approvals_list({ state: "proposed", within: id, limit: maxTickets })
  return { session, result, waitsFor: waitsFor.map(({ id }) => id) } satisfies Standing
})

/** Waits for it, `seconds` at the most, and gives how it stands then. */
export const until = (work: Work, session: SessionId, seconds: number) =>
  Effect.gen(function*() {
    const tell = yield* progress
    const { onCancel } = yield* Call
    const asker = yield* Asker.Asker
    onCancel(
      Effect.ignore(work.session_control({ session, action: "cancel", reason: "its call was cancelled" })).pipe(
        Effect.provideService(Asker.Asker, asker)
      )
    )
    const end = (yield* Clock.currentTimeMillis) + seconds * 1000
    let seen = 0
    while (true) {
      const { rows, status } = yield* work.session_show({ session })
      if (rows > seen) {
        for (const row of yield* work.session_rows({ session, from: seen })) yield* tell(row.seq + 1, said(row))
        seen = rows
      }
      if (status !== "running" || (yield* Clock.currentTimeMillis) >= end) return yield* standing(work, session)
      yield* Effect.sleep(every)
    }
  })

/** Does what a call asked for in case that it is cancelled. What stands behind a tool sees an interruption, and not whose. */
export const cancelling = McpServer.middleware((effect) =>
  Effect.suspend(() => {
    const acts: Array<Effect.Effect<void>> = []
    return effect.pipe(
      Effect.provideService(Call, { onCancel: (act) => acts.push(act) }),
      Effect.onExit((exit) =>
        Effect.flatMap(
          Connection,
          ({ isGone }) => isCancelled(exit) && !isGone() ? Effect.all(acts, { discard: true }) : Effect.void
        )
      )
    )
  })
)

// internal

const ended: ReadonlySet<Operations.SessionView["status"]> = new Set(["succeeded", "failed", "abandoned", "cancelled"])

const isCancelled = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) &&
  exit.cause.reasons.some((reason) =>
    Cause.isInterruptReason(reason) && reason.annotations.has(RpcSchema.ClientAbort.key)
  )

/** Tells progress to whoever asked for it, and nobody else. */
const progress = Effect.gen(function*() {
  const server = yield* Effect.serviceOption(McpServer.McpServer)
  const client = yield* Effect.serviceOption(McpSchema.McpServerClient)
  const context = yield* Effect.serviceOption(McpSchema.McpRequestContext)
  const metadata = Option.match(client, {
    onNone: () => Option.getOrUndefined(context)?.requestMetadata,
    onSome: ({ requestMetadata }) => requestMetadata
  })
  const token = Predicate.hasProperty(metadata, "progressToken") ? metadata.progressToken : undefined
  const isToken = Predicate.isString(token) || Predicate.isNumber(token)
  return (count: number, message: string): Effect.Effect<void> =>
    isToken && Option.isSome(server)
      ? server.value.notifications["notifications/progress"]({ progressToken: token, progress: count, message })
      : Effect.void
})

/** A row in a few words. */
const said = ({ body }: Row.Row): string => {
  switch (body.kind) {
    case "intent":
      return `${body.act} …`
    case "outcome":
      return `${body.act} ${body.status}`
    case "ended":
      return `ended: ${body.status}`
    default:
      return body.kind
  }
}
