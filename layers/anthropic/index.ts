/** Anthropic's Messages API as a backend. */
export * as Anthropic from "./Anthropic.ts"
