/** Everything in memory. */
export * as MemoryRequests from "./Requests.ts"
export * as MemoryStore from "./Store.ts"
