/** A witness that answers over HTTP on this machine, and a log that asks it. */
import { NodeHttpClient, NodeHttpServer } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServer } from "effect/http"
import { createServer } from "node:http"
import * as NodeEd25519 from "../../../layers/node/Ed25519.ts"
import { NodeDigest } from "../../../layers/node/index.ts"
import { WitnessClient, WitnessServer } from "../../../layers/witness/index.ts"
import { type Note, Signer, Witness } from "../../../src/audit/index.ts"
import { keyOf, witnessOf } from "../../audit/witnesses.ts"
import { keys } from "../../audit/worlds.ts"

/** Serves until the scope closes; gives its address. */
export const served = Effect.fnUntraced(function*(
  memory: Witness.Memory["Service"] = Witness.makeMemory(),
  logs: ReadonlyArray<Note.Key> = keys
) {
  const by = yield* Effect.orDie(witnessOf("witness.example/w1"))
  const context = yield* Layer.build(
    HttpRouter.serve(WitnessServer.routes(logs), { disableListenLog: true, disableLogger: true }).pipe(
      Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 })),
      Layer.provide(Layer.mergeAll(
        Layer.succeed(Signer.Signer, by),
        Layer.succeed(Witness.Memory, memory),
        NodeDigest.layer,
        NodeEd25519.layerVerifier
      ))
    )
  )
  const { address } = yield* Effect.provideContext(HttpServer.HttpServer, context)
  return { url: HttpServer.formatAddress(address), key: keyOf(by), by }
})

/** The witness as a log asks it, for as long as the scope is open. */
export const peerAt = Effect.fnUntraced(function*(
  url: string,
  key: WitnessClient.Options["key"],
  timeout: WitnessClient.Options["timeout"] = "5 seconds"
) {
  const client = yield* Layer.build(NodeHttpClient.layerUndici)
  return yield* Effect.provideContext(WitnessClient.make({ key, url, timeout }), client)
})
