/** What comes back from the world, and what of it may be shown. */
export * as Detect from "./Detect.ts"
export * as Drift from "./Drift.ts"
export * as Redact from "./Redact.ts"
export * as Spotlight from "./Spotlight.ts"
