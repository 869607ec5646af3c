/** Anthropic's Messages API as a backend, and the reading of its streams for whoever else hands them on. */
export * as Anthropic from "./Anthropic.ts"
export { question, subject } from "./Check.ts"
export * as MessagesEvents from "./Events.ts"
