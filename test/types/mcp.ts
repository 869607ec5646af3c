/** A tool of an MCP server requires its own capability and a gate, like any tool that may not be undone. */
import type { Effect } from "effect"
import type { Gate } from "../../src/approval/index.ts"
import type { Capability, Fits, Grant } from "../../src/capability/index.ts"
import type { Mcp, McpNames } from "../../src/mcp/index.ts"
import type { Tool } from "../../src/tool/index.ts"

declare const write: Mcp.Governed<McpNames.NameOf<"files", "write_file">, McpNames.CapabilityOf<"files", "write_file">>
declare const any: Mcp.Governed<McpNames.NameOf<"files", string>, "mcp:files">

type Needed<T extends Tool.Any> = Effect.Services<ReturnType<typeof Tool.call<T>>>
type Caps<T extends Tool.Any> = Capability.Needs<Needed<T>>

// --- what is required --------------------------------------------------------

export const gated: Extract<Needed<typeof write>, Gate.Gate> extends never ? false : true = true
export const own: "mcp:files@write_file" = "mcp:files@write_file" satisfies Caps<typeof write>

declare const covers: <Held extends string>(grant: Grant<Held> & Fits<Caps<typeof write>, Held>) => void
declare const coversAll: <Held extends string>(grant: Grant<Held> & Fits<Caps<typeof any>, Held>) => void
declare const one: Grant<"mcp:files@write_file">
declare const whole: Grant<"mcp:files">
declare const other: Grant<"mcp:files@read_file">
declare const elsewhere: Grant<"mcp:tracker">

covers(one)
covers(whole)
coversAll(whole)

// --- what does not do --------------------------------------------------------

// @ts-expect-error mcp:files@write_file
covers(other)
// @ts-expect-error mcp:files@write_file
covers(elsewhere)
// @ts-expect-error mcp:files
coversAll(one)
