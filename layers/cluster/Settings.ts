/**
 * How a cluster of runners is set: how soon a runner that is gone is noticed, and how often each looks for work.
 *
 * A runner that stops answering keeps its sessions until its locks run out; then the others take them over. The locks are
 * short, because a session that two runners believe to have does no harm: the log takes the commits of the newer run
 * alone.
 */
import { Duration } from "effect"
import type { ShardingConfig } from "effect/cluster"

type Settings = Partial<ShardingConfig.ShardingConfig["Service"]>

/** What all have in common. */
const common: Settings = {
  entityMessagePollInterval: Duration.seconds(1),
  entityReplyPollInterval: Duration.millis(200),
  // Messages are data of their own schema already; a second pass shows nothing new.
  simulateRemoteSerialization: false
}

/** One process that holds its database alone. */
export const single: Settings = { ...common, shardsPerGroup: 16 }

/** Runners that watch each other: a lost one is noticed within four to five seconds. */
export const many: Settings = {
  ...common,
  shardLockExpiration: Duration.seconds(3.5),
  shardLockRefreshInterval: Duration.seconds(1),
  refreshAssignmentsInterval: Duration.millis(500),
  runnerHealthCheckInterval: Duration.seconds(1)
}
