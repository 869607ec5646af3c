/**
 * A runner in a process of its own: `runnerProgram.ts ORDER`, where ORDER is JSON as in `Order` below. It runs what is left
 * in the log, ships the orders it is given, decides whatever waits, and ends when nothing is left to do, or when it is
 * killed: from outside, or by itself at a boundary it was told. Says one line of JSON for each thing that a test waits for.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Clock, Effect, Layer, Redacted, Schedule, Schema } from "effect"
import { writeSync } from "node:fs"
import { Runners } from "../../layers/cluster/index.ts"
import { AnchorSigner, KeySet } from "../../layers/jose/index.ts"
import { Ed25519 } from "../../layers/node/index.ts"
import { PgliteClient } from "../../layers/pglite/index.ts"
import { PostgresClient } from "../../layers/postgres/index.ts"
import { core, digest } from "../../layers/presets/Core.ts"
import { Migrate, SqlStore } from "../../layers/sql/index.ts"
import { Installation, Log } from "../../src/audit/index.ts"
import { Store, Transition } from "../../src/governor/index.ts"
import { Approvals, Cluster, DeadLetters, Dispatch, Mailbox, Unknowns } from "../../src/session/index.ts"
import * as World from "./world.ts"

/** What the process is to do. */
export const Order = Schema.Struct({
  /** Keys, the file of effects, and the embedded database where there is no `url`. */
  folder: Schema.String,
  url: Schema.NullOr(Schema.String),
  port: Schema.Natural,
  /** Orders to ship, and how long packing one takes, milliseconds. */
  ship: Schema.Array(Schema.String),
  packMs: Schema.Natural,
  /** Whether it approves what waits, and settles what is unknown. */
  approves: Schema.Boolean,
  /** Whether it stays when nothing is left to do. */
  stays: Schema.Boolean,
  /** Dies at the boundary with this number, counted from when it is up; never, when null. */
  dieAt: Schema.NullOr(Schema.Natural)
})

const order = Schema.decodeSync(Schema.fromJsonString(Order))(process.argv[2] ?? "")

// Written at once: a line that waits in a buffer when the process is killed was never said.
const say = (what: Record<string, unknown>) => writeSync(1, `${JSON.stringify(what)}\n`)

// --- boundaries --------------------------------------------------------------

/** The tree of sessions that this process opened: only its boundaries count. */
let own: string | undefined
let boundaries = 0
const boundary = (name: string, root: string | undefined) =>
  Effect.sync(() => {
    if (own === undefined || root !== own || order.dieAt === null) return
    if (boundaries++ !== order.dieAt) return
    say({ died: name })
    process.kill(process.pid, "SIGKILL")
  })
const around = (name: string, root: string) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.tap(Effect.andThen(boundary(`before ${name}`, root), effect), boundary(`after ${name}`, root))

const rootOf = (commit: Store.Commit): string => {
  const session = commit._tag === "Open" ? commit.session.id : "session" in commit ? commit.session : Installation.id
  if (commit._tag === "Open" && commit.session.parent === null) own ??= session
  return Transition.rootOf(session)
}

const mortalStore = Layer.effect(
  Store.Store,
  Effect.map(Store.Store, (store) => ({
    ...store,
    commit: (commit: Store.Commit) => Effect.suspend(() => around(commit._tag, rootOf(commit))(store.commit(commit)))
  }))
)
const mortalMailbox = Layer.effect(
  Mailbox.Mailbox,
  Effect.map(Mailbox.Mailbox, (mailbox) => ({
    ask: (message: Mailbox.Message) => around("ask", Transition.rootOf(message.session))(mailbox.ask(message)),
    tell: (message: Mailbox.Message) => around("tell", Transition.rootOf(message.session))(mailbox.tell(message))
  }))
).pipe(Layer.provide(Cluster.layer))

// --- the runtime -------------------------------------------------------------

const file = `${order.folder}/effects`
const database = order.url === null
  ? PgliteClient.layer(order.folder)
  : PostgresClient.layer(Redacted.make(order.url))
const runners = order.url === null
  ? Runners.layerSingle
  : Runners.layerOneOfMany({ host: "127.0.0.1", port: order.port })

const runtime = World.actors(file, Effect.suspend(() => boundary("in the handler", own))).pipe(
  Layer.provideMerge(core(mortalMailbox)),
  Layer.provideMerge(runners),
  Layer.provideMerge(mortalStore),
  Layer.provideMerge(SqlStore.layer.pipe(Layer.provide(Layer.effectDiscard(Migrate.migrate)))),
  Layer.provideMerge(database),
  Layer.provideMerge(Layer.mergeAll(AnchorSigner.layer("aosiq/test"), Ed25519.layerVerifier)),
  Layer.provideMerge(KeySet.layer(order.folder)),
  Layer.provideMerge(digest),
  Layer.provideMerge(NodeServices.layer)
)

// --- what it does ------------------------------------------------------------

const ship = (name: string) =>
  Effect.gen(function*() {
    const dispatch = yield* Dispatch.Dispatch
    const started = yield* Clock.currentTimeMillis
    const ended = yield* dispatch.start(World.Shipper, { order: name, ms: order.packMs }, {
      grant: World.grant,
      caller: "ada"
    })
    say({ answered: name, how: ended._tag, ms: (yield* Clock.currentTimeMillis) - started })
  }).pipe(Effect.catch((error) => Effect.sync(() => say({ failed: name, detail: error.message }))))

const approve = Effect.gen(function*() {
  const approvals = yield* Approvals.Approvals
  for (const ticket of yield* approvals.list) {
    if (ticket.state !== "proposed") continue
    // Another runner may have decided it a moment ago.
    yield* Effect.ignore(approvals.decide({ ticket: ticket.id, by: "grace", approve: true, reason: "" }))
  }
})

/** As an operator who knows what was done: the file says it. */
const settle = Effect.gen(function*() {
  const unknowns = yield* Unknowns.Unknowns
  for (const { act, args, id, reversible } of yield* unknowns.list) {
    if (reversible) continue
    const name = yield* Schema.decodeEffect(Schema.fromJsonString(Schema.Struct({ order: Schema.String })))(args)
    const isDone = World.effects(file).includes(`${act} ${name.order}`)
    const word = isDone
      ? { choice: "done" as const, result: `shipped ${name.order}` }
      : { choice: "not_done" as const }
    // Another runner may have settled it a moment ago.
    yield* Effect.ignore(unknowns.settle({ unknown: id, by: "grace", reason: "the file says so", ...word }))
  }
})

/** Sessions whose runs died with their processes five times in a row, and came to nothing: an operator lets them go on. */
const replay = Effect.gen(function*() {
  const letters = yield* DeadLetters.DeadLetters
  for (const { id } of yield* letters.list(true)) {
    yield* Effect.ignore(letters.replay({ letter: id, by: "grace", reason: "its processes were killed" }))
  }
})

// The chain of the installation stands: nothing runs in it.
const ends = ["succeeded", "failed", "abandoned", "cancelled", "standing"]
const until = Effect.gen(function*() {
  const log = yield* Log.Log
  const look = Effect.gen(function*() {
    if (order.approves) yield* Effect.all([approve, settle, replay])
    const sessions = yield* log.sessions
    const open = sessions.filter(({ status }) => !ends.includes(status)).length
    return sessions.length > 0 && open === 0
  }).pipe(Effect.orElseSucceed(() => false))
  yield* Effect.repeat(look, {
    until: (isDone) => isDone && !order.stays,
    schedule: Schedule.spaced("50 millis")
  })
})

NodeRuntime.runMain(
  Effect.gen(function*() {
    say({ up: process.pid })
    yield* Effect.forkChild(Effect.forEach(order.ship, ship, { concurrency: "unbounded" }))
    yield* until
    say({ done: true })
  }).pipe(Effect.provide(runtime)),
  { disableErrorReporting: false }
)
