/** Witnesses of the tests: their keys, and logs that they watch over. */
import { Effect, Layer } from "effect"
import { createHash, createPrivateKey, createPublicKey } from "node:crypto"
import * as NodeEd25519 from "../../layers/node/Ed25519.ts"
import { NodeDigest } from "../../layers/node/index.ts"
import { Cosignature, Cosigning, type Note, Signer, Witness } from "../../src/audit/index.ts"
import { digest, keys } from "./worlds.ts"

/** A key pair from a name: the same for the same name. */
const jwkOf = (name: string): NodeEd25519.PrivateJwk => {
  const seed = createHash("sha256").update(name).digest()
  // PKCS #8 of RFC 8410 before the 32 bytes of the key.
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed])
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" })
  const { x } = createPublicKey(key).export({ format: "jwk" })
  return { kty: "OKP", crv: "Ed25519", d: seed.toString("base64url"), x }
}

/** Who signs as a witness. */
export const witnessOf = (name: string): Effect.Effect<Signer.Signer["Service"], Signer.SignerError> =>
  Effect.provide(Signer.Signer, NodeEd25519.layer({ name, privateJwk: jwkOf(name) }))

export const keyOf = ({ name, publicKey }: Signer.Signer["Service"]): Note.Key => ({ name, publicKey })

/** What a witness signs, whether it should or not. */
export const cosign = (by: Signer.Signer["Service"], text: string, at: number) =>
  Effect.provideService(Cosignature.sign(digest, text, at), Signer.Signer, by)

/** A witness that remembers in `memory`, for the log of the tests. */
export const living = (
  by: Signer.Signer["Service"],
  memory: Witness.Memory["Service"] = Witness.makeMemory(),
  logs: ReadonlyArray<Note.Key> = keys
): Effect.Effect<Witness.Witness> =>
  Effect.provide(Witness.make(logs), [
    Layer.succeed(Signer.Signer, by),
    Layer.succeed(Witness.Memory, memory),
    NodeDigest.layer,
    NodeEd25519.layerVerifier
  ])

/** A witness in this process, as a log asks it. */
export const peer = (name: string) =>
  Effect.map(Effect.flatMap(witnessOf(name), (by) => living(by)), (witness) => Cosigning.peerOf(witness))
