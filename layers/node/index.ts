/** What Node itself provides. */
export * as AtomicFile from "./AtomicFile.ts"
export * as NodeDigest from "./Digest.ts"
export * as Ed25519 from "./Ed25519.ts"
export * as NodePackages from "./Packages.ts"
