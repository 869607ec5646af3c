/**
 * The keys of the running process. They follow their file: a key that another process added is found when its first
 * token arrives, and one that was retired is gone within `refreshSeconds`.
 */
import { Context, Duration, Effect, FileSystem, Layer } from "effect"
import { type KeyObject, sign } from "node:crypto"
import { join } from "node:path"
import * as Jwk from "./Jwk.ts"
import * as Keys from "./Keys.ts"

/** How long a retired key may go on verifying in a process that runs. */
export const refreshSeconds = 5

/** An Ed25519 signature, 64 bytes, and whose. */
export interface Signature {
  readonly kid: string
  readonly signature: Uint8Array
}

/** Signs with the newest key and verifies with all. */
export class KeySet extends Context.Service<KeySet, {
  /** The public halves, newest first. */
  readonly publicJwks: () => { readonly keys: ReadonlyArray<Keys.PublicJwk> }
  /** The pair that signs. */
  readonly newest: () => Keys.Pair
  /** The key with this kid, as far as is known without looking at the file. */
  readonly known: (kid: string) => KeyObject | undefined
  /** The key with this kid; one that is not known is looked for in the file. */
  readonly find: (kid: string) => Effect.Effect<KeyObject | undefined>
  /** Signs bytes, for anchors and bundles. Tokens are signed by `Tokens`. */
  readonly sign: (bytes: Uint8Array) => Signature
  /** Whether a key of ours made this signature of `bytes`. */
  readonly verify: (bytes: Uint8Array, by: Signature) => boolean
}>()("aosiq/layers/jose/KeySet") {}

/** The keys in `folder`, made there the first time. */
export const layer = (folder: string): Layer.Layer<KeySet, Keys.KeyError, FileSystem.FileSystem> =>
  Layer.effect(
    KeySet,
    Effect.flatMap(Keys.loadOrCreate(folder), (keys) => follow(join(folder, Keys.fileName), keys))
  )

/** The keys in a file that someone else provides. */
export const layerFile = (path: string): Layer.Layer<KeySet, Keys.KeyError, FileSystem.FileSystem> =>
  Layer.effect(KeySet, Effect.flatMap(Keys.read(path), (keys) => follow(path, keys)))

// internal

const follow = Effect.fnUntraced(function*(path: string, first: Keys.Keys) {
  const fs = yield* FileSystem.FileSystem
  let keys = first
  let isTroubled = false
  /** A file that cannot be used any more changes nothing: the keys in memory were good. */
  const refresh = Keys.read(path).pipe(
    Effect.provideService(FileSystem.FileSystem, fs),
    Effect.matchEffect({
      onSuccess: (read) =>
        Effect.sync(() => {
          keys = read
          isTroubled = false
        }),
      onFailure: ({ reason }) =>
        Effect.suspend(() => {
          const isNews = !isTroubled
          isTroubled = true
          return isNews ? Effect.logWarning("The key file is not used", reason) : Effect.void
        })
    })
  )
  yield* Effect.forkScoped(Effect.forever(Effect.delay(refresh, Duration.seconds(refreshSeconds))))
  const known = (kid: string) => keys.verifiers.get(kid)
  return KeySet.of({
    publicJwks: () => ({ keys: keys.pairs.map(({ jwk }) => jwk) }),
    newest: () => keys.newest,
    known,
    find: (kid) =>
      Effect.suspend(() => known(kid) ? Effect.succeed(known(kid)) : Effect.map(refresh, () => known(kid))),
    sign: (bytes) => ({ kid: keys.newest.jwk.kid, signature: sign(null, bytes, keys.newest.key) }),
    verify: (bytes, { kid, signature }) => {
      const key = known(kid)
      return key !== undefined && Jwk.verifyBytes(key, bytes, signature)
    }
  })
})
