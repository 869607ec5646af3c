/**
 * Which role may ask for which operation, and about whose: the one table. The doors, the guide and the tests read it; no
 * operation is carried out that it does not let through.
 */
import type { Caller } from "../session/index.ts"

/** About whose: anybody's, one's own, nobody's. Own is what a session was dispatched, or a schedule made, by the caller. */
export type Reach = "any" | "own" | "none"

/** How far each role reaches. */
export type Permit = { readonly [R in Caller.Role]: Reach }

const everybody: Permit = { viewer: "any", operator: "any", approver: "any", admin: "any" }
const running: Permit = { viewer: "none", operator: "own", approver: "none", admin: "any" }
const deciding: Permit = { viewer: "none", operator: "none", approver: "any", admin: "any" }
const governing: Permit = { viewer: "none", operator: "none", approver: "none", admin: "any" }

/** The table. */
export const permits = {
  agents_list: everybody,
  alerts_list: everybody,
  approval_decide: deciding,
  approval_show: everybody,
  approvals_list: everybody,
  audit_export: governing,
  audit_keys: everybody,
  audit_query: everybody,
  audit_verify: everybody,
  caller_add: governing,
  caller_bind: governing,
  caller_revoke: governing,
  caller_rotate: governing,
  caller_self: everybody,
  callers_list: governing,
  cost_summary: everybody,
  dead_letter: everybody,
  dead_letter_decide: running,
  dead_letters_list: everybody,
  mcp_approve: deciding,
  mcp_servers: everybody,
  mcp_tools: deciding,
  mcp_withdraw: deciding,
  proposals_get: everybody,
  proposals_list: everybody,
  rule_approve: deciding,
  rule_make: deciding,
  rule_revoke: deciding,
  rules_list: everybody,
  schedule_add: running,
  schedule_control: running,
  schedule_history: everybody,
  schedule_run: running,
  schedules_list: everybody,
  session_control: running,
  session_dispatch: running,
  session_endorse: deciding,
  session_fork: running,
  session_result: everybody,
  session_revoke: running,
  session_rows: everybody,
  session_show: everybody,
  session_tape: running,
  sessions_list: everybody,
  unknown_list: everybody,
  unknown_settle: running
} as const satisfies { readonly [operation: string]: Permit }

/** The operations by name. */
export type Operation = keyof typeof permits

/** Whether `role` may ask for the operation, about what is its own or somebody else's. */
export const admits = (operation: Operation, role: Caller.Role, isOwn: boolean): boolean => {
  const reach = permits[operation][role]
  return reach === "any" || (reach === "own" && isOwn)
}
