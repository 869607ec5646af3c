/** The whole runtime in memory, with keys that live as long as it: for tests and for trying things out. */
import { NodeServices } from "@effect/platform-node"
import { Effect, FileSystem, Layer } from "effect"
import type { Policy } from "../../src/approval/index.ts"
import { Alerts, Anchor, Anchoring, Cosigning } from "../../src/audit/index.ts"
import { Desk } from "../../src/operator/index.ts"
import { Mailbox } from "../../src/session/index.ts"
import { KeySet } from "../jose/index.ts"
import { MemoryRequests, MemoryStore } from "../memory/index.ts"
import { Ed25519 } from "../node/index.ts"
import { core, digest } from "./Core.ts"

/** Nothing of it outlives the scope. */
export const layer = (policy: Partial<Policy.Policy> = {}) =>
  core(Mailbox.layerLocal, policy).pipe(
    Layer.provideMerge(MemoryStore.layer),
    Layer.provideMerge(Layer.mergeAll(digest, keys)),
    Layer.provideMerge(NodeServices.layer)
  )

/** What callers ask for, and what they were answered, over that runtime; its anchors go with it too. */
export const layerDesk = Layer.merge(Desk.layer([]), MemoryRequests.layer).pipe(
  Layer.provide(Layer.mergeAll(
    Anchoring.layerElsewhere,
    Anchor.layerMemory,
    Alerts.layerMemory,
    Cosigning.layerNone,
    Ed25519.layerVerifier
  ))
)

// internal

const keys = Layer.unwrap(Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* fs.makeTempDirectoryScoped({ prefix: "aosiq-keys-" })
  return KeySet.layer(folder)
}))
