/** Anchors signed with the installation's newest key. */
import { Effect, Layer } from "effect"
import { Base64, Base64Url } from "effect/encoding"
import { Note, Signer } from "../../src/audit/index.ts"
import { NodeDigest } from "../node/index.ts"
import { KeySet } from "./KeySet.ts"

/** The keys that anchors named `name` may be signed with, newest first. */
export const keysOf = (keys: KeySet["Service"], name: string): ReadonlyArray<Note.Key> =>
  keys.publicJwks().keys.flatMap(({ x }) => {
    const bytes = Base64Url.decode(x)
    return bytes._tag === "Success" ? [{ name, publicKey: Base64.encode(bytes.success) }] : []
  })

/** Signs as `name`. */
export const layer = (name: string): Layer.Layer<Signer.Signer, Signer.SignerError, KeySet> =>
  Layer.effect(
    Signer.Signer,
    Effect.gen(function*() {
      if (!Note.isName(name)) {
        return yield* new Signer.SignerError({
          detail: `nobody can sign anchors as "${name}"`,
          remedy: "give a name without spaces and without +, such as example.com/log1"
        })
      }
      const keys = yield* KeySet
      const [newest] = keysOf(keys, name)
      if (newest === undefined) {
        return yield* new Signer.SignerError({
          detail: "there is no key to sign anchors with",
          remedy: "rotate the keys"
        })
      }
      return Signer.Signer.of({
        name,
        publicKey: newest.publicKey,
        keyId: Note.keyId(NodeDigest.digest, newest),
        sign: (text) => Effect.sync(() => Base64.encode(keys.sign(new TextEncoder().encode(text)).signature))
      })
    })
  )
