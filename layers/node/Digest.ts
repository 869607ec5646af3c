/** SHA-256 by node:crypto, one-shot and synchronous; RFC 8785 by the reference `canonicalize` package. */
import canonicalize from "canonicalize"
import { Layer } from "effect"
import { createHash, hash } from "node:crypto"
import { Digest } from "../../src/audit/index.ts"

/** The digest of this process. */
export const digest: Digest.Digest["Service"] = {
  // Every `Schema.Json` has a canonical form; only `undefined` and functions have none.
  canonical: (value) => canonicalize(value) as string,
  sha256: (text) => hash("sha256", text, "hex") as Digest.Hash,
  sha256Bytes: (bytes) => createHash("sha256").update(bytes).digest()
}

/** The digest as a service. */
export const layer: Layer.Layer<Digest.Digest> = Layer.succeed(Digest.Digest, digest)
