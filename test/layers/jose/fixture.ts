/** Keys in a folder of their own, claims to begin with, and a forger who may write any header over any payload. */
import { NodeServices } from "@effect/platform-node"
import { assert } from "@effect/vitest"
import { Effect, FileSystem, Layer, Path } from "effect"
import { type KeyObject, sign } from "node:crypto"
import { JoseTokens, KeySet } from "../../../layers/jose/index.ts"
import { Claims } from "../../../src/capability/index.ts"

export const session = Claims.SessionId.make("session-1")

/** Epoch seconds. */
export const issuedAt = 1_000_000

export const claims: Claims.Claims = {
  iss: "aosiq",
  aud: "aosiq",
  sub: "Advisor",
  sid: session,
  jti: Claims.TokenId.make("token-2"),
  anc: [Claims.TokenId.make("token-1")],
  iat: issuedAt,
  exp: issuedAt + 3600,
  depth: 2,
  capabilities: ["tool:read_metrics", "memory:write@notes/*"],
  backends: ["ollama"],
  budget: 1_000_000,
  limits: { cpuMs: 1000, memoryMiB: 64, outputBytes: 65_536, wallMs: 2000 }
}

/** The name of a folder that does not exist yet, removed with the scope. */
export const freshFolder = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  return path.join(yield* fs.makeTempDirectoryScoped(), "keys")
})

/** Tokens over new keys. */
export const layer = Layer.unwrap(
  Effect.map(freshFolder, (folder) => JoseTokens.layer().pipe(Layer.provideMerge(KeySet.layer(folder))))
).pipe(Layer.provideMerge(NodeServices.layer))

const encode = (text: string) => Buffer.from(text).toString("base64url")

/** Signs any text as a header over any text as a payload. */
export const forge = (header: string, payload: string, key: KeyObject): string => {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${sign(null, Buffer.from(input), key).toString("base64url")}`
}

/** A token by our newest key whose header and claims differ from good ones as said; `undefined` leaves a member out. */
export const forgeOurs = (
  keys: KeySet.KeySet["Service"],
  header: Readonly<Record<string, unknown>> = {},
  changes: Readonly<Record<string, unknown>> = {}
): string => {
  const { jwk, key } = keys.newest()
  const good = { alg: "EdDSA", typ: "aosiq+jwt", kid: jwk.kid }
  return forge(JSON.stringify({ ...good, ...header }), JSON.stringify({ ...claims, ...changes }), key)
}

/** Lets the file system get on until `isDone`; fails the test when that takes very long. */
export const until = (isDone: () => boolean, meanwhile: Effect.Effect<void> = Effect.void) =>
  Effect.gen(function*() {
    for (let turn = 0; turn < 20_000 && !isDone(); turn++) {
      yield* meanwhile
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    }
    assert.isTrue(isDone())
  })
