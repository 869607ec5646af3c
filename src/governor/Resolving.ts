/**
 * What becomes of an act whose outcome was lost: the tool's probe is asked, or the act is done once more under its key, or
 * an operator is left to say. What is found out is a row, and settles what the attempt holds.
 */
import { Clock, Effect, Option } from "effect"
import { type Gate, Ticket } from "../approval/index.ts"
import { type Digest, Row } from "../audit/index.ts"
import { type Detected, Label } from "../trust/index.ts"
import type { Action, Outcome, Probed } from "./Action.ts"
import type * as Asking from "./Asking.ts"
import { again, type Call, fail, type Identified, keyOf, type LostAttempt, type Named, payload } from "./Call.ts"
import type * as Flowing from "./Flowing.ts"
import * as Lost from "./Lost.ts"
import type * as Mode from "./Mode.ts"
import * as Received from "./Received.ts"
import { AwaitingSettlement, endsRun, GovernorError, HandlerBroken } from "./Refusal.ts"
import type { Refusals } from "./Refusals.ts"
import { learn, see, Session } from "./Session.ts"
import type { Payload, Settle, Store } from "./Store.ts"

/** What it is found out with. */
export interface Parts {
  readonly store: Store["Service"]
  readonly digest: Digest.Digest["Service"]
  readonly gate: Option.Option<Gate.Gate["Service"]>
  readonly mode: Mode.Mode
  readonly scan: Detected.Scan
  readonly refusals: Refusals
  readonly flowing: ReturnType<typeof Flowing.make>
  readonly drafted: ReturnType<typeof Asking.make>["drafted"]
  /** Admits, records and runs one act: a probe is one of its own. */
  readonly act: <Args, A, E, R>(
    action: Action<Args, A, E, R> & Identified
  ) => Effect.Effect<Outcome<A>, E | GovernorError, R | Session>
}

/** Gives what resolves a lost attempt. */
export const make = ({ act, digest, drafted, flowing, gate, mode, refusals: { stored }, scan, store }: Parts) => {
  /**
   * What became of an attempt that may have taken effect, as far as the tool offers to find out. `undefined`: it may be
   * done once more. Else the run ends, and an operator is asked.
   */
  const resolve = Effect.fnUntraced(function*<Args, A, E, R>(
    action: Action<Args, A, E, R>,
    call: Call & { readonly args: Args },
    lost: LostAttempt
  ): Effect.fn.Return<Outcome<A> | undefined, E | GovernorError, R | Session> {
    // Under another definition, what this one says of keys and probes was not yet so.
    const tells = lost.schema === action.schema && call.attempt < Lost.maxRepeats
    const found = tells && action.probe !== undefined ? yield* look(action, call, action.probe) : undefined
    if (found?._tag === "Done") return yield* settleDone(action, call, lost, found.result)
    if (found?._tag === "NotDone") {
      const reason = "its probe found that it did not take effect"
      yield* settle(action, call, lost, { choice: "retry", from: "probe", by: action.name, reason, result: null }, 0)
      return again(call)
    }
    const now = yield* Clock.currentTimeMillis
    if (tells && Lost.isKeyed(action.idempotent, call.firstAt ?? now, now)) {
      const ticket = yield* covering(action, call)
      if (ticket !== null || mode !== "enforced") return again(call, ticket)
    }
    const name = Lost.nameOf(call.session.id, lost.intent)
    const remedy = `an operator says what became of it: aosiq unknown show ${name}`
    return yield* fail(action, new AwaitingSettlement({ unknown: name, detail: lost.why, remedy }))
  })

  /** The approval that a lost attempt was made on, if it still stands: the same act under the same key needs no other. */
  const covering = Effect.fnUntraced(function*<Args, A, E, R>(action: Action<Args, A, E, R>, call: Call) {
    if (Option.isNone(gate)) return null
    const lost = yield* stored(action, store.lost(call.session.id))
    const id = lost.find(({ key }) => key === keyOf(call))?.ticket
    const ticket = id === undefined || id === null
      ? undefined
      : yield* stored(action, store.ticket(Ticket.TicketId.make(id)))
    call.flow ??= yield* flowing.look(action, call)
    const { binding } = yield* drafted(action, call, gate.value.policy)
    const now = yield* Clock.currentTimeMillis
    return ticket?.state === "unknown" && ticket.binding === binding && now < ticket.expiresAt
      ? { id: ticket.id, binding }
      : null
  })

  /** What the probe says; that it cannot tell, when it fails. It is an act of its own, and looks anew in every run. */
  const look = <Args, A, E, R>(
    action: Action<Args, A, E, R>,
    call: Call & { readonly args: Args },
    probe: NonNullable<Action<Args, A, E, R>["probe"]>
  ): Effect.Effect<Probed<A>, E | GovernorError, R | Session> => {
    const asked = { ...Lost.probing(action, probe, call), identity: call.identity }
    const path = `${keyOf(call)}?${call.session.epoch}`
    return act(asked).pipe(
      Effect.provideService(Session, call.session.at(path)),
      Effect.map(({ value }) => value),
      Effect.catch((error) =>
        error instanceof GovernorError && endsRun(error.reason)
          ? Effect.fail(error)
          : Effect.succeed<Probed<A>>({ _tag: "Unknown" })
      )
    )
  }

  const settle = (
    action: Named,
    call: Call,
    lost: LostAttempt,
    decision: Settle["decision"],
    spent: number | null,
    payloads: ReadonlyArray<Payload> = []
  ) =>
    stored(
      action,
      store.commit({
        _tag: "Settle",
        session: call.session.id,
        epoch: call.session.epoch,
        key: keyOf(call),
        intent: lost.intent,
        decision,
        spent,
        payloads
      })
    )

  const settleDone = Effect.fnUntraced(function*<Args, A, E, R>(
    action: Action<Args, A, E, R>,
    call: Call,
    lost: LostAttempt,
    found: A
  ): Effect.fn.Return<Outcome<A>, GovernorError> {
    const broken = (detail: string) => fail(action, new HandlerBroken({ detail }))
    const encoded = yield* Effect.catch(action.success.encode(found), broken)
    const { json, value } = yield* Effect.catch(Received.cleaned(action.success, encoded, found), broken)
    const detected = yield* Received.look(scan, json)
    const text = digest.canonical(json)
    const result = digest.sha256(text)
    const reason = "its probe found that it took effect"
    const outcome = { choice: "done", from: "probe", by: action.name, reason, result } as const
    const decision = detected === undefined ? outcome : { ...outcome, detected }
    const { row } = yield* settle(action, call, lost, decision, null, [payload(result, text)])
    see(call.session, action.readers ?? [])
    const declared = Received.declaredOf(action.trust, detected)
    const { hash: args } = call
    learn(call.session, { stamp: Row.stamp(row), tool: action.name, declared, args, result, detected })
    return { value, stamp: Row.stamp(row), trust: Label.overall(declared) }
  })

  return resolve
}
