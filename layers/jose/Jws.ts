/**
 * One signed text: a JWS in compact form. The algorithm is the caller's, the key is found by `kid` among the caller's,
 * and nothing in the header can change either. Source: RFC 7515 §5.2, RFC 8725 §3.1.
 */
import { Effect, Result } from "effect"
import { compactVerify } from "jose"
import type { KeyObject } from "node:crypto"
import { Tokens } from "../../src/capability/index.ts"
import { fromBase64Url, fromJsonObject } from "./Encoding.ts"
import type { Algorithm } from "./Jwk.ts"

/** Characters of a text that is looked at, at most. */
export const maxLength = 16_384

/** What a text with a good signature says. Whether it was meant for us is still open. */
export interface Verified {
  readonly kid: string
  readonly typ: string | undefined
  readonly payload: Uint8Array
}

/** Checks `compact` by `algorithm` and the key that `find` gives for its `kid`; nothing in it is believed before that. */
export const verifyJws = Effect.fnUntraced(function*(
  compact: string,
  algorithm: Algorithm,
  find: (kid: string) => Effect.Effect<KeyObject | undefined>
): Effect.fn.Return<Verified, Tokens.Malformed | Tokens.Untrusted> {
  const read = yield* Effect.fromResult(parse(compact, algorithm))
  const key = yield* find(read.kid)
  if (key === undefined) return yield* new Tokens.Untrusted({ detail: "no key of ours has this kid" })
  yield* Effect.tryPromise({
    try: () => compactVerify(compact, key, { algorithms: [algorithm] }),
    catch: () => new Tokens.Untrusted({ detail: "the signature does not verify" })
  })
  return read
})

// internal

/** Everything else (`jwk`, `jku`, `x5u`, `x5c`, `crit`, `b64`, `zip`, …) changes how a text is to be verified. */
const members: ReadonlySet<string> = new Set(["alg", "kid", "typ"])

const malformed = (detail: string) => Result.fail(new Tokens.Malformed({ detail }))

const parse = (compact: string, algorithm: Algorithm): Result.Result<Verified, Tokens.Malformed> => {
  if (compact.length > maxLength) return malformed(`longer than ${maxLength} characters`)
  const parts = compact.split(".")
  if (parts.length !== 3) return malformed("not three parts")
  const [head, payload, signature] = parts.map(fromBase64Url)
  if (head === undefined || payload === undefined || signature === undefined) return malformed("not base64url")
  const header = fromJsonObject(head)
  if (header === undefined) return malformed("the header is no JSON object, or names a member twice")
  const { alg, kid, typ } = header
  if (alg !== algorithm) return malformed(`the algorithm is not ${algorithm}`)
  if (Object.keys(header).some((name) => !members.has(name))) {
    return malformed("the header has members that are not ours")
  }
  if (typeof kid !== "string") return malformed("the kid is no text")
  if (typ !== undefined && typeof typ !== "string") return malformed("the typ is no text")
  return Result.succeed({ kid, typ, payload })
}
