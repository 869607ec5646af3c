/** The operations that read: the log and what proves it, proposals, accounts; and who asks. */
import { Effect, Option, Stream } from "effect"
import {
  Alerts,
  type Anchor,
  Anchoring,
  Bundle,
  type Cosigning,
  Digest,
  Log,
  Note,
  type Signer,
  Verify
} from "../audit/index.ts"
import { Evidence } from "../evidence/index.ts"
import { Store } from "../governor/index.ts"
import type { Desk } from "./Desk.ts"
import { failed } from "./Failure.ts"
import { may, mayStream } from "./May.ts"
import { maxRows } from "./Operations.ts"
import * as Proposals from "./Proposals.ts"
import * as Seen from "./Seen.ts"

/** They, for an installation that signs with `keys`. */
export const make = (keys: ReadonlyArray<Note.Key>) =>
  Effect.gen(function*() {
    const store = yield* Store.Store
    const log = yield* Log.Log
    const alerts = yield* Alerts.Alerts
    const anchoring = yield* Anchoring.Anchoring
    const digest = yield* Digest.Digest
    const evidence = yield* Evidence.Evidence
    const seen = Seen.make(log)
    const verifying = yield* Effect.context<
      Anchor.Anchors | Cosigning.Witnesses | Digest.Digest | Log.Log | Signer.Verifier
    >()

    return {
      alerts_list: may("alerts_list", () => alerts.list),
      audit_keys: may("audit_keys", () => Effect.sync(() => keys.map((key) => Note.formatKey(digest, key)))),
      audit_verify: may("audit_verify", () =>
        Effect.gen(function*() {
          // What happened up to now is anchored first, so that the verdict covers it. On top of anchors that do not hold
          // nothing is: then the verdict says so.
          yield* Effect.catchIf(anchoring.take, isInconsistent, () => Effect.undefined)
          return yield* Verify.online({ keys, sessions: "all" })
        }).pipe(Effect.provideContext(verifying), Effect.mapError(failed))),
      audit_export: mayStream("audit_export", ({ payloads }: { readonly payloads: boolean }) =>
        Stream.provideContext(Bundle.write({ sessions: "all", payloads, keys }), verifying).pipe(
          Stream.mapError(failed)
        )),
      audit_query: may("audit_query", ({ caller, kind, limit = maxRows, session, since }) =>
        Effect.mapError(log.trail({ since, session, caller, kind, limit: Math.min(limit, maxRows) }), failed)),
      cost_summary: may("cost_summary", () =>
        Effect.mapError(store.accounts, failed)),
      proposals_list: may("proposals_list", ({ latest }) =>
        Effect.gen(function*() {
          const ended = yield* log.page({ newest: true, hasResult: true, limit: latest ?? Number.MAX_SAFE_INTEGER })
          const found = yield* Effect.forEach(ended, seen.proposal)
          return found.flatMap((one) =>
            Option.toArray(one)
          )
        }).pipe(Effect.mapError(failed))),
      proposals_get: may("proposals_get", ({ session }) =>
        Effect.andThen(seen.find(session), Effect.mapError(Proposals.of(log, evidence, session), failed))),
      caller_self: may("caller_self", (_, asker) =>
        Effect.succeed(asker))
    } satisfies Partial<Desk["Service"]>
  })

// internal

const isInconsistent = (error: Anchoring.AnchoringError): boolean =>
  error._tag === "AnchorError" && error.reason._tag === "Inconsistent"
