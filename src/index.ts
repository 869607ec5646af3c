/**
 * AOSIQ: reasoning agents and deterministic jobs under one regime. Capabilities, audit, cost and approvals are typed
 * requirements of an Effect program, and are enforced again at run time.
 */
export * from "./actor/index.ts"
export * as Advisor from "./agents/advisor/index.ts"
export * from "./approval/index.ts"
export * from "./audit/index.ts"
export * from "./backend/index.ts"
export * from "./capability/index.ts"
export * from "./cost/index.ts"
export * from "./evidence/index.ts"
export {
  type Action,
  branch,
  Checkpoint,
  Egress,
  type Entered,
  Governor,
  GovernorError,
  layer as layerGovernor,
  Memory,
  Mode,
  type Outcome,
  Permit,
  Refusal,
  Session,
  Store,
  Threads,
  Transition
} from "./governor/index.ts"
export * from "./mcp/index.ts"
export * from "./memory/index.ts"
export * from "./operator/index.ts"
export * from "./proposal/index.ts"
export * from "./session/index.ts"
export * from "./tool/index.ts"
export { SaveTicket, SaveTicketTool } from "./tool/native/index.ts"
export * from "./trust/index.ts"
