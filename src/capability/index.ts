/** Capabilities, grants and tokens: who may do what, and how that only shrinks. */
export * as Capability from "./Capability.ts"
export * as Claims from "./Claims.ts"
export { defaultTerms, type Fits, Grant, NotHeld, type Subset, type Terms } from "./Grant.ts"
export * as Template from "./Template.ts"
export * as Tokens from "./Tokens.ts"
