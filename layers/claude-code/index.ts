/** The user's own Claude Code as a backend. */
export { subject } from "./Check.ts"
export * as ClaudeCode from "./ClaudeCode.ts"
