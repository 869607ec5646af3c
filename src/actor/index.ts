/** Actors: deterministic functions and reasoning agents under one regime. */
export * as Actor from "./Actor.ts"
export { ActorError } from "./ActorError.ts"
export * as Agent from "./Agent.ts"
export * as DeterministicActor from "./DeterministicActor.ts"
export * as Reasoner from "./Reasoner.ts"
export * as Supervision from "./Supervision.ts"
export * as Timer from "./Timer.ts"
export * as Unfinished from "./Unfinished.ts"
