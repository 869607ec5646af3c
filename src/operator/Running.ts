/** The operations on what runs: actors, sessions, schedules, and what was set aside. */
import { Effect, Option, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { Actor } from "../actor/index.ts"
import { Gate } from "../approval/index.ts"
import { Digest, Lineage, Log, type Row } from "../audit/index.ts"
import { Tape } from "../backend/index.ts"
import { Capability, Claims, Grant } from "../capability/index.ts"
import { Store } from "../governor/index.ts"
import { Caller, DeadLetters, Dispatch, Launcher, type Schedule, Schedules } from "../session/index.ts"
import { Tool } from "../tool/index.ts"
import type { Identity } from "./Asker.ts"
import type { Desk } from "./Desk.ts"
import { failed, missing } from "./Failure.ts"
import { may } from "./May.ts"
import { type AgentView, OperationError } from "./Operations.ts"
import * as Seen from "./Seen.ts"

/** Actors and their sessions. */
export const sessions = Effect.gen(function*() {
  const dispatch = yield* Dispatch.Dispatch
  const launcher = yield* Launcher.Launcher
  const registry = yield* Actor.Registry
  const store = yield* Store.Store
  const log = yield* Log.Log
  const digest = yield* Digest.Digest
  const random = yield* SecureRandom.SecureRandom
  const seen = Seen.make(log)
  const ofSession = ({ session }: { readonly session: Claims.SessionId }) => seen.ownerOf(session)

  const agents = Effect.gen(function*() {
    const found = yield* Effect.forEach(yield* registry.names, registry.get)
    return found.flatMap((runnable) => runnable === undefined ? [] : [agentView(runnable.class)])
  })

  const idOf = Effect.fnUntraced(function*(caller: string, key: string | undefined) {
    const name = key === undefined ? yield* random.ulid : digest.sha256(digest.canonical([caller, key])).slice(0, 26)
    return Claims.SessionId.make(`ses_${name}`)
  })

  /** What a session was asked for. */
  const inputOf = Effect.fnUntraced(function*(id: Claims.SessionId) {
    const found = yield* log.session(id)
    const text = Option.isNone(found) ? Option.none<string>() : yield* log.payload(found.value.input)
    const input = Option.filter(text, (text) => digest.sha256(text) === Option.getOrNull(found)?.input)
    if (Option.isSome(input)) return JSON.parse(input.value) as Schema.Json // Hash-checked.
    const detail = `the input of ${id} was erased or altered`
    return yield* new OperationError({ kind: "conflict", detail, remedy: "restore it from a backup" })
  })

  /** Whether a session that was opened before is what is asked for now. */
  const isAsked = (opened: Log.Summary, actor: Actor.AnyClass, input: Schema.Json) =>
    Tool.codec(actor.input).decode(input).pipe(
      Effect.flatMap((value) => Dispatch.inputOf(actor, value)),
      Effect.match({
        onFailure: () => false,
        onSuccess: (json) => opened.actor === actor.name && opened.input === digest.sha256(digest.canonical(json))
      })
    )

  return {
    agents_list: may("agents_list", () => agents),
    sessions_list: may("sessions_list", ({ latest, since }) => {
      const all = since === undefined ? log.sessions : log.since(since)
      const found = latest === undefined
        ? all
        : Effect.map(log.page({ since, newest: true, limit: latest }), (list) => list.toReversed())
      return Effect.mapError(Effect.map(found, (list) => list.map(Seen.session)), failed)
    }),
    session_show: may("session_show", ({ session }) => Effect.map(seen.find(session), Seen.session)),
    session_dispatch: may(
      "session_dispatch",
      ({ actor, input, key, ...ask }, asker) =>
        Effect.gen(function*() {
          const runnable = yield* registry.get(actor)
          if (runnable === undefined) return yield* missing(`actor ${actor}`, "see `aosiq agents`")
          const ceiling = asker.ceiling ?? ownersCeiling(runnable.class, ask.budgetMicroUsd)
          const order = { actor, input, caller: asker.name, grant: Caller.grantFor(ceiling, ask) }
          yield* Effect.mapError(launcher.check(order), beyond(asker))
          const session = yield* idOf(asker.name, key)
          const isNew = yield* Effect.mapError(launcher.open({ session, ...order }), failed)
          const opened = yield* seen.find(session)
          if (!isNew && !(yield* isAsked(opened, runnable.class, input))) {
            const detail = `the key was used before, for another order to ${opened.actor}`
            return yield* new OperationError({ kind: "conflict", detail, remedy: "take another key" })
          }
          return Seen.session(opened)
        }),
      (_, { name }) => Effect.succeed(name)
    ),
    session_fork: may(
      "session_fork",
      ({ checkpoint, key, seq, session: origin, ...ask }, asker) =>
        Effect.gen(function*() {
          if (seq !== undefined && checkpoint !== undefined) {
            const detail = "a fork goes on from a row or from a checkpoint, not from both"
            return yield* new OperationError({ kind: "invalid", detail, remedy: "name one of them" })
          }
          const { actor } = yield* seen.find(origin)
          const runnable = yield* registry.get(actor)
          if (runnable === undefined) return yield* missing(`actor ${actor}`, "see `aosiq agents`")
          const grant = Caller.grantFor(asker.ceiling ?? ownersCeiling(runnable.class, ask.budgetMicroUsd), ask)
          const input = yield* Effect.mapError(inputOf(origin), failed)
          yield* Effect.mapError(launcher.check({ actor, input, grant }), beyond(asker))
          const session = yield* idOf(asker.name, key === undefined ? undefined : `fork ${key}`)
          const from = { ...seq === undefined ? {} : { seq }, ...checkpoint === undefined ? {} : { checkpoint } }
          const order = { session, origin, grant, caller: asker.name, ...from }
          yield* Effect.mapError(dispatch.fork(order), failed)
          const opened = yield* seen.find(session)
          const rows = yield* Effect.mapError(log.rows(session, 0, 1), failed)
          if (Lineage.originOf(rows)?.session !== origin) {
            const detail = "the key was used before, for a fork of another session"
            return yield* new OperationError({ kind: "conflict", detail, remedy: "take another key" })
          }
          return Seen.session(opened)
        }),
      ofSession
    ),
    session_rows: may(
      "session_rows",
      ({ from, limit, session }) => Effect.mapError(log.rows(session, from, limit), failed)
    ),
    session_result: may("session_result", ({ session }) =>
      Effect.mapError(
        Effect.flatMap(log.session(session), (found) => seen.result(Option.getOrNull(found)?.result ?? null)),
        failed
      )),
    session_tape: may("session_tape", ({ session }) =>
      Tape.record(session).pipe(
        Effect.map(Tape.write),
        Effect.provideService(Log.Log, log),
        Effect.provideService(Digest.Digest, digest),
        Effect.mapError(failed)
      ), ofSession),
    session_revoke: may("session_revoke", ({ reason, session }, { name: by }) =>
      Effect.gen(function*() {
        const [genesis] = yield* Effect.mapError(log.rows(session, 0, 1), failed)
        if (genesis?.body.kind !== "genesis") return yield* missing(`session ${session}`, "see: aosiq sessions")
        const { token } = genesis.body
        const row: Row.Draft = { key: null, body: { kind: "noted", what: "revoked", by, detail: reason } }
        const done = yield* Effect.mapError(store.commit({ _tag: "Revoke", token, session, row }), failed)
        return Seen.session(done.session)
      }), ofSession),
    session_control: may("session_control", ({ action, ...about }, { name: by }) => {
      const order = { ...about, by }
      const done = action === "cancel"
        ? dispatch.cancel(order)
        : action === "pause"
        ? dispatch.pause(order)
        : dispatch.unpause(order)
      return Effect.mapBoth(done, { onFailure: failed, onSuccess: Seen.session })
    }, ofSession)
  } satisfies Partial<Desk["Service"]>
})

/** What starts sessions by itself, and what could not be processed. */
export const schedules = Effect.gen(function*() {
  const schedules = yield* Schedules.Schedules
  const letters = yield* DeadLetters.DeadLetters
  const { policy } = yield* Gate.Gate
  const seen = Seen.make(yield* Log.Log)

  const ofSchedule = ({ schedule }: { readonly schedule: string }) =>
    Effect.flatMap(Effect.mapError(schedules.list, failed), (list) => {
      const found = list.find(({ name }) => name === schedule)
      return found === undefined
        ? Effect.fail(missing(`schedule ${schedule}`, "see aosiq schedules list"))
        : Effect.succeed(found.createdBy)
    })

  const ofLetter = Effect.fnUntraced(function*({ letter }: { readonly letter: string }) {
    const found = yield* Effect.mapError(letters.show(letter), failed)
    if (found.kind !== "firing") return found.session === null ? null : yield* seen.ownerOf(found.session)
    const schedule = Option.getOrNull(decodeFiring(found.payload))?.schedule
    return schedule === undefined ? null : yield* ofSchedule({ schedule })
  })

  return {
    schedules_list: may("schedules_list", () => Effect.mapError(schedules.list, failed)),
    schedule_add: may(
      "schedule_add",
      ({ definition }, asker) =>
        Effect.andThen(
          within(asker, definition, policy),
          Effect.mapError(schedules.add(definition, asker.name), failed)
        ),
      (_, { name }) => Effect.succeed(name)
    ),
    schedule_control: may(
      "schedule_control",
      ({ action, schedule }, { name: by }) => Effect.mapError(schedules[action]({ schedule, by }), failed),
      ofSchedule
    ),
    schedule_run: may(
      "schedule_run",
      ({ schedule }, { name: by }) => Effect.mapError(schedules.run({ schedule, by }), failed),
      ofSchedule
    ),
    schedule_history: may(
      "schedule_history",
      ({ limit, schedule }) => Effect.mapError(schedules.history(schedule, limit), failed)
    ),
    dead_letters_list: may("dead_letters_list", ({ open }) => Effect.mapError(letters.list(open), failed)),
    dead_letter: may("dead_letter", ({ letter }) => Effect.mapError(letters.show(letter), failed)),
    dead_letter_decide: may(
      "dead_letter_decide",
      ({ action, ...decision }, { name: by }) => Effect.mapError(letters[action]({ ...decision, by }), failed),
      ofLetter
    )
  } satisfies Partial<Desk["Service"]>
})

// internal

const decodeFiring = Schema.decodeUnknownOption(Schema.Struct({ schedule: Schema.String }))

/** What the owner of the installation may hand on: all that the actor declares. */
const ownersCeiling = (actor: Actor.AnyClass, budgetMicroUsd: number | undefined): Caller.Ceiling => ({
  ...Grant.make([]).terms,
  ...budgetMicroUsd === undefined ? {} : { budgetMicroUsd },
  capabilities: actor.capabilities.filter(Capability.isName)
})

const agentView = ({ backends, capabilities, description, input, name, output }: Actor.AnyClass): AgentView => ({
  name,
  description,
  capabilities,
  backends,
  input: Tool.documentOf(input),
  output: Tool.documentOf(output)
})

/** An actor that needs more than the ceiling holds is refused for that; no session was opened. */
const beyond = ({ name }: Identity) => (error: Dispatch.DispatchError): OperationError =>
  error.reason._tag === "NotPossible"
    ? new OperationError({
      kind: "refused",
      detail: `${name} may not hand that on: ${error.reason.detail}`,
      remedy: "ask for less, or have an admin raise the ceiling"
    })
    : failed(error)

/**
 * Whether a schedule stays within the ceiling of who makes it, and in that name. An admin may make it in another's, but not
 * where requesters may not approve: it would be the requester then under a name that is not its own.
 */
const within = (
  { ceiling, name, role }: Identity,
  { caller, grant }: Schedule.Definition,
  { requesterMayApprove }: Pick<Gate.Gate["Service"]["policy"], "requesterMayApprove">
): Effect.Effect<void, OperationError> => {
  const refuse = (detail: string) =>
    Effect.fail(new OperationError({ kind: "refused", detail, remedy: "ask for less, or have an admin make it" }))
  if (caller !== name && (role !== "admin" || (ceiling !== null && !requesterMayApprove))) {
    return refuse(`${name} makes schedules in its own name alone, not in ${caller}`)
  }
  if (ceiling === null) return Effect.void
  const lacking = grant.capabilities.filter((wanted) =>
    !ceiling.capabilities.some((held) => Capability.covers(held, wanted))
  )
  if (lacking.length > 0) return refuse(`${name} does not hold ${lacking.join(", ")}`)
  const most = termsOf(ceiling)
  return termsOf(grant).some((term, at) => term > (most[at] ?? 0))
    ? refuse(`the terms go beyond the ceiling of ${name}`)
    : Effect.void
}

/** All that a grant has beside its names, in one order. */
const termsOf = ({ budgetMicroUsd, depth, lifetimeSeconds, limits }: Schedule.Grant): ReadonlyArray<number> => {
  const { children, descendants } = Claims.fanOut(limits)
  const { cpuMs, memoryMiB, outputBytes, wallMs } = limits
  return [budgetMicroUsd, lifetimeSeconds, depth, cpuMs, memoryMiB, outputBytes, wallMs, children, descendants]
}
