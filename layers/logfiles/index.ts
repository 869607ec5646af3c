/** Log files as a source of the advisor: the door of this room. */
export * as Access from "./Access.ts"
export * as LogFiles from "./LogFiles.ts"
