/** Reasoning on LangGraph, and its checkpoints in the session's log. */
export { CheckpointError } from "./Desk.ts"
export * as LangGraph from "./LangGraph.ts"
export * as Saver from "./Saver.ts"
