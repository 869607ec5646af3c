/** Ready compositions. */
export * as AdvisorPreset from "./Advisor.ts"
export { prices } from "./Core.ts"
export * as Distributed from "./Distributed.ts"
export * as Embedded from "./Embedded.ts"
export * as Memory from "./Memory.ts"
