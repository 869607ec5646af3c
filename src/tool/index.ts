/** Tools: typed definitions, and handlers that cannot use more than was declared. */
export type { Plain } from "./Tool.ts"
export * as Tool from "./Tool.ts"
