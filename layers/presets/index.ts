/** Ready compositions. */
export * as Memory from "./Memory.ts"
