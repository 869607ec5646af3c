/**
 * The way into the process that holds a data folder: the operations over a Unix socket in the folder. Only the user who
 * owns the folder (mode 0700) can reach it.
 */
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import * as NodeSocketServer from "@effect/platform-node/NodeSocketServer"
import { Effect, Layer, References, Schema } from "effect"
import { RpcClient, RpcSerialization, RpcServer } from "effect/rpc"
import { createHash } from "node:crypto"
import { chmodSync, existsSync, lstatSync, mkdirSync, rmSync } from "node:fs"
import { createConnection } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { Operations } from "../../src/operator/index.ts"

/** The socket of the folder is not served, or cannot be; nothing was done. A retry helps while a process starts or stops. */
export class ControlError extends Schema.TaggedError<ControlError>()("ControlError", {
  folder: Schema.String,
  detail: Schema.String,
  remedy: Schema.String
}) {}

/** Longest path of a socket, bytes: the smallest `sun_path` of the systems that have one. */
const maxSocketPath = 100

/** Where the socket of a folder lies; in the system's temporary folder when the folder's own path is too long. */
export const socketPath = (folder: string): string => {
  const direct = join(resolve(folder), "control.sock")
  if (Buffer.byteLength(direct) <= maxSocketPath) return direct
  const short = createHash("sha256").update(resolve(folder)).digest("hex").slice(0, 16)
  return join(tmpdir(), `aosiq-${process.getuid?.() ?? 0}-${short}`, "control.sock")
}

/** Serves the operations of this process. Whoever holds the folder's lock owns the socket. */
export const layerServer = (folder: string) =>
  Layer.unwrap(Effect.gen(function*() {
    const path = socketPath(folder)
    yield* serving(folder, () => makeWay(folder, path))
    const server = Layer.tap(
      NodeSocketServer.layer({ path }),
      () => serving(folder, () => chmodSync(path, 0o600))
    ).pipe(Layer.catch((error) => Layer.effectContext(Effect.fail(unserved(folder)(error)))))
    return RpcServer.layer(Operations.Operations, { disableTracing: true }).pipe(
      Layer.provide(RpcServer.layerProtocolSocketServer.pipe(Layer.provide(hangingUp))),
      Layer.provide(RpcSerialization.layerNdjson),
      Layer.provide(server)
    )
  }))

/** The operations of the process that holds `folder`; fails when it does not answer. */
export const connect = (folder: string) =>
  Effect.gen(function*() {
    yield* knock(folder)
    const protocol = yield* Layer.build(
      RpcClient.layerProtocolSocket().pipe(
        Layer.provide(RpcSerialization.layerNdjson),
        Layer.provide(NodeSocket.layerNet({ path: socketPath(folder) }))
      )
    )
    return yield* Effect.provideContext(RpcClient.make(Operations.Operations, { disableTracing: true }), protocol)
  })

// internal

/** A command that is stopped hangs up, which is no fault of the server's. */
const hangingUp = Layer.succeed(References.UnhandledLogLevel, "Debug")

/** Removes the socket of a process that was killed. */
const makeWay = (folder: string, path: string) => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  if (!isOurs(folder, path)) {
    // eslint-disable-next-line no-throw-literal -- the caller turns it into a typed error
    throw new Error(`others may have made ${dirname(path)}`)
  }
  rmSync(path, { force: true })
}

/** In the system's temporary folder anyone can make a folder of that name first, and answer in our place. */
const isOurs = (folder: string, path: string): boolean => {
  if (dirname(path) === resolve(folder)) return true
  const { mode, uid } = lstatSync(dirname(path))
  return uid === process.getuid?.() && (mode & 0o022) === 0
}

const serving = (folder: string, make: () => void) => Effect.try({ try: make, catch: unserved(folder) })

const unserved = (folder: string) => (cause: unknown) => {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new ControlError({
    folder,
    detail: `operators of ${folder} cannot be served: ${why}`,
    remedy: "let this user write in the folder and in the system's temporary folder, or use another with --data"
  })
}

const knock = (folder: string) =>
  Effect.callback<void, ControlError>((resume) => {
    const path = socketPath(folder)
    const detail = `the process that works on ${folder} does not answer`
    const silent = new ControlError({ folder, detail, remedy: "stop that process and try again" })
    if (!existsSync(path) || !isOurs(folder, path)) return resume(Effect.fail(silent))
    const socket = createConnection({ path })
    socket.once("connect", () => {
      socket.destroy()
      resume(Effect.void)
    })
    socket.once("error", () => resume(Effect.fail(silent)))
    return Effect.sync(() => socket.destroy())
  })
