/**
 * How a tool of an MCP server is named here. Its capability is `mcp:SERVER@TOOL`, with the tool's name percent-encoded
 * where the grammar of capabilities has no place for a character: it decodes to the name again. What models call it by is
 * `mcp__SERVER__TOOL`, within what vendors admit; a name that does not fit is shortened and gets a part of its hash, so that
 * different tools have different names.
 */
import { Option, Result, Schema } from "effect"
import type { Digest } from "../audit/index.ts"
import { Capability } from "../capability/index.ts"

/** A server, as the settings name it. No underscore: the name of a tool can be taken apart again. */
export const Server = Schema.String.check(Schema.isPattern(/^[a-z][a-z0-9-]{0,23}$/))

/** The capability of one tool; `tool` is encoded. */
export type CapabilityOf<S extends string, T extends string> = `mcp:${S}@${T}`

/** What models call a tool by, as far as types go: names that do not fit are others at run time, one to one. */
export type NameOf<S extends string, T extends string> = `mcp__${S}__${T}`

/** Characters of a name that models call by. Source: function names of OpenAI, Anthropic and Bedrock. */
export const maxName = 64

/** The encoded name of a tool; `none` when it cannot be a resource of a capability. */
export const encode = (tool: string): Option.Option<string> =>
  Result.getSuccess(Result.try(() => encodeURIComponent(tool))).pipe(
    Option.map((text) => text.replaceAll(/[*'()!~]/g, percent)),
    Option.map((text) => /^\.+$/.test(text) ? text.replaceAll(".", "%2E") : text),
    Option.filter((text) => text !== "" && Capability.isName(`mcp:server@${text}`))
  )

/** The name that was encoded; `none` when the text is no encoding. */
export const decode = (resource: string): Option.Option<string> =>
  Result.getSuccess(Result.try(() => decodeURIComponent(resource))).pipe(
    Option.filter((tool) => Option.contains(encode(tool), resource))
  )

/** The capability of a tool, by its encoded name. */
export const capabilityOf = <S extends string, T extends string>(server: S, resource: T): CapabilityOf<S, T> =>
  `mcp:${server}@${resource}`

/** What models call the tool by. */
export const nameOf = (digest: Digest.Digest["Service"], server: string, tool: string): string => {
  const prefix = `mcp__${server}__`
  if (plain.test(tool) && !hashed.test(tool) && prefix.length + tool.length <= maxName) return prefix + tool
  const hash = digest.sha256(tool.toWellFormed()).slice(0, hashDigits)
  const room = maxName - prefix.length - hashDigits - 1
  return `${prefix}${tool.replaceAll(/[^A-Za-z0-9-]+/g, "_").slice(0, room)}_${hash}`
}

// internal

const hashDigits = 12
const plain = /^[A-Za-z0-9_-]+$/
/** A plain name that looks shortened is shortened too, so that it cannot be taken for another. */
const hashed = /_[0-9a-f]{12}$/

const percent = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
