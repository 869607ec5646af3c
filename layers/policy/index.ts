/** The policy on labels as a file that people review: the door of this room. */
export * as PolicyFile from "./PolicyFile.ts"
