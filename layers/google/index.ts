/** Google's Gemini API as a backend. */
export * as Gemini from "./Gemini.ts"
