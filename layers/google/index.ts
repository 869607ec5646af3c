/** Google's Gemini API as a backend. */
export { subject } from "./Check.ts"
export * as Gemini from "./Gemini.ts"
