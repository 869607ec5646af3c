/** OpenAI's Responses API as a backend. */
export { subject } from "./Check.ts"
export * as OpenAi from "./OpenAi.ts"
