/** What comes back from the world: where it came from, where it may go, and what of it may be shown. */
export * as Detect from "./Detect.ts"
export * as Drift from "./Drift.ts"
export * as Flow from "./Flow.ts"
export * as Label from "./Label.ts"
export * as Labelled from "./Labelled.ts"
export * as Redact from "./Redact.ts"
export * as Spotlight from "./Spotlight.ts"
export * as Trace from "./Trace.ts"
