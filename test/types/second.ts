/** Second opinions come from a list of their own: whoever is not on it does not give one, and who demands one gets one. */
import type { Effect } from "effect"
import { Agent } from "../../src/actor/index.ts"
import type { Gate } from "../../src/approval/index.ts"
import type { Backend, Plan } from "../../src/backend/index.ts"
import type { Capability } from "../../src/capability/index.ts"
import { Read, texts } from "./definitions.ts"

declare const ollama: Backend.Backend<"ollama">
declare const openai: Backend.Backend<"openai">
declare const anthropic: Backend.Backend<"anthropic">
declare const some: Backend.Backend<Backend.Name>

const asking = {
  ...texts,
  tools: [Read],
  instructions: "answer",
  task: (question: string) => question,
  backends: ["ollama"]
} as const
const Alone = Agent.make("Alone", asking)
const Judged = Agent.make("Judged", { ...asking, secondOpinion: { backends: ["openai"] } })
const Escalating = Agent.make("Escalating", {
  ...asking,
  secondOpinion: { backends: ["openai", "anthropic"], escalates: true }
})

export const alone = Agent.on(Alone, ollama)
export const judged = Agent.on(Judged, ollama, openai)
export const escalating = Agent.on(Escalating, ollama, anthropic)

// @ts-expect-error Type '"anthropic"' is not assignable to type '"openai"'
export const stranger = Agent.on(Judged, ollama, anthropic)
// @ts-expect-error is not assignable to type '"openai"'
export const anyone = Agent.on(Judged, ollama, some)
// The backend that may reason is not by that one that may judge, and the other way round.
// @ts-expect-error Type '"ollama"' is not assignable to type '"openai"'
export const itself = Agent.on(Judged, ollama, ollama)
// @ts-expect-error Type '"openai"' is not assignable to type '"ollama"'
export const reviewerReasons = Agent.on(Judged, openai, openai)
// @ts-expect-error Expected 3 arguments, but got 2
export const nobody = Agent.on(Judged, ollama)
// @ts-expect-error Expected 2 arguments, but got 3
export const unasked = Agent.on(Alone, ollama, openai)
// @ts-expect-error Type '"opnai"' is not assignable to type
export const misspelt = Agent.make("Judged", { ...asking, secondOpinion: { backends: ["opnai"] } })

declare const either: Plan.Plan<"openai" | "anthropic">
export const planned = Agent.on(Escalating, ollama, either)
// @ts-expect-error is not assignable to type '"openai"'
export const overplanned = Agent.on(Judged, ollama, either)

/** What the body of an actor needs. */
type Needs<Made> = Made extends Effect.Effect<infer A, infer _E, infer _R>
  ? A extends { readonly run: (...input: never) => Effect.Effect<infer _A, infer _F, infer R> } ? R : never
  : never
type Has<All, Wanted> = [Extract<All, Wanted>] extends [never] ? false : true

// Who has people decide needs the gate; who does not, does not.
export const gated: Has<Needs<typeof escalating>, Gate.Gate> = true
export const ungated: Has<Needs<typeof judged>, Gate.Gate> = false
// @ts-expect-error Type 'false' is not assignable to type 'true'
export const hidden: Has<Needs<typeof escalating>, Gate.Gate> = false
// Both backends are asked for as capabilities: the grant that starts it must hold them.
export const reviewed: Has<Needs<typeof judged>, Capability.Capabilities<"backend:openai">> = true
// @ts-expect-error Type 'false' is not assignable to type 'true'
export const free: Has<Needs<typeof judged>, Capability.Capabilities<"backend:openai">> = false

const severe = (output: string) => output === "severe"
export const needed = Agent.make("Judged", { ...asking, secondOpinion: { backends: ["openai"], needs: severe } })
const wrong = (output: number) => output > 1
// @ts-expect-error is not assignable to type '(output: string) => boolean'
export const misjudged = Agent.make("Judged", { ...asking, secondOpinion: { backends: ["openai"], needs: wrong } })
