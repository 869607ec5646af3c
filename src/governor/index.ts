/** The choke point: everything an actor does passes here, once. */
export type { Action, Bill, Codec, Idempotency, Outcome, Probed, Unready } from "./Action.ts"
export { entered } from "./Call.ts"
export * as Checkpoint from "./Checkpoint.ts"
export * as Egress from "./Egress.ts"
export { endorse, type Purpose } from "./Endorse.ts"
export * as Flowing from "./Flowing.ts"
export { Governor, layer } from "./Governor.ts"
export * as Lost from "./Lost.ts"
export * as Memory from "./Memory.ts"
export * as Mode from "./Mode.ts"
export { Permit } from "./Permit.ts"
export * as Received from "./Received.ts"
export * as Refusal from "./Refusal.ts"
export { GovernorError } from "./Refusal.ts"
export {
  type ActorClass,
  branch,
  enter,
  Entered,
  isTainted,
  journal,
  memory,
  readersOf,
  type Recorded,
  running,
  Session,
  within
} from "./Session.ts"
export { maxCited } from "./Show.ts"
export * as Store from "./Store.ts"
export * as Threads from "./Threads.ts"
export * as Transition from "./Transition.ts"
