/** The user's own Claude Code as a backend. */
export * as ClaudeCode from "./ClaudeCode.ts"
