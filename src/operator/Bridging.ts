/** The operations about tools of MCP servers: which there are, and which definitions are approved. */
import { Effect } from "effect"
import { Bridge } from "../mcp/index.ts"
import type { Desk } from "./Desk.ts"
import { failed } from "./Failure.ts"
import { may } from "./May.ts"

/** They, over the bridge. */
export const make = Effect.map(Bridge, (bridge) => ({
  mcp_servers: may("mcp_servers", () => bridge.servers),
  mcp_tools: may("mcp_tools", ({ server }) => Effect.mapError(bridge.shelf(server), failed)),
  mcp_approve: may(
    "mcp_approve",
    (order, { name: by }) => Effect.mapError(bridge.approve({ ...order, by }), failed)
  ),
  mcp_withdraw: may(
    "mcp_withdraw",
    (order, { name: by }) => Effect.mapError(bridge.withdraw({ ...order, by }), failed)
  )
} satisfies Partial<Desk["Service"]>))
