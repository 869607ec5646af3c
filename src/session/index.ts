/** Sessions: opened, run, suspended, resumed; and what starts them by itself. */
export * as Approvals from "./Approvals.ts"
export * as Cluster from "./Cluster.ts"
export * as Dispatch from "./Dispatch.ts"
export * as Mailbox from "./Mailbox.ts"
export * as Runs from "./Runs.ts"
export * as Schedule from "./Schedule.ts"
export * as When from "./When.ts"
