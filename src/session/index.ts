/** Sessions: opened, run, suspended, resumed. */
export * as Approvals from "./Approvals.ts"
export * as Dispatch from "./Dispatch.ts"
