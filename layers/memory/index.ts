/** Everything in memory. */
export * as MemoryStore from "./Store.ts"
