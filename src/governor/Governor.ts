/**
 * The one choke point. Everything an actor does that is not pure computation is an `Action` given to `act`, and `act`
 * reads like the picture of it:
 *
 *   decode → recall → capability → labels → approval → budget → intent   (first transaction)
 *   run, holding a Permit
 *   redact, detect → outcome, settlement                                   (second transaction)
 *
 * Where it stays open whether an act took effect that cannot be undone, `resolve` asks what the tool offers to find out,
 * and else leaves it to an operator.
 *
 * An act that any step refuses does not run, and the refusal is a row of its own. Mode and approval rules are read once,
 * where the layer is built: an actor cannot loosen them for itself.
 */
import { Clock, Context, Effect, Exit, Layer, type Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { Gate, type Rule } from "../approval/index.ts"
import { Digest, Log, Row } from "../audit/index.ts"
import { type Capability, Claims, Tokens } from "../capability/index.ts"
import { type Flow, Label, Redact } from "../trust/index.ts"
import type { Action, Outcome, Unready } from "./Action.ts"
import * as Admission from "./Admission.ts"
import * as Answers from "./Answers.ts"
import * as Asking from "./Asking.ts"
import {
  again,
  type Agreed,
  type Call,
  entered,
  fail,
  type Identified,
  isRejected,
  keyOf,
  type Named,
  payload,
  type Performed,
  unavailable,
  unknown
} from "./Call.ts"
import * as Egress from "./Egress.ts"
import * as Flowing from "./Flowing.ts"
import * as Late from "./Late.ts"
import * as Lost from "./Lost.ts"
import * as Mode from "./Mode.ts"
import { issue } from "./Permit.ts"
import * as Received from "./Received.ts"
import {
  AwaitingTimer,
  type GovernorError,
  HandlerBroken,
  Malformed,
  Nondeterminism,
  Refused,
  TimedOut
} from "./Refusal.ts"
import * as Refusals from "./Refusals.ts"
import * as Remembering from "./Remembering.ts"
import * as Resolving from "./Resolving.ts"
import { type Entered, isModel, learn, type Recorded, running, see, Session, timer } from "./Session.ts"
import * as Staging from "./Staging.ts"
import { type Begin, type Committed, Store } from "./Store.ts"
import * as Watching from "./Watching.ts"

/** The choke point. */
export class Governor extends Context.Service<Governor, {
  readonly mode: Mode.Mode
  /** The policy on labels in force, and its hash. */
  readonly labels: Flow.Policy
  readonly policy: Digest.Hash
  /** Admits, records and runs one act; or refuses it, and it does not run. */
  readonly act: <Args, A, E, R, const Caps extends string, const Reversible extends boolean>(
    action: Action<Args, A, E, R, Caps, Reversible>
  ) => Effect.Effect<
    Outcome<A>,
    E | GovernorError,
    R | Session | Capability.Capabilities<Caps> | (Reversible extends true ? never : Gate.Gate)
  >
  /** Pauses the session, and ends its run, if it has drifted as far as `threshold`; see `Drift`. */
  readonly watch: (threshold: number) => Effect.Effect<void, GovernorError, Session>
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
    const refusals = Refusals.make(store, mode)
    const { note, stopped, violation } = refusals
    const covers = yield* Egress.Covers
    const capability = Admission.make({ tokens, covers, refuse: refusals.refuse })
    const labels = yield* Flowing.Current
    const policy = Flowing.hashOf(digest, labels)
    const flowing = Flowing.make({ log, digest, policy: labels, covers, mode, gate, refusals })
    const keeper = Remembering.make({ store, log, policy: labels, flowing, refusals })
    const { approval, drafted } = Asking.make({ store, log, digest, random, gate, mode, policy, refusals })
    const { answer, said } = Answers.make(log, digest)
    const scan = yield* Received.Current
    const watched = Watching.make({ store, log, digest, mode })
    const resolve = Resolving.make({
      store,
      digest,
      gate,
      mode,
      scan,
      refusals,
      flowing,
      drafted,
      act: (action) => act(action)
    })

    const act = Effect.fnUntraced(function*<Args, A, E, R>(
      action: Action<Args, A, E, R> & Identified
    ): Effect.fn.Return<Outcome<A>, E | GovernorError, R | Session> {
      const session = yield* entered(action)
      const place = session.nextKey()
      const call = yield* decode(action, session, place)

      const recorded = yield* recall(action, call)
      if (recorded !== undefined) return recorded
      yield* refusals.reopened(action, call)

      for (;;) {
        const claims = yield* capability(action, call)
        if (action.ready !== undefined) {
          const unready = ({ detail, remedy }: Unready) =>
            refusals.refuse(action, call, new Refused({ layer: "class", detail, remedy }))
          yield* Effect.catch(action.ready, unready)
        }
        yield* flowing.admit(action, call)
        const agreed = call.covered === null ? yield* approval(action, call) : { ticket: call.covered }
        const done = yield* perform(action, call, claims, agreed)
        if (done._tag === "Outcome") return done.outcome
        const resolved = yield* resolve(action, call, done.lost)
        if (resolved !== undefined) return resolved
      }
    })

    const watch = (threshold: number) =>
      Effect.flatMap(entered({ name: "watch" }), (session) => watched(session, threshold))

    /** The instant is in the log, so that every re-run waits for the same one. */
    const sleep = Effect.fnUntraced(function*(ms: number) {
      const session = yield* entered({ name: timer })
      const place = session.nextKey()
      const call = callAt(session, place, { ms }, { name: timer, capabilities: [] })
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

    /** The first attempt at what is asked for at `place`. */
    const callAt = (session: Entered, place: string, json: Schema.Json, action: Asked): Call => {
      // What a model is asked has no secrets, but where it repeats to the letter what the model wrote itself.
      const kept = isModel(action.capabilities) ? json : Redact.json(json)
      const text = digest.canonical(kept)
      const hash = digest.sha256(text)
      const identity = action.identity ??
        (() => Lost.idempotencyKey(digest, { session: session.id, place, act: action.name, args: hash }))
      return { session, place, json, text, hash, hasSecrets: kept !== json, identity, ...first }
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
        if (recorded === undefined) return yield* taken(action, call)
        if (recorded.act !== action.name || recorded.args !== call.hash) {
          return yield* nondeterminism(action, call, recorded)
        }
        call.firstAt ??= recorded.at
        const { from, outcome, settled } = recorded
        if (settled !== undefined && settled.body.choice !== "retry") return yield* said(action, call, settled, from)
        if (settled !== undefined) again(call)
        else if (outcome !== undefined && !recorded.broke && !Lost.isOpen(action.reversible, outcome.body.status)) {
          return yield* answer(action, call, outcome, from)
        } else if (action.reversible) again(call, null, outcome !== undefined)
        else if (from !== undefined) return yield* unknown(action, call, `its outcome was lost in ${from}`)
        else {
          const why = outcome === undefined
            ? "its run ended before its outcome was written"
            : Answers.lostBy(outcome.body)
          const resolved = yield* resolve(action, call, { intent: recorded.intent, schema: recorded.schema, why })
          if (resolved !== undefined) return resolved
        }
      }
      return yield* unknown(action, call, `its outcome was lost ${maxAttempts} times`)
    })

    /** An attempt after one of a session before this: what can be undone is done anew, and nothing else. */
    const taken = Effect.fnUntraced(function*(action: Named & { readonly reversible: boolean }, call: Call) {
      const from = call.after === null ? undefined : call.session.recall(call.after)?.from
      if (from === undefined) return undefined
      if (!action.reversible) return yield* unknown(action, call, `it is for ${from} to do it once more`)
      call.after = null
      return undefined
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
          const readers = Label.everyReader(action.readers)
          const permit = issue<string>(Row.stamp(intent.row), action.name, call.identity)
          Staging.begin(permit, call.session, action.capabilities, keeper(action, call))
          const ran = yield* Effect.exit(
            // The time-out is a race of its own and must be interruptible too, or the handler would run to its end.
            restore(
              action.run(call.args, permit).pipe(
                // Acts inside the handler have a path of their own: they are not repeated when this one is answered.
                Effect.provideService(Session, call.session.at(call.place, readers, isStrange(action))),
                Effect.timeoutOrElse({
                  duration: action.timeoutMs,
                  orElse: () => fail(action, new TimedOut({ timeoutMs: action.timeoutMs }))
                })
              )
            )
          )
          // Whatever it came to, from here on the session knows of it.
          see(call.session, readers, Exit.isFailure(ran) || !Label.isByField(action.readers))
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
      const readers = Label.everyReader(action.readers)
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
          ...(readers.length === 0 ? {} : { readers }),
          ...(readers.length > 0 && Label.isByField(action.readers) ? { byField: true } : {})
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
        const refused = mode === "warn" ? Refusals.rejected(error) : undefined
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
      exit: Exit.Exit<A, E | GovernorError>,
      elapsedMs: number,
      { lasting, read, staged }: Staging.Ended
    ): Effect.fn.Return<Performed<A>, E | GovernorError> {
      const { ran, result } = yield* Received.ended(action, yield* Answers.record(action, exit), exit)
      // Only an act that succeeded leaves what it staged.
      const isKept = result.status === "succeeded"
      const [left, outliving] = [isKept ? staged : new Map(), isKept ? lasting : new Map()]
      const trust = Remembering.lowered(action.trust, read)
      const readers = Remembering.widened(isKept ? action.readers : [], read)
      const isLost = !action.reversible && Lost.isOpen(false, result.status)
      // What is not known to have happened is not billed: its reservation stays held until it is settled.
      const bill = isLost
        ? { costMicroUsd: 0, usage: undefined }
        : action.bill(elapsedMs, Exit.isSuccess(ran) ? ran.value : undefined)
      const text = result.json === undefined ? undefined : digest.canonical(result.json)
      const hash = text === undefined ? null : digest.sha256(text)
      const detected = isModel(action.capabilities) ? undefined : yield* Received.look(scan, result.json)
      const body: typeof Row.Outcome.Type = {
        kind: "outcome",
        act: action.name,
        intent: begun.seq,
        status: result.status,
        result: hash,
        resultPreview: Redact.preview(text ?? result.detail),
        ...Received.labelled(trust, readers, detected),
        costMicroUsd: bill.costMicroUsd,
        computeMs: Math.round(elapsedMs),
        ...Staging.said(left, outliving),
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
            ...[...left.values(), ...outliving.values()].flatMap(({ payload }) => payload ?? [])
          ]
        }),
        (error) => unavailable(action, error, true)
      )
      Staging.keep(call.session, left)
      if (!isKept) see(call.session, Label.everyReader(action.readers), true)
      if (!isModel(action.capabilities)) {
        const declared = Received.declaredBy(result.status, trust, detected)
        const { hash: args } = call
        const stamp = Row.stamp(row)
        learn(call.session, { stamp, tool: action.name, declared, readers, args, result: hash, detected })
      }
      if (isLost) {
        if (Exit.isFailure(ran) && Answers.isOver(ran.cause)) return yield* Effect.failCause(ran.cause)
        return { _tag: "Lost", lost: { intent: begun.seq, schema: action.schema, why: Answers.lostBy(body) } }
      }
      if (result.status === "crashed") {
        return yield* fail(action, new HandlerBroken({ detail: result.detail, outcome: row.seq }))
      }
      const value = yield* ran
      return { _tag: "Outcome", outcome: { value, stamp: Row.stamp(row), trust: body.trust } }
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

    // Inside, capabilities are data; what asking for them requires is in the type of the service.
    return Governor.of({ mode, labels, policy, watch, sleep, act: act as unknown as Governor["Service"]["act"] })
  })
)

// internal

/** What an act is, of which a call is made. */
type Asked = Named & Identified & { readonly capabilities: ReadonlyArray<string> }

/** The first attempt. */
const first = { attempt: 0, firstAt: undefined, after: null, covered: null, flow: undefined }

/** Attempts at an act that can be undone, over all runs of a session; each wait of a child for people is one. */
const maxAttempts = 100

/** Whether a handler may know a stranger's text before its act is over. What starts a child knows nothing before its end. */
const isStrange = (
  { capabilities, name, trust }: Pick<Action<never, never, never, never>, "capabilities" | "name" | "trust">
) =>
  !isModel(capabilities) && Label.overall(trust) === "untrusted" &&
  capabilities[0]?.replace(/^spawn:/, "spawn_") !== name

/** What an intent names as its token when verification was passed over outside enforced mode. */
const unverified = Claims.TokenId.make("unverified")
