/** OpenAI's Responses API as a backend. */
export * as OpenAi from "./OpenAi.ts"
