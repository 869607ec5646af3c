/** MCP servers and their tools, for people. What a server says of itself stands behind bars. */
import type { McpViews } from "../../mcp/index.ts"
import * as Print from "./Print.ts"

/** The servers, as the settings name them. */
export const servers = (list: ReadonlyArray<McpViews.ServerView>): string =>
  list.length === 0
    ? "no MCP servers are let in; AOSIQ_MCP names the file that does"
    : [
      Print.table(
        ["server", "over", "state", "starts", "calls itself", "target"],
        list.map(({ server, status, target, transport }) => [
          server,
          transport,
          status.state,
          String(status.starts),
          status.about === null ? "-" : `${status.about.name} ${status.about.version}`,
          target
        ])
      ),
      ...list.flatMap(({ server, status }) =>
        [
          ...status.trouble === null ? [] : [`${server}: ${status.trouble}`],
          ...status.noise === 0 ? [] : [`${server}: wrote ${status.noise} lines that are no messages`],
          ...Object.entries(status.refused).map(([method, times]) =>
            `${server}: asked for ${method} ${times} times, and was refused`
          )
        ].map(Print.line)
      )
    ].join("\n")

/** The tools of a server. */
export const tools = (list: ReadonlyArray<McpViews.ToolView>): string =>
  list.length === 0
    ? "the server has no tools"
    : Print.table(
      ["tool", "standing", "undone", "sends", "definition", "capability or reason"],
      list.map(({ capability, definition, detail, reversible, sinks, standing, tool }) => [
        tool,
        standing,
        reversible ? "yes" : "no",
        sinks.length === 0 ? "-" : sinks.join(","),
        definition === null ? "-" : definition.hash.slice(0, 12),
        detail === "" ? capability : detail
      ])
    )

/** One tool, with its definition to the letter. */
export const tool = (view: McpViews.ToolView): string =>
  Print.lines([
    `tool        ${view.server} ${view.tool} (${view.standing}${view.detail === "" ? "" : `: ${view.detail}`})`,
    `capability  ${view.capability}`,
    `models call ${view.name}`,
    `approval    ${view.reversible ? "none: the operator says that it can be undone" : "each call waits for a person"}`,
    `effects     ${view.sinks.length === 0 ? "none" : view.sinks.join(", ")}`,
    `results     ${typeof view.trust === "string" ? view.trust : "by field"}`,
    ...view.decided === null
      ? ["decided     nothing yet"]
      : [
        `decided     ${view.decided.definition.slice(0, 12)} by ${view.decided.by}, ${Print.time(view.decided.at)} UTC${
          view.decided.reason === "" ? "" : `: ${view.decided.reason}`
        }`
      ],
    ...view.definition === null
      ? []
      : [
        `definition  ${view.definition.hash}`,
        ...JSON.stringify(view.definition.json, null, 2).split("\n").map((line) => `    | ${line}`)
      ]
  ])
