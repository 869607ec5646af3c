/** The whole runtime in memory, with keys that live as long as it: for tests and for trying things out. */
import { NodeServices } from "@effect/platform-node"
import { Effect, FileSystem, Layer } from "effect"
import type { Policy } from "../../src/approval/index.ts"
import { Mailbox } from "../../src/session/index.ts"
import { KeySet } from "../jose/index.ts"
import { MemoryStore } from "../memory/index.ts"
import { core, digest } from "./Core.ts"

/** Nothing of it outlives the scope. */
export const layer = (policy: Partial<Policy.Policy> = {}) =>
  core(Mailbox.layerLocal, policy).pipe(
    Layer.provideMerge(MemoryStore.layer),
    Layer.provideMerge(Layer.mergeAll(digest, keys)),
    Layer.provideMerge(NodeServices.layer)
  )

// internal

const keys = Layer.unwrap(Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const folder = yield* fs.makeTempDirectoryScoped({ prefix: "aosiq-keys-" })
  return KeySet.layer(folder)
}))
