/** The servers of the settings in force, and checks of what they say. Where there are none, nothing is loaded for them. */
import { type Config, Effect, Layer, Result } from "effect"
import { McpChecker, McpError, McpFailure, McpPeers, McpSettings } from "../../src/mcp/index.ts"

/** Servers and checks. */
export const layer: Layer.Layer<McpPeers.Peers | McpChecker, Config.ConfigError> = Layer.unwrap(
  Effect.gen(function*() {
    const { servers } = yield* McpSettings.Current
    if (Object.keys(servers).length === 0) return nobody
    const { AjvChecker, SdkPeers } = yield* Effect.promise(() => import("./Loaded.ts"))
    return Layer.merge(AjvChecker.layer, SdkPeers.layer)
  })
)

// internal

const absent = (server: string) => {
  const reason = new McpFailure.NotListed({ detail: "is not in the settings", remedy: "see docs/guide/mcp.md" })
  return Effect.fail(new McpError({ server, tool: null, reason }))
}

const nobody = Layer.mergeAll(
  Layer.succeed(McpPeers.Peers, { list: absent, call: absent, status: () => Effect.succeed(McpPeers.idle) }),
  Layer.succeed(McpChecker, { compile: () => Result.fail({ detail: "no server is let in", isSlow: false }) })
)
