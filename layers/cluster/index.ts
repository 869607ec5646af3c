/** Where sessions run: one process, or many. */
export * as Retention from "./Retention.ts"
export * as Runners from "./Runners.ts"
export * as Settings from "./Settings.ts"
