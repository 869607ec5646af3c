/**
 * The embedded default: one process, one folder. Log and tickets in PGlite, keys as files, anchors where the environment
 * says or else as files, and a socket for operators. The folder is made on first use, mode 0700.
 */
import { Config, Duration, Effect, Layer, Option } from "effect"
import type { Policy } from "../../src/approval/index.ts"
import { Anchoring, Rounds } from "../../src/audit/index.ts"
import { Asker, Desk } from "../../src/operator/index.ts"
import { Cluster } from "../../src/session/index.ts"
import { Runners } from "../cluster/index.ts"
import { Control } from "../control/index.ts"
import { AnchorSigner, KeySet } from "../jose/index.ts"
import { Ed25519 } from "../node/index.ts"
import { PgliteClient } from "../pglite/index.ts"
import { Migrate, SqlStore } from "../sql/index.ts"
import * as Anchors from "./Anchors.ts"
import { core, digest } from "./Core.ts"

/**
 * The name that anchors of this installation are signed with, AOSIQ_ORIGIN: one name for one log, for witnesses tell logs
 * apart by it. Anchors that were signed with another name are not built on.
 */
export const origin = Config.withDefault(Config.NonEmptyString("AOSIQ_ORIGIN"), "aosiq/embedded")
/** How long a row stays without an anchor at the most, and how many rows are anchored before their time. */
export const cadence: Rounds.Cadence = { every: Duration.minutes(1), rows: 1000 }

/** The runtime over `folder`. */
export const layer = (folder: string, policy: Partial<Policy.Policy> = {}) =>
  Rounds.layer(cadence).pipe(
    Layer.provideMerge(Anchoring.layer()),
    Layer.provideMerge(core(Cluster.layer, policy)),
    Layer.provideMerge(Runners.layerSingle),
    Layer.provideMerge(storage(folder)),
    Layer.provideMerge(keysAndAnchors(folder)),
    Layer.provideMerge(digest)
  )

/** What operators ask for, by whatever door; the actors they resume must be registered first. */
export const layerDesk = Layer.unwrap(Effect.gen(function*() {
  return Desk.layer(AnchorSigner.keysOf(yield* KeySet.KeySet, yield* origin))
}))

/** Serves the operators of `folder`: who reaches its socket owns it, and says in whose name an order is given. */
export const layerControl = (folder: string) =>
  Control.layerServer(folder).pipe(
    Layer.provide(Layer.merge(Desk.layerMessages, Asker.layerOwnerOrCaller("local"))),
    Layer.provideMerge(layerDesk)
  )

// internal

const storage = (folder: string) =>
  SqlStore.layer.pipe(
    Layer.provide(Layer.effectDiscard(Migrate.migrate)),
    Layer.provideMerge(PgliteClient.layer(folder))
  )

/** Keys come from the file that AOSIQ_KEYS names, or are made in the folder on first use. */
export const keysAndAnchors = (folder: string) =>
  Layer.unwrap(Effect.gen(function*() {
    const file = yield* Config.option(Config.String("AOSIQ_KEYS"))
    return Layer.mergeAll(
      Ed25519.layerVerifier,
      AnchorSigner.layer(yield* origin)
    ).pipe(
      Layer.provideMerge(Option.isSome(file) ? KeySet.layerFile(file.value) : KeySet.layer(folder)),
      Layer.provideMerge(Anchors.layer(folder))
    )
  }))
