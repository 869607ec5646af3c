/** Models, behind one governed call. */
export * as Backend from "./Backend.ts"
export * as Offline from "./Offline.ts"
export * as Recorded from "./Recorded.ts"
export * as Scripted from "./Scripted.ts"
