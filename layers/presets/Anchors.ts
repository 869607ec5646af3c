/**
 * Where an installation's anchors go, and who co-signs them: to the bucket that the environment names, else to a
 * directory; by the witnesses that AOSIQ_WITNESSES names, else by nobody.
 */
import { NodeHttpClient } from "@effect/platform-node"
import { Effect, type FileSystem, Layer, Option, type Path } from "effect"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { Alerts, type Anchor, Cosigning } from "../../src/audit/index.ts"
import { AlertFile, DirectoryAnchors } from "../directory/index.ts"
import { NodeDigest } from "../node/index.ts"
import { FolderError } from "../pglite/index.ts"
import { S3Anchors, S3Config } from "../s3/index.ts"
import { WitnessClient, WitnessConfig } from "../witness/index.ts"

/** Anchors, the witnesses of them, and alerts about both; what is kept on this machine is in `folder`. */
export const layer = (folder: string) =>
  Layer.mergeAll(anchors(folder), witnesses, Alerts.layerLog).pipe(
    Layer.provideMerge(AlertFile.layer(join(folder, "alerts.json")))
  )

// internal

type Kept = Layer.Layer<Anchor.Anchors, Anchor.AnchorError, Alerts.Alerts | FileSystem.FileSystem | Path.Path>

const anchors = (folder: string) =>
  Layer.unwrap(Effect.gen(function*() {
    const bucket = yield* S3Config.options
    const directory = join(folder, "anchors")
    yield* made(Option.isSome(bucket) ? folder : directory)
    const kept: Kept = Option.isSome(bucket) ? S3Anchors.layer(bucket.value) : DirectoryAnchors.layer(directory)
    return kept
  }))

const witnesses = Layer.effect(
  Cosigning.Witnesses,
  Effect.gen(function*() {
    const named = yield* WitnessConfig.peers(NodeDigest.digest)
    return { peers: yield* Effect.forEach(named, WitnessClient.make) }
  })
).pipe(Layer.provide(NodeHttpClient.layerUndici))

const made = (directory: string) =>
  Effect.try({
    try: () => mkdirSync(directory, { recursive: true, mode: 0o700 }),
    catch: (cause) =>
      new FolderError({
        folder: directory,
        detail: `${directory} cannot be made: ${cause instanceof Error ? cause.message : String(cause)}`,
        remedy: "choose a folder that this user may write, with --data or AOSIQ_DATA",
        holder: null
      })
  })
