/** Why a call over the bridge has no result. Each reason says whether the tool may have run. */
import { Schema } from "effect"
import * as Content from "./Content.ts"

/** The settings have no such server, or do not let the tool in. Nothing was sent. */
export class NotListed extends Schema.TaggedError<NotListed>()("NotListed", {
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** No operator has approved the definition, or it is another by now. The tool was not called. */
export class NotApproved extends Schema.TaggedError<NotApproved>()("NotApproved", {
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** The definition is none that the bridge can govern. The tool was not called. */
export class Unfit extends Schema.TaggedError<Unfit>()("Unfit", { detail: Schema.String }) {}
/** The server cannot be reached. The tool was not called; a retry can help. */
export class Unreachable extends Schema.TaggedError<Unreachable>()("Unreachable", { detail: Schema.String }) {}
/** The server answered that it did not do it. */
export class Rejected extends Schema.TaggedError<Rejected>()("Rejected", {
  code: Schema.Int,
  detail: Schema.String
}) {}
/** The tool ran and says that it failed, in its own words. */
export class Failed extends Schema.TaggedError<Failed>()("Failed", { said: Content.Result }) {}
/** The call was sent and its answer was lost. Whether the tool ran is not known. */
export class Unanswered extends Schema.TaggedError<Unanswered>()("Unanswered", { detail: Schema.String }) {}
/** The server answered, and it is no result, or not the one that the definition promises. The tool may have run. */
export class Unreadable extends Schema.TaggedError<Unreadable>()("Unreadable", { detail: Schema.String }) {}

/** The one error of this room. */
export class McpError extends Schema.TaggedError<McpError>()("McpError", {
  server: Schema.String,
  /** As the server names it; `null` when it is about the server. */
  tool: Schema.NullOr(Schema.String),
  reason: Schema.Union([NotListed, NotApproved, Unfit, Unreachable, Rejected, Failed, Unanswered, Unreadable])
}) {
  override get message(): string {
    const { reason, server, tool } = this
    const about = tool === null ? `MCP server ${server}` : `tool ${JSON.stringify(tool)} of MCP server ${server}`
    switch (reason._tag) {
      case "NotListed":
      case "NotApproved":
        return `${about} ${reason.detail}; ${reason.remedy}`
      case "Unfit":
        return `${about} is not offered: ${reason.detail}`
      case "Unreachable":
        return `${about} was not called: ${reason.detail}`
      case "Rejected":
        return `${about} was rejected (${reason.code}): ${reason.detail}`
      case "Failed":
        return `${about} failed`
      case "Unanswered":
        return `${about} did not answer: ${reason.detail}`
      case "Unreadable":
        return `${about} gave no readable result: ${reason.detail}`
    }
  }
}

/** The error of a reason. */
export const of = (server: string, tool: string | null, reason: McpError["reason"]): McpError =>
  new McpError({ server, tool, reason })

/** Whether the tool may have run without anybody here knowing what came of it. */
export const isOpen = ({ reason }: McpError): boolean => reason._tag === "Unanswered" || reason._tag === "Unreadable"
