/** The backends that the command line can be told to use, with a model of each; a vendor's layer is loaded when it is named. */
import { Effect } from "effect"
import { baseline } from "../../src/agents/advisor/index.ts"
import { type Backend, Plan, type Setup } from "../../src/backend/index.ts"
import type { Fallback, Order } from "../../src/door/cli/index.ts"

/** The model of each, unless another is named. */
export const models = {
  anthropic: "claude-sonnet-5",
  bedrock: "amazon.nova-pro-v1:0",
  "claude-code": "claude-sonnet-5",
  gemini: "gemini-3.5-flash",
  ollama: "llama3.3",
  openai: "gpt-5.5"
} as const

/**
 * The backend that an order names, or the plan of all that it names. Those of a plan that cannot be made are left out, and said
 * to be; one that stands alone must be there.
 */
export const of = ({ fallbacks, ...first }: Pick<Order, "backend" | "model" | "fallbacks">): Effect.Effect<
  Named | Plan.Plan<Order["backend"]>,
  Setup.SetupError
> =>
  fallbacks.length === 0 ? make(first) : Effect.gen(function*() {
    const { missing, plan } = yield* Plan.available(make(first), ...fallbacks.map(make))
    for (const { message } of missing) yield* Effect.logWarning(`left out of the plan: ${message}`)
    return plan
  })

// internal

type Named = Backend.Backend<Order["backend"]>

const make = ({ backend: name, model }: Fallback): Effect.Effect<Named, Setup.SetupError> =>
  name === "offline" ? baseline : makers[name]({ model: model ?? models[name] })

type Maker = (options: Setup.Options) => Effect.Effect<Backend.Backend<Order["backend"]>, Setup.SetupError>

const makers: { readonly [N in keyof typeof models]: Maker } = {
  anthropic: (options) =>
    Effect.flatMap(
      Effect.promise(() => import("../anthropic/index.ts")),
      ({ Anthropic }) => Anthropic.make(options)
    ),
  bedrock: (options) =>
    Effect.flatMap(Effect.promise(() => import("../bedrock/index.ts")), ({ Bedrock }) => Bedrock.make(options)),
  "claude-code": (options) =>
    Effect.flatMap(
      Effect.promise(() => import("../claude-code/index.ts")),
      ({ ClaudeCode }) => ClaudeCode.make(options)
    ),
  gemini: (options) =>
    Effect.flatMap(Effect.promise(() => import("../google/index.ts")), ({ Gemini }) => Gemini.make(options)),
  ollama: (options) =>
    Effect.flatMap(Effect.promise(() => import("../ollama/index.ts")), ({ Ollama }) => Ollama.make(options)),
  openai: (options) =>
    Effect.flatMap(Effect.promise(() => import("../openai/index.ts")), ({ OpenAi }) => OpenAi.make(options))
}
