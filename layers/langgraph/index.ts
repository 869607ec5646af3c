/** Reasoning on LangGraph. */
export * as LangGraph from "./LangGraph.ts"
