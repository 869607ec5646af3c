/** What Node itself provides. */
export * as NodeDigest from "./Digest.ts"
export * as NodeEd25519 from "./Ed25519.ts"
