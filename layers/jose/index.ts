/** Keys and capability tokens by `jose`: the door of this room. */
export * as AnchorSigner from "./AnchorSigner.ts"
export * as Encoding from "./Encoding.ts"
export * as Jwk from "./Jwk.ts"
export * as Jws from "./Jws.ts"
export * as Keys from "./Keys.ts"
export * as KeySet from "./KeySet.ts"
export * as JoseTokens from "./Tokens.ts"
