/** An agent runs on the backends of its list, and the list holds backends that exist. */
import { Agent } from "../../src/actor/index.ts"
import type { Backend, Plan } from "../../src/backend/index.ts"
import { Read, texts } from "./definitions.ts"

declare const ollama: Backend.Backend<"ollama">
declare const openai: Backend.Backend<"openai">
declare const some: Backend.Backend<Backend.Name>

const asking = { ...texts, tools: [Read], instructions: "answer", task: (question: string) => question }
const Asker = Agent.make("Asker", { ...asking, backends: ["ollama", "anthropic"] })

export const listed = Agent.on(Asker, ollama)
// @ts-expect-error Type '"openai"' is not assignable to type '"anthropic" | "ollama"'
export const unlisted = Agent.on(Asker, openai)
// @ts-expect-error is not assignable to type '"anthropic" | "ollama"'
export const unknown = Agent.on(Asker, some)
// @ts-expect-error Type '"olama"' is not assignable to type '"anthropic" | "bedrock" | "claude-code" | "gemini"
export const misspelt = Agent.make("Asker", { ...asking, backends: ["olama"] })

declare const either: Plan.Plan<"ollama" | "anthropic">
declare const wider: Plan.Plan<"ollama" | "openai">
export const planned = Agent.on(Asker, either)
// @ts-expect-error is not assignable to type '"anthropic" | "ollama"'
export const overplanned = Agent.on(Asker, wider)
