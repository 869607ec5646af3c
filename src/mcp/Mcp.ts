/** What programs use of the bridge: its tools, their handlers, and actors that follow approvals. */
export * from "./Bridge.ts"
export * from "./Following.ts"
export type { AnyGoverned, Governed, Origin } from "./Governed.ts"
