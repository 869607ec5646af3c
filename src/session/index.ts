/** Sessions: opened, run, suspended, resumed. */
export * as Approvals from "./Approvals.ts"
export * as Cluster from "./Cluster.ts"
export * as Dispatch from "./Dispatch.ts"
export * as Mailbox from "./Mailbox.ts"
export * as Runs from "./Runs.ts"
export * as Unknowns from "./Unknowns.ts"
