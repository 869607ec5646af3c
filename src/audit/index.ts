/** The log: chain, journal and evidence in one. */
export * as Chain from "./Chain.ts"
export * as Digest from "./Digest.ts"
export * as Log from "./Log.ts"
export * as Merkle from "./Merkle.ts"
export * as Note from "./Note.ts"
export * as Row from "./Row.ts"
export * as Signer from "./Signer.ts"
