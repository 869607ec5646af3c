/** Models that Ollama runs, as a backend. */
export { subject } from "./Check.ts"
export * as Ollama from "./Ollama.ts"
