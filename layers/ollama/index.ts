/** Models that Ollama runs, as a backend. */
export * as Ollama from "./Ollama.ts"
