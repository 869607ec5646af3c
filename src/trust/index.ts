/** What comes back from the world, and what of it may be shown. */
export * as Redact from "./Redact.ts"
