/** Runners of a cluster over a SQL database: one in a process of its own, or many that reach each other by sockets. */
import * as NodeClusterSocket from "@effect/platform-node/NodeClusterSocket"
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import { Effect, Layer, Option, Semaphore } from "effect"
import {
  RunnerAddress,
  RunnerHealth,
  Runners,
  RunnerStorage,
  ShardId,
  Sharding,
  ShardingConfig,
  Singleton,
  SqlRunnerStorage
} from "effect/cluster"
import { Holding } from "../../src/session/index.ts"
import * as Messages from "./Messages.ts"
import * as Retention from "./Retention.ts"
import * as Settings from "./Settings.ts"

/** The only runner there is, for a database that one process holds. */
export const layerSingle = retained(
  Sharding.layer.pipe(
    Layer.provideMerge(Runners.layerNoop),
    Layer.provideMerge(Messages.layer),
    Layer.provide([RunnerStorage.layerMemory, RunnerHealth.layerNoop]),
    Layer.provide(NodeCrypto.layerDigest),
    Layer.provideMerge(ShardingConfig.layerFromEnv(Settings.single))
  )
)

/** Where other runners reach this one, and where it listens for them; the same unless there is a proxy between. */
export interface Place {
  readonly host: string
  readonly port: number
  readonly listenHost?: string | undefined
}

/**
 * One of many runners. What runners say to each other is neither secret nor believed: a message names a session that is
 * due, and whether it is due is read from the database. Keep the port closed to strangers all the same, for they could
 * keep a runner busy.
 */
export const layerOneOfMany = ({ host, listenHost, port }: Place) => {
  const shardingConfig = {
    ...Settings.many,
    runnerAddress: Option.some(RunnerAddress.make(host, port)),
    runnerListenAddress: Option.some(RunnerAddress.make(listenHost ?? host, port))
  }
  return retained(
    NodeClusterSocket.layer({ storage: "byo", shardingConfig }).pipe(
      Layer.provideMerge(Messages.layer),
      Layer.provide(Layer.provide(inTurns, Layer.orDie(SqlRunnerStorage.layer))),
      Layer.provide(NodeCrypto.layerDigest),
      Layer.provideMerge(ShardingConfig.layerFromEnv(shardingConfig))
    )
  )
}

// internal

/** Shards that are let go at the same time. */
const turns = 8

/**
 * Shards are let go in turns. Each has as long for that as for a look at its lock, over the one connection that holds the
 * locks: where a runner stops and lets go of hundreds at once, most of them would have waited for longer.
 */
const inTurns = Layer.effect(
  RunnerStorage.RunnerStorage,
  Effect.gen(function*() {
    const storage = yield* RunnerStorage.RunnerStorage
    const gate = yield* Semaphore.make(turns)
    return { ...storage, release: (runner, shard) => gate.withPermits(1)(storage.release(runner, shard)) }
  })
)

/** With what a cluster of ours has beside its sessions. */
function retained<A, E, R>(cluster: Layer.Layer<A | Sharding.Sharding | ShardingConfig.ShardingConfig, E, R>) {
  return Layer.merge(Singleton.make("aosiq/retention", Retention.run), layerHolding()).pipe(Layer.provideMerge(cluster))
}

function layerHolding() {
  return Layer.effect(
    Holding.Current,
    Effect.gen(function*() {
      const { hasShardId } = yield* Sharding.Sharding
      const { assignedShardGroups, shardsPerGroup } = yield* ShardingConfig.ShardingConfig
      const shards = assignedShardGroups.flatMap((group) =>
        Array.from({ length: shardsPerGroup }, (_, at) => ShardId.make(group, at + 1))
      )
      return Effect.sync(() => shards.some(hasShardId))
    })
  )
}
