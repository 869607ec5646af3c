/**
 * The hash chain of one session: each row's hash covers the row before it, so that no row can be changed, moved or
 * dropped without every later hash saying so.
 */
import type { Claims } from "../capability/index.ts"
import type { Digest, Hash } from "./Digest.ts"
import { zero } from "./Digest.ts"
import { type Content, type Draft, type Row, version } from "./Row.ts"

/** Where a chain ends: the next row gets `seq` and is linked to `hash`. */
export interface Head {
  readonly seq: number
  readonly hash: Hash
}

/** The head of a chain without rows. */
export const empty: Head = { seq: 0, hash: zero }

/** `SHA-256(prev ‖ canonical(content))`, hex digits of `prev` first. */
export const hash = (digest: Digest["Service"], prev: Hash, content: Content): Hash =>
  digest.sha256(prev + digest.canonical(content))

/** Gives a draft its place after `head`. */
export const seal = (
  digest: Digest["Service"],
  head: Head,
  place: { readonly session: Claims.SessionId; readonly at: number },
  draft: Draft
): Row => {
  const { at, session } = place
  const content: Content = { v: version, session, seq: head.seq, at, key: draft.key, body: draft.body }
  return { ...content, prev: head.hash, hash: hash(digest, head.hash, content) }
}

/** The head after `row`. */
export const after = (row: Row): Head => ({ seq: row.seq + 1, hash: row.hash })
