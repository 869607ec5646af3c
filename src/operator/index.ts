/** What operators see and do. */
export * as Asker from "./Asker.ts"
export * as Desk from "./Desk.ts"
export * as Explain from "./Explain.ts"
export * as May from "./May.ts"
export * as Operations from "./Operations.ts"
export * as Pages from "./Pages.ts"
export * as Permits from "./Permits.ts"
export * as Requests from "./Requests.ts"
