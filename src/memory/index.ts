/** What sessions remember. */
export * as WorkingMemory from "./WorkingMemory.ts"
export { MemoryError } from "./WorkingMemory.ts"
