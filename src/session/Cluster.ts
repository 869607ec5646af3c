/**
 * Sessions as entities of an Effect Cluster: an entity type for each class of actor, an entity for each session. Messages
 * are persisted and handled one at a time per session, by one runner at a time; a session that is not running is rows in
 * the database and nothing else. One process over an embedded database and many over a server run this same code.
 *
 * The cluster decides where a session runs. That only one run of it can act is decided by the log: a run that was
 * replaced, frozen or partitioned away has an old epoch, and none of its commits is taken.
 */
import { Effect, Fiber, Layer, Schedule, Scope } from "effect"
import { type ClusterError, ClusterSchema, Entity, Sharding } from "effect/cluster"
import { Rpc } from "effect/rpc"
import { Actor } from "../actor/index.ts"
import { Claims } from "../capability/index.ts"
import { Store } from "../governor/index.ts"
import { DispatchError, failWith, Unrecorded } from "./Ended.ts"
import { Mailbox } from "./Mailbox.ts"
import { Message } from "./Message.ts"
import { Runs } from "./Runs.ts"
import { sweep } from "./Sweep.ts"

/** Lets the session run. Whoever stops waiting for it does not stop it. */
export const Run = Rpc.make("Run", {
  payload: { reason: Message.fields.reason },
  error: DispatchError,
  primaryKey: ({ reason }) => reason
}).annotate(ClusterSchema.Persisted, true)
  .annotate(ClusterSchema.Uninterruptible, "client")
  // A runner that shuts down need not wait: the message stays, and the session goes on from its log.
  .annotate(ClusterSchema.InterruptOnTermination, true)

/** The entity type of a class. */
export const entityOf = (actor: string) => Entity.make(`aosiq/${actor}`, [Run])

/** How long a session without messages stays in memory, as next to nothing. */
const maxIdleTime = "30 seconds"

/** Tries a run again for as long as the log does not answer. */
export const untilAnswered = (run: Effect.Effect<void, DispatchError>): Effect.Effect<void, DispatchError> =>
  Effect.retry(run, {
    while: ({ reason }) => reason._tag === "Unrecorded",
    schedule: Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("5 seconds")])
  })

/** Mailboxes over a cluster. Every runner of it registers the same actors. */
export const layer: Layer.Layer<Mailbox, never, Runs | Store.Store | Actor.Registry | Sharding.Sharding> = Layer.effect(
  Mailbox,
  Effect.gen(function*() {
    const runs = yield* Runs
    const store = yield* Store.Store
    const registry = yield* Actor.Registry
    const sharding = yield* Sharding.Sharding
    const scope = yield* Effect.scope

    yield* registry.each(({ class: { name } }) =>
      sharding.registerEntity(
        entityOf(name),
        Effect.map(Entity.CurrentAddress, (address) => {
          const run = untilAnswered(runs.run(Claims.SessionId.make(address.entityId)))
          return entityOf(name).of({ Run: () => run })
        }),
        { maxIdleTime }
      ).pipe(Scope.provide(scope))
    )

    const types = new Map<string, ReturnType<typeof entityOf>>()
    const clientOf = (actor: string, session: string) => {
      const type = types.get(actor) ?? entityOf(actor)
      types.set(actor, type)
      return Effect.map(sharding.makeClient(type), (client) => client(session))
    }
    // Whoever waits may stop waiting, as a runner does that shuts down: the message is not taken back.
    const ask = ({ actor, reason, session }: Message) =>
      Effect.flatMap(clientOf(actor, session), (client) => client.Run({ reason })).pipe(
        Effect.mapError(undelivered),
        Effect.forkDetach,
        Effect.flatMap(Fiber.join)
      )
    const tell = ({ actor, reason, session }: Message) =>
      Effect.flatMap(clientOf(actor, session), (client) => client.Run({ reason }, { discard: true })).pipe(
        Effect.mapError(undelivered)
      )

    yield* sharding.registerSingleton("aosiq/sweep", sweep({ store, runs, tell, graceMs: 0 })).pipe(
      Scope.provide(scope)
    )
    return Mailbox.of({ ask, tell })
  })
)

// internal

type Undelivered =
  | ClusterError.MailboxFull
  | ClusterError.AlreadyProcessingMessage
  | ClusterError.PersistenceError
  | ClusterError.EntityNotAssignedToRunner

const undelivered = (error: DispatchError | Undelivered): DispatchError =>
  error instanceof DispatchError
    ? error
    : failWith(new Unrecorded({ detail: `the message was not delivered: ${error._tag}`, remedy: "resume the session" }))
