/**
 * What a tool of an MCP server answers, as the log keeps it: every kind of content, within bounds, as data. Images, sounds
 * and files are told by type, size and hash, and their bytes are left out unless the operator wants them kept. Links lead
 * nowhere by themselves: nothing here follows one.
 *
 * Sizes are bytes. Every text in it is a stranger's, unless the operator says otherwise of the tool.
 */
import { Option, Result as Outcome, Schema } from "effect"
import { Base64, Hex } from "effect/encoding"
import type { Digest } from "../audit/index.ts"

const Text = Schema.Struct({ type: Schema.Literal("text"), text: Schema.String })
/** Bytes by what is known of them. */
const bytes = {
  mimeType: Schema.String,
  bytes: Schema.Natural,
  sha256: Schema.String,
  /** Base64; `null` when it is left out. */
  data: Schema.NullOr(Schema.String)
}
const Media = Schema.Struct({ type: Schema.Literals(["image", "audio"]), ...bytes })
const Link = Schema.Struct({
  type: Schema.Literal("link"),
  uri: Schema.String,
  name: Schema.String,
  title: Schema.optionalKey(Schema.String),
  description: Schema.optionalKey(Schema.String),
  mimeType: Schema.optionalKey(Schema.String)
})
const Document = Schema.Struct({
  type: Schema.Literal("document"),
  uri: Schema.String,
  mimeType: Schema.String,
  text: Schema.String
})
const File = Schema.Struct({ type: Schema.Literal("file"), uri: Schema.String, ...bytes })
/** Content of a kind that is not known here. */
const Other = Schema.Struct({ type: Schema.Literal("other"), kind: Schema.String })

export const Item = Schema.Union([Text, Media, Link, Document, File, Other])
export type Item = typeof Item.Type

export const Result = Schema.Struct({
  content: Schema.Array(Item),
  /** What the tool answers as data, of the schema that its definition promises; `null` when it answers none. */
  structured: Schema.NullOr(Schema.Json),
  /** Whether something was cut off. */
  cut: Schema.Boolean
})
export type Result = typeof Result.Type

/** How much of an answer is kept. */
export interface Bounds {
  /** Bytes of all texts together, structured data included. */
  readonly maxResultBytes: number
  /** Bytes of an image, sound or file that is kept whole. */
  readonly keepBytes: number
}

/** Parts of one answer. */
export const maxItems = 256
/** Bytes of a URI, a name or a type. */
export const maxWordBytes = 2048

/** An answer as it came: what it says, and whether the tool says that it failed. */
export const read = (
  digest: Digest.Digest["Service"],
  json: Schema.Json,
  bounds: Bounds
): Outcome.Result<{ readonly result: Result; readonly isError: boolean }, string> =>
  Outcome.flatMap(
    Outcome.mapError(decode(json), () => "it has no content"),
    ({ content, isError, structuredContent }) => {
      const left = { bytes: bounds.maxResultBytes, cut: content.length > maxItems }
      const structured = structuredContent ?? null
      if (structured !== null) {
        const size = sizeOf(JSON.stringify(structured))
        if (size > left.bytes) return Outcome.fail(`its structured content is larger than ${left.bytes} bytes`)
        left.bytes -= size
      }
      const items = content.slice(0, maxItems).map((part) => itemOf(digest, part, bounds, left))
      return Outcome.succeed({ result: { content: items, structured, cut: left.cut }, isError: isError === true })
    }
  )

// internal

interface Left {
  bytes: number
  cut: boolean
}

const decode = Schema.decodeUnknownResult(Schema.Struct({
  content: Schema.Array(Schema.Json),
  structuredContent: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json)),
  isError: Schema.optionalKey(Schema.Boolean)
}))

const optionalText = Schema.optionalKey(Schema.String)
const part = Schema.decodeUnknownOption(Schema.Union([
  Schema.Struct({ type: Schema.Literal("text"), text: Schema.String }),
  Schema.Struct({ type: Schema.Literals(["image", "audio"]), data: Schema.String, mimeType: Schema.String }),
  Schema.Struct({
    type: Schema.Literal("resource_link"),
    uri: Schema.String,
    name: Schema.String,
    title: optionalText,
    description: optionalText,
    mimeType: optionalText
  }),
  Schema.Struct({
    type: Schema.Literal("resource"),
    resource: Schema.Union([
      Schema.Struct({ uri: Schema.String, mimeType: optionalText, text: Schema.String }),
      Schema.Struct({ uri: Schema.String, mimeType: optionalText, blob: Schema.String })
    ])
  })
]))
const kindOf = Schema.decodeUnknownOption(Schema.Struct({ type: Schema.String }))

const itemOf = (digest: Digest.Digest["Service"], json: Schema.Json, bounds: Bounds, left: Left): Item => {
  const known = Option.getOrUndefined(part(json))
  const word = (text: string) => taken(text, left, maxWordBytes)
  if (known === undefined) {
    const kind = Option.match(kindOf(json), { onNone: () => "", onSome: ({ type }) => type })
    return { type: "other", kind: word(kind) }
  }
  const media = (data: string, mimeType: string | undefined) =>
    bytesOf(digest, data, word(mimeType ?? "application/octet-stream"), bounds, left)
  switch (known.type) {
    case "text":
      return { type: "text", text: taken(known.text, left) }
    case "image":
    case "audio": {
      const held = media(known.data, known.mimeType)
      return held === undefined ? { type: "other", kind: known.type } : { type: known.type, ...held }
    }
    case "resource_link": {
      const { description, mimeType, name, title, uri } = known
      return {
        type: "link",
        uri: word(uri),
        name: word(name),
        ...(title === undefined ? {} : { title: word(title) }),
        ...(description === undefined ? {} : { description: taken(description, left) }),
        ...(mimeType === undefined ? {} : { mimeType: word(mimeType) })
      }
    }
    case "resource": {
      const { resource } = known
      const uri = word(resource.uri)
      if ("text" in resource) {
        const mimeType = word(resource.mimeType ?? "text/plain")
        return { type: "document", uri, mimeType, text: taken(resource.text, left) }
      }
      const held = media(resource.blob, resource.mimeType)
      return held === undefined ? { type: "other", kind: "resource" } : { type: "file", uri, ...held }
    }
  }
}

/** As much of a text as there is room for. */
const taken = (text: string, left: Left, most = Infinity): string => {
  const room = Math.min(left.bytes, most)
  const whole = text.toWellFormed()
  const all = encoder.encode(whole)
  if (all.byteLength <= room) {
    left.bytes -= all.byteLength
    return whole
  }
  left.cut = true
  left.bytes -= room
  // A character that was cut through decodes to a mark of its own, which is left out.
  return decoder.decode(all.subarray(0, room)).replace(/\uFFFD$/, "")
}

/** Bytes that came as base64; `undefined` when they did not. */
const bytesOf = (
  digest: Digest.Digest["Service"],
  data: string,
  mimeType: string,
  { keepBytes }: Bounds,
  left: Left
) => {
  const decoded = Outcome.getOrUndefined(Base64.decode(data))
  if (decoded === undefined) return undefined
  const isKept = decoded.byteLength <= keepBytes && data.length <= left.bytes
  if (isKept) left.bytes -= data.length
  return {
    mimeType,
    bytes: decoded.byteLength,
    sha256: Hex.encode(digest.sha256Bytes(decoded)),
    data: isKept ? data : null
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const sizeOf = (text: string): number => encoder.encode(text).byteLength
