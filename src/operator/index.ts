/** What operators see and do. */
export * as Explain from "./Explain.ts"
export * as Operations from "./Operations.ts"
