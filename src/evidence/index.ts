/** Evidence: stamps, citations, and the check that they hold. */
export * as Evidence from "./Evidence.ts"
