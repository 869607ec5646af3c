/**
 * A witness that stands alone: one process over one folder of its own, with its own key. It has nothing to do with a
 * runtime, and is worth most where other people run it on another machine.
 *
 * The folder holds `keys.json` (mode 0600) and `witness.json`, what it signed last. A witness that lost either does not
 * start: it would sign what it refused before, or under another key.
 */
import { NodeHttpServer, NodeServices } from "@effect/platform-node"
import { Effect, Layer, Schema } from "effect"
import { HttpRouter, HttpServer } from "effect/http"
import { existsSync } from "node:fs"
import { createServer } from "node:http"
import { join } from "node:path"
import { Cosignature, Note, Signer, Witness } from "../../src/audit/index.ts"
import { AnchorSigner, KeySet } from "../jose/index.ts"
import { Ed25519, NodeDigest } from "../node/index.ts"
import { acquire } from "../pglite/index.ts"
import { WitnessFile, WitnessServer } from "../witness/index.ts"

/** What a witness is told. */
export interface Order {
  readonly folder: string
  /** Wanted the first time, and never another afterwards. */
  readonly name: string | undefined
  /** Keys of the logs that it signs for. */
  readonly logs: ReadonlyArray<Note.Key>
  readonly host: string
  /** 0 takes any that is free. */
  readonly port: number
}

/** The witness does not start; nothing was signed. */
export class WitnessStartError extends Schema.TaggedError<WitnessStartError>()("WitnessStartError", {
  detail: Schema.String,
  remedy: Schema.String
}) {}

/** Serves until the scope closes; gives its key as one word, and where it answers. */
export const start = Effect.fnUntraced(function*(order: Order) {
  const { folder, host, logs, port } = order
  yield* acquire(folder)
  const node = yield* Layer.build(NodeServices.layer)
  const opened = yield* Effect.provideContext(memoryOf(order), node)
  const keys = KeySet.layer(folder).pipe(Layer.provide(Layer.succeedContext(node)))
  const signer = AnchorSigner.layer(opened.name).pipe(Layer.provide(keys))
  const tools = yield* Layer.build(Layer.mergeAll(
    signer,
    Ed25519.layerVerifier,
    NodeDigest.layer,
    Layer.succeed(Witness.Memory, opened.memory)
  ))
  const served = yield* Layer.build(
    HttpRouter.serve(WitnessServer.routes(logs), { disableListenLog: true, disableLogger: true }).pipe(
      Layer.provideMerge(NodeHttpServer.layer(() => createServer(timeouts), { host, port })),
      Layer.provide(Layer.succeedContext(tools))
    )
  ).pipe(Effect.catchTag("ServeError", ({ cause }) => unserved(host, port, cause)))
  const { address } = yield* Effect.provideContext(HttpServer.HttpServer, served)
  const { name, publicKey } = yield* Effect.provideContext(Signer.Signer, tools)
  return {
    key: Cosignature.formatKey(NodeDigest.digest, { name, publicKey }),
    url: HttpServer.formatAddress(address)
  }
})

// internal

/** A client that sends slowly holds a connection no longer than this. */
const timeouts = { headersTimeout: 10_000, requestTimeout: 15_000, keepAliveTimeout: 30_000 }

const refuse = (detail: string, remedy: string) => Effect.fail(new WitnessStartError({ detail, remedy }))

/** What the witness of this folder signed last; the first time, a witness that signed nothing. */
const memoryOf = Effect.fnUntraced(function*({ folder, name }: Order) {
  const file = join(folder, "witness.json")
  const hasKeys = existsSync(join(folder, "keys.json"))
  if (!hasKeys && !existsSync(file)) {
    if (name === undefined || !Note.isName(name)) {
      const detail = name === undefined ? "a new witness has no name" : `${name} is not a name`
      return yield* refuse(detail, "give it one with --name, such as witness.example/w1: no spaces, no +")
    }
    yield* WitnessFile.begin(file, name)
  }
  const opened = yield* WitnessFile.open(file)
  if (name !== undefined && name !== opened.name) {
    return yield* refuse(
      `the witness in ${folder} is named ${opened.name}, not ${name}`,
      "leave its name as it is, or begin another witness in another folder"
    )
  }
  if (!hasKeys && opened.logs.length > 0) {
    return yield* refuse(
      `the key of the witness in ${folder} is gone`,
      "restore keys.json, or begin another witness, of another name, in another folder"
    )
  }
  return opened
})

const unserved = (host: string, port: number, cause: unknown) =>
  refuse(
    `nobody can listen on ${host}:${port}${cause instanceof Error ? `: ${cause.message}` : ""}`,
    "choose another --port, or stop what listens there"
  )
