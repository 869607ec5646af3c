/** Runners of a cluster over a SQL database: one in a process of its own, or many that reach each other by sockets. */
import * as NodeClusterSocket from "@effect/platform-node/NodeClusterSocket"
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import { Layer, Option } from "effect"
import {
  RunnerAddress,
  RunnerHealth,
  Runners,
  RunnerStorage,
  Sharding,
  ShardingConfig,
  Singleton,
  SqlRunnerStorage
} from "effect/cluster"
import * as Messages from "./Messages.ts"
import * as Retention from "./Retention.ts"
import * as Settings from "./Settings.ts"

/** The only runner there is, for a database that one process holds. */
export const layerSingle = retained(
  Sharding.layer.pipe(
    Layer.provideMerge(Runners.layerNoop),
    Layer.provideMerge(Messages.layer),
    Layer.provide([RunnerStorage.layerMemory, RunnerHealth.layerNoop]),
    Layer.provide([ShardingConfig.layerFromEnv(Settings.single), NodeCrypto.layerDigest])
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
      Layer.provide(Layer.orDie(SqlRunnerStorage.layer)),
      Layer.provide([ShardingConfig.layerFromEnv(shardingConfig), NodeCrypto.layerDigest])
    )
  )
}

// internal

function retained<A, E, R>(cluster: Layer.Layer<A | Sharding.Sharding, E, R>) {
  return Singleton.make("aosiq/retention", Retention.run).pipe(Layer.provideMerge(cluster))
}
