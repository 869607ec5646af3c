/** Evidence: stamps, citations, the check that they hold, and the guard against going round in circles. */
export * as Claim from "./Claim.ts"
export * as Evidence from "./Evidence.ts"
export * as LoopGuard from "./LoopGuard.ts"
