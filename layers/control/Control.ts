/**
 * The way into the process that holds a data folder: the operations over a Unix socket in the folder. Only the user who
 * owns the folder (mode 0700) can reach it.
 */
import { NodeSocket, NodeSocketServer } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { RpcClient, RpcSerialization, RpcServer } from "effect/rpc"
import { createHash } from "node:crypto"
import { chmodSync, mkdirSync, rmSync } from "node:fs"
import { tmpdir, userInfo } from "node:os"
import { dirname, join, resolve } from "node:path"
import { Operations } from "../../src/operator/index.ts"

/** Longest path of a socket, bytes: the smallest `sun_path` of the systems that have one. */
const maxSocketPath = 100

/** Where the socket of a folder lies; beside the folder's name when the folder's own path is too long. */
export const socketPath = (folder: string): string => {
  const direct = join(resolve(folder), "control.sock")
  if (Buffer.byteLength(direct) <= maxSocketPath) return direct
  const short = createHash("sha256").update(resolve(folder)).digest("hex").slice(0, 16)
  return join(tmpdir(), `aosiq-${userInfo().uid}-${short}`, "control.sock")
}

/** Serves the operations of this process. Whoever holds the folder's lock owns the socket. */
export const layerServer = (folder: string) =>
  Layer.unwrap(Effect.sync(() => {
    const path = socketPath(folder)
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    rmSync(path, { force: true })
    return RpcServer.layer(Operations.Operations, { disableTracing: true }).pipe(
      Layer.provide(RpcServer.layerProtocolSocketServer),
      Layer.provide(RpcSerialization.layerNdjson),
      Layer.provide(
        Layer.tap(NodeSocketServer.layer({ path }), () => Effect.sync(() => chmodSync(path, 0o600)))
      )
    )
  }))

/** The operations of the process that holds `folder`. */
export const connect = (folder: string) =>
  Effect.flatMap(
    Layer.build(
      RpcClient.layerProtocolSocket().pipe(
        Layer.provide(RpcSerialization.layerNdjson),
        Layer.provide(NodeSocket.layerNet({ path: socketPath(folder) }))
      )
    ),
    (protocol) => Effect.provideContext(RpcClient.make(Operations.Operations, { disableTracing: true }), protocol)
  )
