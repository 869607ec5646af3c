/**
 * Secret values of settings, replaced by a short digest of themselves.
 *
 * The digest keeps a difference visible without showing either side. It is no protection of a guessable value: whoever has
 * the digest can check a guess. When in doubt a value is taken for a secret.
 */
import { Effect } from "effect"
import * as Digest from "effect/crypto/Digest"
import { Redact } from "../../src/trust/index.ts"

/** The value as it may be shown: `redacted:` and 8 hex digits of its SHA-256 for a secret, itself for any other. */
export const redact = Effect.fnUntraced(function*(
  key: string,
  value: string
): Effect.fn.Return<string, never, Digest.Digest> {
  if (value === "") return value
  if (isSecretKey(key, value)) return yield* digestOf(value)
  const login = userinfo.exec(value)
  const rest = login === null ? value : value.replace(userinfo, "$1")
  if (assigned.test(rest) || Redact.redact(rest) !== rest) return yield* digestOf(value)
  if (login === null) return value
  const hidden = yield* digestOf(login[2] ?? "")
  return value.replace(userinfo, (_, scheme: string) => `${scheme}${hidden}@`)
})

// internal

const digestOf = Effect.fnUntraced(function*(value: string) {
  const digest = yield* Digest.Digest
  const hex = yield* digest.digestHex(Digest.sha256, new TextEncoder().encode(value))
  return `redacted:${hex.slice(0, 8)}`
})

const isSecretKey = (key: string, value: string): boolean => {
  if (/passw(?:or)?d|passphrase|pwd|secret|credential/i.test(key)) return true
  // `max_tokens: 4096` is a limit: a plain number or switch under these names is no secret.
  if (/^(?:-?\d+(?:\.\d+)?|true|false|null)$/i.test(value)) return false
  const name = key.split(".").findLast((part) => !/^\d+$/.test(part)) ?? ""
  return secretNames.some((pattern) => pattern.test(name))
}

/** `api_key`, `apiKey`, `apikey`; but neither `key_buffer_size` nor `monkey`. */
const secretNames = [
  /(?:^|[_-])(?:keys?|tokens?|authorization)$/i,
  /[a-z](?:Key|Token)s?$/,
  /(?:api|access|auth|private)(?:key|token)s?$/i
]

/** A login in a URL, up to the last `@`: a password may hold any character. */
const userinfo = /\b([a-z][a-z0-9+.-]*:\/\/)([^\s"']+)@/i

/** A secret inside a connection string or query. */
const assigned = /(?:password|passwd|pwd|secret|token|credential|key|signature|sig)\s*=\s*[^\s;&]/i
