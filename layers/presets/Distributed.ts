/**
 * Many runners over one PostgreSQL: the same runtime as the embedded one, with its sessions spread over processes and
 * machines. A runner that is lost is noticed within seconds, and its sessions go on in the others.
 *
 * All runners have the same actors registered, the same keys and the same place for anchors.
 */
import { Layer, type Redacted } from "effect"
import { Singleton } from "effect/cluster"
import type { Policy } from "../../src/approval/index.ts"
import { Anchoring, Rounds } from "../../src/audit/index.ts"
import { Cluster, Schedules } from "../../src/session/index.ts"
import { Runners } from "../cluster/index.ts"
import { PostgresClient } from "../postgres/index.ts"
import { Migrate, SqlStore } from "../sql/index.ts"
import { core, digest } from "./Core.ts"
import { cadence, keysAndAnchors } from "./Embedded.ts"

/** What a runner needs to be told. */
export interface Options {
  /** The database that all runners share. */
  readonly url: Redacted.Redacted
  /** Where the other runners reach this one. */
  readonly place: Runners.Place
  /** Keys and anchors, when the environment names no others. */
  readonly folder: string
  readonly policy?: Partial<Policy.Policy> | undefined
}

/** The runtime of one runner. */
export const layer = ({ folder, place, policy = {}, url }: Options) =>
  // One runner of them all takes the anchors: two that sign at the same time would contradict each other.
  Singleton.make("aosiq/anchoring", Layer.build(Rounds.layer(cadence).pipe(Layer.provide(Anchoring.layer())))).pipe(
    Layer.provideMerge(Anchoring.layerElsewhere),
    Layer.provideMerge(core(Cluster.layer, policy)),
    Layer.provideMerge(Runners.layerOneOfMany(place)),
    Layer.provideMerge(SqlStore.layer.pipe(Layer.provide(Layer.effectDiscard(Migrate.migrate)))),
    Layer.provideMerge(PostgresClient.layer(url)),
    Layer.provideMerge(keysAndAnchors(folder)),
    Layer.provideMerge(digest)
  )

/** Starts what schedules come to, in one runner of them all; the actors they start must be registered first. */
export const layerSchedules = Singleton.make("aosiq/schedules", Schedules.sweeping)
