/**
 * Rows in the chain of the installation. The chain is begun with the first of them; nothing runs in it, so it has
 * neither token nor accounts.
 */
import { Clock, Effect } from "effect"
import { Digest, Installation, type Log, type Row } from "../audit/index.ts"
import { Claims } from "../capability/index.ts"
import type { Governor, Store } from "../governor/index.ts"

/** What a chain is begun with. */
export interface Parts {
  readonly store: Store.Store["Service"]
  readonly digest: Digest.Digest["Service"]
  readonly mode: Governor["Service"]["mode"]
}

/** Appends a row, with the records that change with it; begins the chain if it was not there. */
export const recording = (parts: Parts) =>
(
  body: Row.Body,
  keep: ReadonlyArray<Store.Change>,
  payloads: ReadonlyArray<Store.Payload> = []
) => {
  const append = parts.store.commit({
    _tag: "Append",
    session: Installation.id,
    epoch: null,
    row: { key: null, body },
    payloads,
    status: null,
    result: null,
    keep
  })
  return Effect.asVoid(
    Effect.catchIf(append, (error) => why(error) === "no_such_session", () => Effect.andThen(begun(parts), append))
  )
}

/** Begins the chain, unless somebody has. */
export const begun = ({ digest, mode, store }: Parts): Effect.Effect<void, Store.StoreError> =>
  Effect.gen(function*() {
    const open = opening(digest, mode, yield* Clock.currentTimeMillis)
    yield* Effect.catchIf(store.commit(open), (error) => why(error) === "session_exists", () => Effect.void)
  })

/** Why a commit was turned down; `undefined` when the store did not answer. */
export const why = ({ reason }: Store.StoreError): Store.Rejected["why"] | undefined =>
  reason._tag === "Rejected" ? reason.why : undefined

// internal

const opening = (
  digest: Digest.Digest["Service"],
  mode: Governor["Service"]["mode"],
  startedAt: number
): Store.Open => {
  const input = digest.sha256("null")
  const session: Log.Summary = {
    id: Installation.id,
    actor: Installation.actor,
    parent: null,
    caller: Installation.actor,
    accounts: [],
    status: "standing",
    epoch: 0,
    seq: 0,
    head: Digest.zero,
    token: "",
    input,
    result: null,
    startedAt
  }
  const genesis: Store.Open["genesis"] = {
    key: null,
    body: {
      kind: "genesis",
      actor: Installation.actor,
      token: Claims.TokenId.make("none"),
      parent: null,
      caller: Installation.actor,
      mode,
      input,
      definition: Digest.zero
    }
  }
  return { _tag: "Open", session, genesis, accounts: [], payloads: [{ hash: input, text: "null" }] }
}
