/**
 * The one choke point. Everything an actor does that is not pure computation is an `Action` given to `act`, and `act`
 * reads like the picture of it:
 *
 *   decode → recall → capability → budget → approval → intent     (first transaction)
 *   run, holding a Permit
 *   redact → outcome, settlement                                   (second transaction)
 *
 * Where it stays open whether an act took effect that cannot be undone, `resolve` asks what the tool offers to find out,
 * and else leaves it to an operator.
 *
 * An act that any step refuses does not run, and the refusal is a row of its own. Mode and approval rules are read once,
 * where the layer is built: an actor cannot loosen them for itself.
 */
import { Cause, Clock, Context, Effect, Exit, Layer, Option, type Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { Gate, type Policy, Rule, Ticket } from "../approval/index.ts"
import { Digest, Installation, Log, Row } from "../audit/index.ts"
import { Capability, Claims, Tokens } from "../capability/index.ts"
import { Redact } from "../trust/index.ts"
import type { Action, Outcome, Probed } from "./Action.ts"
import * as Egress from "./Egress.ts"
import * as Late from "./Late.ts"
import * as Lost from "./Lost.ts"
import * as Mode from "./Mode.ts"
import { issue } from "./Permit.ts"
import {
  AwaitingApproval,
  AwaitingSettlement,
  AwaitingTimer,
  endsRun,
  GovernorError,
  HandlerBroken,
  LogUnavailable,
  Malformed,
  Nondeterminism,
  OutcomeUnknown,
  Refused,
  Settled,
  TimedOut
} from "./Refusal.ts"
import { Entered, isInnermost, knownOf, type Recorded, running, see, Session, timer } from "./Session.ts"
import { maxCited, show } from "./Show.ts"
import * as Staging from "./Staging.ts"
import { type Begin, type Committed, type Payload, type Rejected, type Settle, Store, StoreError } from "./Store.ts"

/** The choke point. */
export class Governor extends Context.Service<Governor, {
  readonly mode: Mode.Mode
  /** Admits, records and runs one act; or refuses it, and it does not run. */
  readonly act: <Args, A, E, R, const Caps extends string, const Reversible extends boolean>(
    action: Action<Args, A, E, R, Caps, Reversible>
  ) => Effect.Effect<
    Outcome<A>,
    E | GovernorError,
    R | Session | Capability.Capabilities<Caps> | (Reversible extends true ? never : Gate.Gate)
  >
  /** Waits `ms` milliseconds from when the run first came here; until then the session holds nothing. */
  readonly sleep: (ms: number) => Effect.Effect<void, GovernorError, Session>
}>()("aosiq/governor/Governor") {}

/**
 * The Governor over a store, keys and a digest; with a gate, if one is provided. It is part of the runtime: building one
 * inside a session, with rules of the session's own, is a defect.
 */
export const layer: Layer.Layer<
  Governor,
  never,
  Store | Log.Log | Tokens.Tokens | Digest.Digest | SecureRandom.SecureRandom
> = Layer.effect(
  Governor,
  Effect.gen(function*() {
    const [inside] = yield* Effect.contextWith((context: Context.Context<never>) => Effect.succeed(running(context)))
    if (inside !== undefined) return yield* Effect.die(`session ${inside} may not build a Governor of its own`)
    const store = yield* Store
    const log = yield* Log.Log
    const tokens = yield* Tokens.Tokens
    const digest = yield* Digest.Digest
    const random = yield* SecureRandom.SecureRandom
    const gate = yield* Effect.serviceOption(Gate.Gate)
    const mode = yield* Mode.Current
    const covers = yield* Egress.Covers

    const act = Effect.fnUntraced(function*<Args, A, E, R>(
      action: Action<Args, A, E, R> & Identified
    ): Effect.fn.Return<Outcome<A>, E | GovernorError, R | Session> {
      const session = yield* entered(action)
      const place = session.nextKey()
      const call = yield* decode(action, session, place)

      const recorded = yield* recall(action, call)
      if (recorded !== undefined) return recorded

      for (;;) {
        const claims = yield* capability(action, call)
        const agreed = call.covered === null ? yield* approval(action, call) : { ticket: call.covered }
        const done = yield* perform(action, call, claims, agreed)
        if (done._tag === "Outcome") return done.outcome
        const resolved = yield* resolve(action, call, done.lost)
        if (resolved !== undefined) return resolved
      }
    })

    /** The instant is in the log, so that every re-run waits for the same one. */
    const sleep = Effect.fnUntraced(function*(ms: number) {
      const session = yield* entered({ name: timer })
      const place = session.nextKey()
      const call = callAt(session, place, { ms }, { name: timer })
      const recorded = session.recall(place)
      if (recorded !== undefined && (recorded.act !== timer || recorded.args !== call.hash)) {
        return yield* nondeterminism({ name: timer }, call, recorded)
      }
      const now = yield* Clock.currentTimeMillis
      const until = recorded?.until ?? now + Math.max(0, Math.ceil(ms))
      if (recorded === undefined) yield* note({ name: timer }, call, { kind: "timer", args: call.hash, until })
      if (now < until) return yield* fail({ name: timer }, new AwaitingTimer({ until }))
    })

    // --- before: every step may refuse ---------------------------------------

    /** A session that `enter` did not make, or that is not the one running here, is refused before anything else. */
    const entered = (action: Named) =>
      Effect.contextWith((context: Context.Context<Session>) => {
        const session = Context.get(context, Session)
        if (!Entered.isEntered(session)) {
          return fail(
            action,
            new Refused({ layer: "session", detail: "the session was not entered", remedy: "use a runner" })
          )
        }
        if (!isInnermost(session, context)) {
          const detail = `session ${session.id} is not the one that runs here`
          return fail(action, new Refused({ layer: "session", detail, remedy: "let each session act for itself" }))
        }
        return Effect.succeed(session)
      })

    /** The first attempt at what is asked for at `place`. */
    const callAt = (session: Entered, place: string, json: Schema.Json, action: Named & Identified): Call => {
      const text = digest.canonical(json)
      const hash = digest.sha256(text)
      const identity = action.identity ??
        Lost.idempotencyKey(digest, { session: session.id, place, act: action.name, args: hash })
      return { session, place, json, text, hash, identity, attempt: 0, firstAt: undefined, after: null, covered: null }
    }

    const decode = <Args, A, E, R>(action: Action<Args, A, E, R> & Identified, session: Entered, place: string) =>
      Effect.matchEffect(action.decode, {
        onFailure: (detail) => fail(action, new Malformed({ detail: Redact.preview(detail) })),
        onSuccess: ({ args, json }) =>
          Effect.succeed<Call & { readonly args: Args }>({ ...callAt(session, place, json, action), args })
      })

    /** What earlier runs recorded here; `undefined` when the act is to be done, for the first time or once more. */
    const recall = Effect.fnUntraced(function*<Args, A, E, R>(
      action: Action<Args, A, E, R>,
      call: Call & { readonly args: Args }
    ): Effect.fn.Return<Outcome<A> | undefined, E | GovernorError, R | Session> {
      while (call.attempt < maxAttempts) {
        const key = keyOf(call)
        const recorded = call.session.recall(key)
        if (recorded === undefined) return undefined
        if (recorded.act !== action.name || recorded.args !== call.hash) {
          return yield* nondeterminism(action, call, recorded)
        }
        call.firstAt ??= recorded.at
        const { outcome, settled } = recorded
        if (settled !== undefined && settled.body.choice !== "retry") return yield* said(action, call, settled)
        if (settled !== undefined) again(call)
        else if (outcome !== undefined && !recorded.broke && !Lost.isOpen(action.reversible, outcome.body.status)) {
          return yield* answer(action, call, outcome)
        } else if (action.reversible) again(call, null, outcome !== undefined)
        else {
          const why = outcome === undefined ? "its run ended before its outcome was written" : lostBy(outcome.body)
          const resolved = yield* resolve(action, call, { intent: recorded.intent, schema: recorded.schema, why })
          if (resolved !== undefined) return resolved
        }
      }
      return yield* unknown(action, call, `its outcome was lost ${maxAttempts} times`)
    })

    const capability = Effect.fnUntraced(function*(
      action: Named & { readonly capabilities: ReadonlyArray<Capability.Name>; readonly backend?: string | undefined },
      call: Call
    ) {
      const { actor } = call.session
      const outside = action.capabilities.find((wanted) =>
        !actor.capabilities.some((declared) => Capability.covers(declared, wanted))
      )
      if (outside !== undefined) {
        const remedy = `declare ${outside} in the definition of ${actor.name}`
        yield* refuse(
          action,
          call,
          new Refused({ layer: "class", detail: `${actor.name} does not declare ${outside}`, remedy })
        )
      }
      if (action.backend !== undefined && !actor.backends.includes(action.backend)) {
        const remedy = `add ${action.backend} to the backends of ${actor.name}`
        yield* refuse(
          action,
          call,
          new Refused({ layer: "class", detail: `${actor.name} may not use ${action.backend}`, remedy })
        )
      }
      if (action.backend !== undefined) yield* egress(action, call, action.backend)
      const claims = yield* Effect.catch(tokens.verify(call.session.token, call.session.id), (error) =>
        Effect.as(
          refuse(
            action,
            call,
            new Refused({
              layer: "token",
              detail: `${error.reason._tag}: ${error.reason.detail}`,
              remedy: "dispatch the session again"
            })
          ),
          undefined
        ))
      if (claims === undefined) return undefined
      const missing = action.capabilities.find((wanted) => !Claims.admits(claims, wanted))
      if (missing !== undefined) {
        const remedy = `dispatch with a grant that holds ${missing}`
        yield* refuse(
          action,
          call,
          new Refused({ layer: "token", detail: `the token does not hold ${missing}`, remedy })
        )
      }
      if (action.backend !== undefined && !claims.backends.includes(action.backend)) {
        const remedy = `dispatch with a grant whose backends include ${action.backend}`
        yield* refuse(
          action,
          call,
          new Refused({ layer: "token", detail: `the token does not admit ${action.backend}`, remedy })
        )
      }
      return claims
    })

    /** Data for groups of readers goes to backends that cover all of them, and to no others. */
    const egress = (action: Named, call: Call, backend: string) => {
      const { uncovered } = Egress.decide([knownOf(call.session)], Egress.coveredBy(covers, backend))
      if (uncovered.length === 0) return Effect.void
      const detail = `the session has seen data for ${uncovered.join(", ")}, and ${backend} does not cover them`
      const remedy = `ask a backend that does, or have the operator say that ${backend} does (${Egress.variable})`
      return refuse(action, call, new Refused({ layer: "egress", detail, remedy }))
    }

    /**
     * What people agreed to, to be consumed with the intent; `null` when the act needs nobody's consent. Where nobody has
     * agreed, the run ends with `AwaitingApproval`. Rules in `tried` were used up by others meanwhile.
     */
    const approval = Effect.fnUntraced(function*(
      action: Weighed,
      call: Call,
      tried: ReadonlyArray<Rule.RuleId> = []
    ): Effect.fn.Return<Agreed | null, GovernorError> {
      if (action.reversible || mode === "disabled") return null
      if (Option.isNone(gate)) {
        const detail = "it cannot be undone and there is no approval gate"
        yield* refuse(action, call, new Refused({ layer: "approval", detail, remedy: "provide an approval gate" }))
        return null
      }
      const { policy } = gate.value
      const ticket = yield* drafted(action, call, policy)
      const { binding } = ticket
      const now = yield* Clock.currentTimeMillis
      const filed = yield* stored(action, store.tickets(call.session.id))
      const same = filed.filter((other) => other.act === action.name && other.args === call.hash)
      const stop = same.find(({ state }) => state === "denied") ??
        same.find((other) => isLapsed(other, keyOf(call), now))
      if (stop !== undefined) {
        yield* stop.state === "denied" ? deny(action, call, stop) : lapse(action, call, stop)
        return null
      }
      const usable = same.find((other) =>
        other.binding === binding && Ticket.isUsable(other, now) && Ticket.serves(other, call.after)
      )
      if (usable !== undefined) return { ticket: { id: usable.id, binding } }
      const waiting = same.filter((other) => Ticket.isOpen(other, now))
      // What a person is being asked about is decided by that person, and by no rule.
      const rule = waiting.length === 0 ? yield* standing(action, call, policy, tried) : undefined
      if (rule !== undefined) return { rule: { id: rule.id, binding: rule.binding } }
      if (mode === "warn") {
        yield* violation(action, call, "approval", "it ran without an approval")
        return null
      }
      const open = waiting.find((other) => other.binding === binding)
      return yield* wait(action, open?.id ?? (yield* propose(action, call, policy, ticket)))
    })

    const deny = (action: Named, call: Call, ticket: Ticket.Ticket) => {
      const why = ticket.votes.findLast((vote) => !vote.approve)
      const words = Redact.redact(why?.reason ?? "")
      const detail = `denied by ${why?.by ?? "an approver"}: ${words}`
      const remedy = "a denial is final for these arguments in this session"
      return refuse(action, call, new Refused({ layer: "approval", detail, remedy, words }))
    }

    /** Nobody decided in time, or the act was not begun in time. The run that notices says so, unless somebody has. */
    const lapse = Effect.fnUntraced(function*(action: Named, call: Call, ticket: Ticket.Ticket) {
      if (ticket.state !== "expired") {
        const commit = { _tag: "Expire", session: call.session.id, ticket: ticket.id, by: Installation.actor } as const
        yield* stored(action, Effect.catchIf(store.commit(commit), isRejected, () => Effect.void))
      }
      const detail = `the time of ticket ${ticket.id} ran out`
      yield* refuse(action, call, new Refused({ layer: "approval", detail, remedy: "ask again, for a new ticket" }))
    })

    /** The rule that approves the act; of several, the one whose time is up first. */
    const standing = Effect.fnUntraced(function*(
      action: Weighed,
      call: Call,
      policy: Policy.Policy,
      tried: ReadonlyArray<Rule.RuleId>
    ) {
      const { actor, caller } = call.session
      const rules = yield* stored(action, store.rules(yield* Clock.currentTimeMillis))
      if (rules.length === 0) return undefined
      const { capabilities, name: act, schema: definition } = action
      const args = JSON.parse(call.text) as Schema.Json // Canonical JSON of our own.
      const asked = { actor: actor.name, act, capabilities, definition, args, caller }
      return rules.toSorted((a, b) => a.terms.expiresAt - b.terms.expiresAt).find((rule) =>
        !tried.includes(rule.id) && rule.binding === Rule.bindingOf(digest, rule) &&
        Rule.suffices(policy, rule, caller) && Rule.admits(digest, rule, asked)
      )
    })

    /** The ticket of the act, as it would be filed: all that it is bound to. */
    const drafted = Effect.fnUntraced(function*(action: Weighed, call: Call, policy: Policy.Policy) {
      const { session } = call
      const cited = action.reasons?.evidence.length ?? 0
      if (cited > maxCited) {
        const detail = `it cites ${cited} stamps, and an approver is shown ${maxCited}`
        return yield* fail(action, new Malformed({ detail }))
      }
      const parts = {
        session: session.id,
        act: action.name,
        args: call.hash,
        shown: yield* Effect.catch(show(log, action, call), (error) => unavailable(action, error, false)),
        bound: {
          actor: session.actor.name,
          schema: action.schema,
          token: digest.sha256(session.token),
          policy: digest.sha256(digest.canonical({ ...policy }))
        }
      }
      return { ...parts, binding: Ticket.bindingOf(digest, parts) }
    })

    const propose = Effect.fnUntraced(function*(
      action: Named,
      call: Call,
      policy: Policy.Policy,
      draft: Pick<Ticket.Ticket, "session" | "act" | "args" | "shown" | "bound" | "binding">
    ) {
      const { session } = call
      const now = yield* Clock.currentTimeMillis
      const ticket: Ticket.Ticket = {
        ...draft,
        id: Ticket.TicketId.make(yield* ticketId(random)),
        key: keyOf(call),
        requester: session.caller,
        state: "proposed",
        votes: [],
        proposedAt: now,
        expiresAt: now + policy.lifetimeMs,
        decidedAt: null
      }
      const text = digest.canonical(draft.shown)
      const shown = digest.sha256(text)
      const row: Row.Draft = {
        key: keyOf(call),
        body: {
          kind: "proposed",
          act: action.name,
          ticket: ticket.id,
          binding: draft.binding,
          shown,
          args: call.hash
        }
      }
      yield* Effect.catch(
        store.commit({
          _tag: "Propose",
          session: session.id,
          epoch: session.epoch,
          ticket,
          row,
          payloads: [payload(shown, text), payload(call.hash, call.text)],
          maxPending: policy.maxPending,
          maxPendingTree: policy.maxPendingTree
        }),
        (error) => stopped(action, call, error)
      )
      return ticket.id
    })

    // --- the act -------------------------------------------------------------

    /** Intent, run, outcome. Not interruptible between the transactions except inside the handler itself. */
    const perform = <Args, A, E, R>(
      action: Action<Args, A, E, R>,
      call: Call & { readonly args: Args },
      claims: Claims.Claims | undefined,
      agreed: Agreed | null
    ): Effect.Effect<Performed<A>, E | GovernorError, Exclude<R, Session>> =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function*() {
          const intent = yield* begin(action, call, claims, agreed, restore)
          call.firstAt ??= intent.row.at
          const started = yield* Clock.currentTimeMillis
          const permit = issue<string>(Row.stamp(intent.row), action.name, call.identity)
          Staging.begin(permit, call.session, action.capabilities)
          const ran = yield* Effect.exit(
            // The time-out is a race of its own and must be interruptible too, or the handler would run to its end.
            restore(
              action.run(call.args, permit).pipe(
                // Acts inside the handler have a path of their own: they are not repeated when this one is answered.
                Effect.provideService(Session, call.session.at(call.place, action.readers)),
                Effect.timeoutOrElse({
                  duration: action.timeoutMs,
                  orElse: () => fail(action, new TimedOut({ timeoutMs: action.timeoutMs }))
                })
              )
            )
          )
          // Whatever it came to, from here on the session knows of it.
          see(call.session, action.readers ?? [])
          const elapsed = Math.max(0, (yield* Clock.currentTimeMillis) - started)
          return yield* finish(action, call, intent.row, ran, elapsed, Staging.end(permit))
        })
      )

    const begin = Effect.fnUntraced(function*<Args, A, E, R>(
      action: Action<Args, A, E, R>,
      call: Call,
      claims: Claims.Claims | undefined,
      agreed: Agreed | null,
      restore: <B, E2, R2>(self: Effect.Effect<B, E2, R2>) => Effect.Effect<B, E2, R2>,
      tried: ReadonlyArray<Rule.RuleId> = []
    ): Effect.fn.Return<Committed, GovernorError, Exclude<R, Session>> {
      const { session } = call
      const { rule, ticket = null } = agreed ?? {}
      const key = keyOf(call)
      const intent: Row.Draft = {
        key,
        body: {
          kind: "intent",
          act: action.name,
          capabilities: action.capabilities,
          token: claims?.jti ?? unverified,
          schema: action.schema,
          args: call.hash,
          argsPreview: Redact.preview(call.text),
          reservedMicroUsd: action.reserve,
          ticket: ticket?.id ?? null,
          ...(action.readers === undefined || action.readers.length === 0 ? {} : { readers: action.readers })
        }
      }
      const commit: Begin = {
        _tag: "Begin",
        session: session.id,
        epoch: session.epoch,
        key,
        intent,
        tokens: claims === undefined ? [] : [...claims.anc, claims.jti],
        accounts: session.accounts,
        reserve: action.reserve,
        ticket,
        rule,
        repeat: Lost.repeatOf(action),
        after: call.after,
        payloads: [payload(call.hash, call.text)],
        lenient: mode === "disabled"
      }
      type Begun = Effect.Effect<Committed, GovernorError, Exclude<R, Session>>
      return yield* Effect.catch(store.commit(commit), (error): Begun => {
        if (
          action.closer !== undefined && action.reversible && isRejected(error) && error.reason.why === "over_budget"
        ) {
          const asked = Effect.provideService(action.closer, Session, session.at(`${call.place}?count`))
          return Effect.flatMap(
            restore(asked),
            (reserve) => begin({ ...action, reserve, closer: undefined }, call, claims, agreed, restore, tried)
          )
        }
        // Others used the rule up, or it was revoked: another may do, or a person is asked.
        if (rule !== undefined && isRejected(error) && error.reason.why === "rule_unusable") {
          const gone = [...tried, rule.id]
          return Effect.flatMap(
            approval(action, call, gone),
            (other) => begin(action, call, claims, other, restore, gone)
          )
        }
        const refused = mode === "warn" ? rejected(error) : undefined
        if (refused === undefined || refused.layer === "session" || refused.layer === "approval") {
          return stopped(action, call, error)
        }
        return Effect.andThen(
          violation(action, call, refused.layer, refused.detail),
          Effect.catch(store.commit({ ...commit, lenient: true }), (again) => stopped(action, call, again))
        )
      })
    })

    const finish = Effect.fnUntraced(function*<Args, A, E, R>(
      action: Action<Args, A, E, R>,
      call: Call,
      begun: { readonly seq: number },
      ran: Exit.Exit<A, E | GovernorError>,
      elapsedMs: number,
      staged: Staging.Staged
    ): Effect.fn.Return<Performed<A>, E | GovernorError> {
      const result = yield* record(action, ran)
      // Only an act that succeeded leaves what it staged.
      const left = new Map(result.status === "succeeded" ? staged : [])
      const isLost = !action.reversible && Lost.isOpen(false, result.status)
      // What is not known to have happened is not billed: its reservation stays held until it is settled.
      const bill = isLost
        ? { costMicroUsd: 0, usage: undefined }
        : action.bill(elapsedMs, Exit.isSuccess(ran) ? ran.value : undefined)
      const text = result.json === undefined ? undefined : digest.canonical(result.json)
      const hash = text === undefined ? null : digest.sha256(text)
      const body: typeof Row.Outcome.Type = {
        kind: "outcome",
        act: action.name,
        intent: begun.seq,
        status: result.status,
        result: hash,
        resultPreview: Redact.preview(text ?? result.detail),
        trust: action.trust,
        costMicroUsd: bill.costMicroUsd,
        computeMs: Math.round(elapsedMs),
        ...(left.size === 0
          ? {}
          : { memory: Object.fromEntries([...left].map(([key, kept]) => [key, kept?.hash ?? null])) }),
        ...(bill.usage === undefined ? {} : { usage: bill.usage })
      }
      const key = keyOf(call)
      const row = yield* Effect.catch(
        Late.keep({ store, log, digest }, {
          _tag: "Finish",
          session: call.session.id,
          epoch: call.session.epoch,
          key,
          outcome: { key, body },
          spent: bill.costMicroUsd,
          payloads: [
            ...(hash === null || text === undefined ? [] : [payload(hash, text)]),
            ...[...left.values()].flatMap((kept) => kept ?? [])
          ]
        }),
        (error) => unavailable(action, error, true)
      )
      Staging.keep(call.session, left)
      if (isLost) {
        if (Exit.isFailure(ran) && isOver(ran.cause)) return yield* Effect.failCause(ran.cause)
        return { _tag: "Lost", lost: { intent: begun.seq, schema: action.schema, why: lostBy(body) } }
      }
      if (result.status === "crashed") return yield* fail(action, new HandlerBroken({ detail: result.detail }))
      const value = yield* ran
      return { _tag: "Outcome", outcome: { value, stamp: Row.stamp(row), trust: action.trust } }
    })

    // --- lost outcomes -------------------------------------------------------

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
      value: A
    ): Effect.fn.Return<Outcome<A>, GovernorError> {
      const broken = (detail: string) => fail(action, new HandlerBroken({ detail }))
      const text = digest.canonical(yield* Effect.catch(action.success.encode(value), broken))
      const result = digest.sha256(text)
      const reason = "its probe found that it took effect"
      const decision = { choice: "done", from: "probe", by: action.name, reason, result } as const
      const { row } = yield* settle(action, call, lost, decision, null, [payload(result, text)])
      see(call.session, action.readers ?? [])
      return { value, stamp: Row.stamp(row), trust: action.trust }
    })

    // --- answers from the log ------------------------------------------------

    const answer = Effect.fnUntraced(function*<Args, A, E, R>(
      action: Action<Args, A, E, R>,
      call: Call,
      { body, seq }: NonNullable<Recorded["outcome"]>
    ): Effect.fn.Return<Outcome<A>, E | GovernorError> {
      if (body.status === "timed_out") return yield* fail(action, new TimedOut({ timeoutMs: action.timeoutMs }))
      if (body.status === "crashed") return yield* fail(action, new HandlerBroken({ detail: body.resultPreview }))
      const json = yield* kept(action, call, body.result)
      const broken = (detail: string) => fail(action, new HandlerBroken({ detail }))
      if (body.status === "failed") {
        return yield* Effect.flatMap(Effect.catch(action.failure.decode(json), broken), Effect.fail)
      }
      const value = yield* Effect.catch(action.success.decode(json), broken)
      return { value, stamp: Row.stamp({ session: call.session.id, seq }), trust: body.trust }
    })

    /** What somebody said of a lost outcome: the result they gave, or that there is none to go on with. */
    const said = Effect.fnUntraced(function*<Args, A, E, R>(
      action: Action<Args, A, E, R>,
      call: Call,
      { body, seq }: NonNullable<Recorded["settled"]>
    ): Effect.fn.Return<Outcome<A>, GovernorError> {
      if (body.result !== null) {
        const json = yield* kept(action, call, body.result)
        const broken = (detail: string) => fail(action, new HandlerBroken({ detail }))
        const value = yield* Effect.catch(action.success.decode(json), broken)
        return { value, stamp: Row.stamp({ session: call.session.id, seq }), trust: action.trust }
      }
      const happened = body.choice === "done"
      const remedy = happened ? "go on without its result" : "ask for it again if it is still wanted"
      return yield* fail(action, new Settled({ happened, by: body.by, detail: body.reason, remedy }))
    })

    /** A recorded result, if it is still what was recorded. */
    const kept = Effect.fnUntraced(function*(action: Named, call: Call, result: Digest.Hash | null) {
      const text = result === null
        ? Option.none<string>()
        : yield* Effect.catch(log.payload(result), (error) => unavailable(action, error, false))
      if (Option.isNone(text) || digest.sha256(text.value) !== result) {
        return yield* unknown(action, call, "its recorded result was erased or altered")
      }
      return yield* Effect.orDie(Effect.try(() => JSON.parse(text.value) as Schema.Json)) // Hash-checked above.
    })

    const nondeterminism = Effect.fnUntraced(function*(action: Named, call: Call, recorded: Recorded) {
      const detail = `${keyOf(call)}: ${recorded.act} ${recorded.args} was recorded, ${action.name} ${call.hash} asked`
      yield* note(action, call, { kind: "noted", what: "nondeterminism", by: call.session.actor.name, detail })
      return yield* fail(
        action,
        new Nondeterminism({
          key: keyOf(call),
          recorded: `${recorded.act}(${recorded.args.slice(0, 12)})`,
          asked: `${action.name}(${call.hash.slice(0, 12)})`
        })
      )
    })

    // --- refusals ------------------------------------------------------------

    /** Records the refusal, then fails; in `warn` records it and goes on; in `disabled` goes on. */
    const refuse = (action: Named, call: Call, refused: Refused): Effect.Effect<void, GovernorError> =>
      mode === "enforced"
        ? Effect.andThen(refusal(action, call, refused.layer, refused.detail, false), fail(action, refused))
        : violation(action, call, refused.layer, refused.detail)

    const violation = (action: Named, call: Call, layer: string, detail: string) =>
      mode === "disabled" ? Effect.void : refusal(action, call, layer, detail, true)

    const refusal = (action: Named, call: Call, layer: string, reason: string, ran: boolean) =>
      note(action, call, { kind: "refusal", act: action.name, layer, reason, args: call.hash, ran })

    const note = (action: Named, call: Call, body: Row.Body) =>
      Effect.asVoid(stored(
        action,
        store.commit({
          _tag: "Append",
          session: call.session.id,
          epoch: call.session.epoch,
          row: { key: keyOf(call), body },
          payloads: [payload(call.hash, call.text)],
          status: null,
          result: null
        })
      ))

    /** A commit that would have let the act start failed: the act did not run. */
    const stopped = (action: Named, call: Call, error: StoreError): Effect.Effect<never, GovernorError> => {
      const refused = rejected(error)
      if (refused === undefined) return unavailable(action, error, false)
      // A fenced run may not write, not even that it was refused.
      if (refused.layer === "session") return fail(action, refused)
      return Effect.andThen(refusal(action, call, refused.layer, refused.detail, false), fail(action, refused))
    }

    const stored = <A>(action: Named, effect: Effect.Effect<A, StoreError>) =>
      Effect.catch(effect, (error) => unavailable(action, error, false))

    // Inside, capabilities are data; what asking for them requires is in the type of the service.
    return Governor.of({ mode, sleep, act: act as unknown as Governor["Service"]["act"] })
  })
)

// internal

type Named = { readonly name: string }

/** What consent depends on. */
type Weighed =
  & Named
  & Pick<
    Action<never, never, never, never>,
    "description" | "capabilities" | "reversible" | "reserve" | "schema" | "reasons"
  >

/** A ticket or one use of a rule, with the hash of what people agreed to. */
interface Agreed {
  readonly ticket?: { readonly id: Ticket.TicketId; readonly binding: Digest.Hash }
  readonly rule?: { readonly id: Rule.RuleId; readonly binding: Digest.Hash }
}

/** An act with its arguments read and its place taken; the rest says which attempt at it is under way. */
interface Call {
  readonly session: Entered
  readonly place: string
  readonly text: string
  readonly json: Schema.Json
  readonly hash: Digest.Hash
  readonly identity: string
  attempt: number
  /** When the first attempt began, epoch milliseconds. */
  firstAt: number | undefined
  /** Key of the attempt that this one repeats, and that is still open. */
  after: string | null
  /** The approval that covers this attempt because it covered the one before. */
  covered: { readonly id: Ticket.TicketId; readonly binding: Digest.Hash } | null
}

const keyOf = ({ attempt, place }: Call): string => Lost.keyOf(place, attempt)

/** Goes on to the next attempt. One whose end was written, and that left nothing open, is closed already. */
const again = (call: Call, covered: Call["covered"] = null, isClosed = false): undefined => {
  call.after = isClosed ? null : keyOf(call)
  call.covered = covered
  call.attempt++
}

/** An attempt that may have taken effect: `seq` of its intent, the definition it was made under, and what is known. */
interface LostAttempt {
  readonly intent: number
  readonly schema: Digest.Hash
  readonly why: string
}

type Performed<A> =
  | { readonly _tag: "Outcome"; readonly outcome: Outcome<A> }
  | { readonly _tag: "Lost"; readonly lost: LostAttempt }

/** A probe acts in the name of the act that it looks for. */
type Identified = { readonly identity?: string }

/** Attempts at an act that can be undone, over all runs of a session; each wait of a child for people is one. */
const maxAttempts = 100
/** What an intent names as its token when verification was passed over outside enforced mode. */
const unverified = Claims.TokenId.make("unverified")

const fail = (action: Named, reason: GovernorError["reason"]): Effect.Effect<never, GovernorError> =>
  Effect.fail(new GovernorError({ act: action.name, reason }))

const wait = (action: Named, ticket: Ticket.TicketId) =>
  fail(action, new AwaitingApproval({ ticket, remedy: `aosiq approvals approve ${ticket}` }))

const unknown = (action: Named, call: Call, detail: string) =>
  fail(
    action,
    new OutcomeUnknown({ key: keyOf(call), detail, remedy: "look at what the act did, then dispatch again" })
  )

const unavailable = (
  action: Named,
  error: StoreError | Log.LogError,
  ran: boolean
): Effect.Effect<never, GovernorError> => {
  const { detail, remedy } = error instanceof StoreError
    ? error.reason._tag === "Unavailable" ? error.reason : { detail: error.reason.detail, remedy: "dispatch again" }
    : error
  return fail(action, new LogUnavailable({ ran, detail, remedy }))
}

const payload = (hash: Digest.Hash, text: string): Payload => ({ hash, text })

/** What is known of an attempt whose end was written. */
const lostBy = ({ computeMs, resultPreview, status }: typeof Row.Outcome.Type): string =>
  status === "timed_out" ? `it ran out of time after ${computeMs} ms` : `it ${status}: ${resultPreview}`

/** Whether the run ends here in any case: it was interrupted, or an act inside the handler ended it. */
const isOver = (cause: Cause.Cause<unknown>): boolean => {
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  return error === undefined ? Cause.hasInterruptsOnly(cause) : error instanceof GovernorError && endsRun(error.reason)
}

/** What the log keeps of how an act ended. */
const record = Effect.fnUntraced(function*<Args, A, E, R>(
  action: Action<Args, A, E, R>,
  ran: Exit.Exit<A, E | GovernorError>
): Effect.fn.Return<Recordable> {
  if (Exit.isSuccess(ran)) {
    return yield* Effect.match(action.success.encode(ran.value), {
      onFailure: (detail): Recordable => ({
        status: "crashed",
        json: undefined,
        detail: `its result does not fit: ${detail}`
      }),
      onSuccess: (json): Recordable => ({ status: "succeeded", json, detail: "" })
    })
  }
  const error = Cause.findErrorOption(ran.cause)
  if (Option.isSome(error)) {
    if (error.value instanceof GovernorError) {
      const status = error.value.reason._tag === "TimedOut" ? "timed_out" : "interrupted"
      return { status, json: undefined, detail: error.value.message }
    }
    return yield* Effect.match(action.failure.encode(error.value), {
      onFailure: (detail): Recordable => ({
        status: "crashed",
        json: undefined,
        detail: `its error does not fit: ${detail}`
      }),
      onSuccess: (json): Recordable => ({ status: "failed", json, detail: "" })
    })
  }
  return Cause.hasInterruptsOnly(ran.cause)
    ? { status: "interrupted", json: undefined, detail: "interrupted" }
    : { status: "crashed", json: undefined, detail: Redact.preview(String(Cause.squash(ran.cause))) }
})

interface Recordable {
  readonly status: (typeof Row.Outcome.Type)["status"]
  readonly json: Schema.Json | undefined
  readonly detail: string
}

/** A ticket filed at this place whose time ran out: the act was asked for here, and nobody said yes in time. */
const isLapsed = (ticket: Ticket.Ticket, key: string, now: number): boolean =>
  ticket.key === key && (ticket.state === "expired" || Ticket.isOverdue(ticket, now))

const isRejected = (error: StoreError): error is StoreError & { readonly reason: Rejected } =>
  error.reason._tag === "Rejected"

/** Eight characters of base 32 without look-alikes: typed by hand, and never a secret. */
const ticketId = (random: SecureRandom.SecureRandom["Service"]) =>
  Effect.map(
    random.randomBytes(8),
    (bytes) => `T${[...bytes].map((byte) => "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[byte % 32]).join("")}`
  )

/** The layer that a check inside the transaction stands for. */
const rejected = ({ reason }: StoreError): Refused | undefined => {
  if (reason._tag !== "Rejected") return undefined
  const { detail } = reason
  switch (reason.why) {
    case "over_budget":
      return new Refused({ layer: "budget", detail, remedy: "raise the ceiling, or ask for less" })
    case "revoked":
      return new Refused({ layer: "token", detail, remedy: "dispatch a new session with a valid token" })
    case "ancestor_revoked":
      return new Refused({ layer: "ancestor", detail, remedy: "dispatch a new session with a valid token" })
    case "ticket_unusable":
      return new Refused({ layer: "approval", detail, remedy: "ask for a new approval" })
    case "denied":
      return new Refused({ layer: "approval", detail, remedy: "a denial is final for these arguments in this session" })
    case "too_many_pending":
      return new Refused({ layer: "approval", detail, remedy: "decide about the tickets that wait" })
    case "fenced":
    case "already_begun":
    case "no_such_session":
      return new Refused({ layer: "session", detail, remedy: "let the newer run go on" })
    default:
      return undefined
  }
}
