/**
 * Strict readings of base64url and JSON. One value has one spelling: what a lenient decoder would mend, or silently
 * choose from, is not read at all.
 */

/** The bytes of unpadded base64url (RFC 4648 §5); `undefined` for any spelling that an encoder would not write. */
export const fromBase64Url = (text: string): Uint8Array | undefined => {
  const bytes = Buffer.from(text, "base64url")
  return bytes.toString("base64url") === text ? bytes : undefined
}

/**
 * The JSON object in `bytes`, UTF-8 without a byte-order mark; `undefined` for anything else, and when an object at any
 * depth names a member twice: `JSON.parse` would keep the last, and another reader the first.
 */
export const fromJsonObject = (bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined => {
  try {
    const text = utf8.decode(bytes)
    const value: unknown = JSON.parse(text)
    return isRecord(value) && !repeatsMember(text) ? value : undefined
  } catch {
    return undefined
  }
}

/** Whether `value` is a JSON object. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

// internal

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** A string, with the colon that makes it the name of a member; or the start or end of an object. */
const nameOrBrace = /"((?:[^"\\]|\\.)*)"(\s*:)?|[{}]/g

/** Right only for a text that `JSON.parse` accepts. */
const repeatsMember = (json: string): boolean => {
  const open: Array<Set<unknown>> = []
  for (const [token, name, colon] of json.matchAll(nameOrBrace)) {
    if (token === "{") open.push(new Set())
    else if (token === "}") open.pop()
    else if (colon !== undefined) {
      // Two spellings of one name, `a` and `\u0061`, are one name.
      const decoded: unknown = JSON.parse(`"${name}"`)
      const members = open.at(-1)
      if (members === undefined || members.has(decoded)) return true
      members.add(decoded)
    }
  }
  return false
}
