/** The operations that the MCP server stands on: those of the desk in this process, or of the process that holds the data. */
import { Effect } from "effect"
import { RpcClient, type RpcClientError, type RpcGroup } from "effect/rpc"
import { Asker, type Desk, Explain, Operations } from "../../operator/index.ts"

/** They. */
export type Work = Pick<
  Desk.Shape,
  | "agents_list"
  | "approval_decide"
  | "approvals_list"
  | "audit_query"
  | "audit_verify"
  | "cost_summary"
  | "proposals_get"
  | "proposals_list"
  | "session_control"
  | "session_dispatch"
  | "session_result"
  | "session_rows"
  | "session_show"
  | "sessions_list"
>

/** The operations by message. */
export type Client = RpcClient.RpcClient<RpcGroup.Rpcs<typeof Operations.Operations>, RpcClientError.RpcClientError>

/** In whose name a process asks another: a caller's, by its token, or that of whoever sits at the keyboard. */
export type As = { readonly token: string } | { readonly by: string }

/** The operations of the process at the other end, which finds out itself who asks. */
export const over = (client: Client, as: As): Work => {
  const told = telling(as)
  return {
    agents_list: () => told(client.agents_list()),
    approval_decide: (payload) => told(client.approval_decide(payload)),
    approvals_list: (payload) => told(client.approvals_list(payload)),
    audit_query: (payload) => told(client.audit_query(payload)),
    audit_verify: () => told(client.audit_verify()),
    cost_summary: () => told(client.cost_summary()),
    proposals_get: (payload) => told(client.proposals_get(payload)),
    proposals_list: (payload) => told(client.proposals_list(payload)),
    session_control: (payload) => told(client.session_control(payload)),
    session_dispatch: (payload) => told(client.session_dispatch(payload)),
    session_result: (payload) => told(client.session_result(payload)),
    session_rows: (payload) => told(client.session_rows(payload)),
    session_show: (payload) => told(client.session_show(payload)),
    sessions_list: (payload) => told(client.sessions_list(payload))
  }
}

/** Who that process takes us for. */
export const self = (client: Client, as: As): Effect.Effect<Asker.Identity, Operations.OperationError> =>
  telling(as)(client.caller_self())

// internal

const telling = (as: As) => <A, E>(ask: Effect.Effect<A, E>): Effect.Effect<A, Operations.OperationError> =>
  Effect.mapError(RpcClient.withHeaders(ask, headersOf(as)), (error) =>
    error instanceof Operations.OperationError
      ? error
      : new Operations.OperationError({
        kind: "unavailable",
        detail: `the process that holds the data did not answer: ${Explain.explain(error).detail}`,
        remedy: "see whether it runs, and look how things stand before you ask again"
      }))

const headersOf = (as: As) => "token" in as ? { [Asker.tokenHeader]: as.token } : { [Asker.header]: as.by }
