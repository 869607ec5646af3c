/** Servers and their tools as operators see them. Everything that a server says of itself is a stranger's text. */
import { Schema } from "effect"
import { Digest } from "../audit/index.ts"
import { Flow, Label } from "../trust/index.ts"
import type { Pinnable } from "./Definition.ts"
import * as Names from "./Names.ts"
import { Status } from "./Peers.ts"
import { type Pin, wasApproved } from "./Pin.ts"
import * as Settings from "./Settings.ts"
import type { Entry } from "./Shelf.ts"

/** How a tool stands. */
export const Standing = Schema.Literals([
  "approved",
  "new",
  "changed",
  "older",
  "stopped",
  "withdrawn",
  "unfit",
  "not let in"
])
export type Standing = typeof Standing.Type

/** Each standing in words that follow the name of the tool. */
export const told: { readonly [S in Standing]: string } = {
  approved: "is approved",
  new: "has a definition that nobody has approved",
  changed: "has another definition than was approved",
  older: "has here a definition that was approved before the present one",
  stopped: "was stopped, for its definition was changed",
  withdrawn: "is approved no longer",
  unfit: "cannot be governed",
  "not let in": "is not let in by the settings"
}

/** A tool of a server. */
export const ToolView = Schema.Struct({
  server: Schema.String,
  tool: Schema.String,
  standing: Standing,
  /** Why it cannot be governed, or what to do about a definition that is older than the approved one; else empty. */
  detail: Schema.String,
  /** What models call it by; empty for one that cannot be governed, like all that follows from its name. */
  name: Schema.String,
  capability: Schema.String,
  reversible: Schema.Boolean,
  sinks: Schema.Array(Flow.Sink),
  trust: Schema.Union([Schema.Literals(["trusted", "untrusted"]), Label.Fields]),
  /** What the server says that it is, and the hash of that; `null` for one that cannot be governed. */
  definition: Schema.NullOr(Schema.Struct({ hash: Digest.Hash, json: Schema.Json })),
  /** What people decided last; `null` when they did not. */
  decided: Schema.NullOr(
    Schema.Struct({ definition: Digest.Hash, by: Schema.String, reason: Schema.String, at: Schema.Natural })
  )
})
export type ToolView = typeof ToolView.Type

/** A server. */
export const ServerView = Schema.Struct({
  server: Schema.String,
  transport: Schema.Literals(["stdio", "http"]),
  /** The program with its arguments, or the URL. */
  target: Schema.String,
  status: Status
})
export type ServerView = typeof ServerView.Type

/** What to do about a definition that is older than the approved one. */
export const renew = "start that server anew"

/** How a definition stands to what people decided. */
export const standingOf = (pin: Pin | undefined, { hash }: Pick<Pinnable, "hash">): Standing => {
  if (pin === undefined) return "new"
  if (pin.state !== "approved") return pin.state
  if (pin.definition === hash) return "approved"
  return wasApproved(pin, hash) ? "older" : "changed"
}

/** A tool as operators see it. */
export const toolOf = (
  server: string,
  settings: Settings.ServerSettings,
  entry: Entry,
  pin: Pin | undefined
): ToolView => {
  const marks = Settings.marksOf(settings, entry.tool)
  const said = marks ?? {}
  const common = {
    server,
    tool: entry.tool,
    reversible: Settings.isReversible(said),
    sinks: Settings.sinksOf(settings, said),
    trust: said.trust ?? "untrusted",
    decided: pin === undefined
      ? null
      : { definition: pin.definition, by: pin.by, reason: pin.reason, at: pin.at }
  }
  if (entry._tag === "Unfit") {
    return { ...common, standing: "unfit", detail: entry.detail, name: "", capability: "", definition: null }
  }
  const { name, pinnable, resource } = entry
  const standing = marks === undefined ? "not let in" : standingOf(pin, pinnable)
  return {
    ...common,
    standing,
    detail: standing === "older" ? `it is older than the approved one: ${renew}, or approve it again by name` : "",
    name,
    capability: Names.capabilityOf(server, resource),
    // A definition was decoded from JSON and has no other values.
    definition: { hash: pinnable.hash, json: pinnable.definition as Schema.Json }
  }
}

/** Whether a tool waits for a word of an operator. To go back to an older definition takes a word about that tool alone. */
export const isWaiting = ({ standing }: Pick<ToolView, "standing">): boolean =>
  standing === "new" || standing === "changed" || standing === "stopped" || standing === "withdrawn"

/** A server as operators see it. */
export const serverOf = (name: string, settings: Settings.ServerSettings, status: Status): ServerView => ({
  server: name,
  transport: "command" in settings ? "stdio" : "http",
  target: "command" in settings ? [settings.command, ...settings.args ?? []].join(" ") : settings.url,
  status
})
