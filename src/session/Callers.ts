/**
 * Who is let in: callers are added, given another token, revoked; and known again by the token, the subject or the certificate
 * that they show. Each change is a row in the chain of the installation, in the same commit. A token is told once, when it
 * is made; nobody can read it afterwards.
 */
import { Clock, Context, Effect, Layer, Option, Redacted, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { Base64Url, Hex } from "effect/encoding"
import { Digest, type Row } from "../audit/index.ts"
import { Governor, Store } from "../governor/index.ts"
import { Redact } from "../trust/index.ts"
import * as Caller from "./Caller.ts"
import { recording, why } from "./Installation.ts"
import type { Place } from "./Issuers.ts"
import * as KnownBy from "./KnownBy.ts"
import { outside } from "./Outside.ts"

/** There is no such caller, or no such token of it. */
export class NoSuchCaller extends Schema.TaggedError<NoSuchCaller>()("NoSuchCaller", {
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** It cannot be done as it was asked for. Nothing was changed. */
export class NotPossible extends Schema.TaggedError<NotPossible>()("NotPossible", {
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** The token is none of ours, is good no more, or belongs to somebody who is let in no more. Which, is not said. */
export class NotKnown extends Schema.TaggedError<NotKnown>()("NotKnown", {
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** An actor tried to let somebody in. People do, at the doors of the runtime. Nothing was changed. */
export class InsideActor extends Schema.TaggedError<InsideActor>()("InsideActor", { session: Schema.String }) {}
/** The log did not answer, or somebody was faster. A retry can help. */
export class Unrecorded extends Schema.TaggedError<Unrecorded>()("Unrecorded", {
  detail: Schema.String,
  remedy: Schema.String
}) {}
/** The one error of this module. */
export class CallerError extends Schema.TaggedError<CallerError>()("CallerError", {
  reason: Schema.Union([NoSuchCaller, NotPossible, NotKnown, InsideActor, Unrecorded])
}) {
  override get message(): string {
    const { reason } = this
    return reason._tag === "InsideActor"
      ? `session ${reason.session} may not say who is let in: people do`
      : `${reason.detail}; ${reason.remedy}`
  }
}

/** A caller with the tokens that are good. */
export interface Standing {
  readonly caller: Caller.Caller
  readonly credentials: ReadonlyArray<Caller.Credential>
}

/** A caller that was given a token. */
export interface Given extends Standing {
  readonly token: Redacted.Redacted
}

/** An operator's word about a caller. */
export interface Order {
  readonly caller: string
  readonly by: string
}

/** Lets callers in and knows them. */
export class Callers extends Context.Service<Callers, {
  /** Oldest first, those that were revoked among them. */
  readonly list: Effect.Effect<ReadonlyArray<Standing>, CallerError>
  readonly add: (definition: Caller.Definition, by: string) => Effect.Effect<Given, CallerError>
  /** Lets somebody in who has no token, and is known by what `knownBy` says. */
  readonly addKnown: (definition: Caller.Definition, knownBy: KnownBy.KnownBy, by: string) => Effect.Effect<
    Standing,
    CallerError
  >
  /** Has a caller known by one thing more. */
  readonly bind: (order: Order & { readonly knownBy: KnownBy.KnownBy }) => Effect.Effect<Standing, CallerError>
  /**
   * Gives it one more token; those it had are good for `overlapMs` more. What else it is known by stays. Refused for whom a
   * group lets in: the token would be good after the group's letting in has ended.
   */
  readonly rotate: (order: Order & { readonly overlapMs: number }) => Effect.Effect<Given, CallerError>
  /** Lets it in no more; or only with one of its tokens no more, if that is named by its id. */
  readonly revoke: (
    order: Order & { readonly credential?: string | undefined; readonly reason: string }
  ) => Effect.Effect<Standing, CallerError>
  /** Whose token it is. What was revoked is refused within `freshMs`, whichever process is asked. */
  readonly authenticate: (token: Redacted.Redacted) => Effect.Effect<Caller.Caller, CallerError>
  /**
   * Who is known by one of these, of which whoever asks has shown all; nobody, when they are of several callers. Somebody
   * whom nobody has let in yet, or a group has, is let in as `place` says, or not at all without one. `freshMs` as above.
   */
  readonly recognise: (
    shown: ReadonlyArray<KnownBy.KnownBy>,
    place?: Place | null
  ) => Effect.Effect<Caller.Caller, CallerError>
}>()("aosiq/session/Callers") {}

/** How long a process believes what it read of a token. */
export const freshMs = 500
/** Tokens that a process remembers for so long. */
const maxRemembered = 10_000
/** The longest that a token goes on being good beside the one that replaces it. */
export const maxOverlapMs = 30 * 86_400_000

/** Callers over a store. */
export const layer: Layer.Layer<Callers, never, Store.Store | Digest.Digest | Governor | SecureRandom.SecureRandom> =
  Layer.effect(
    Callers,
    Effect.gen(function*() {
      const store = yield* Store.Store
      const digest = yield* Digest.Digest
      const random = yield* SecureRandom.SecureRandom
      const { mode } = yield* Governor
      const record = recording({ store, digest, mode })
      const asPerson = outside((session) => new CallerError({ reason: new InsideActor({ session }) }))
      const remembered = new Map<Digest.Hash, { readonly caller: Caller.Caller | null; readonly until: number }>()

      const find = Effect.fnUntraced(function*(name: string) {
        const kept = yield* store.record({ kind: "caller", id: name })
        const found = Option.flatMap(Option.fromUndefinedOr(kept), Caller.read)
        if (Option.isSome(found)) return found.value
        return yield* fail(new NoSuchCaller({ detail: `there is no caller ${name}`, remedy: "see aosiq callers list" }))
      })

      const credentialsOf = Effect.fnUntraced(function*(name: string, now: number) {
        const kept = yield* store.records({ kind: "credential", owner: name, limit: maxKept })
        return kept.flatMap((one) => Option.toArray(Caller.readCredential(one)))
          .filter(({ credential }) => Caller.isGood(credential, now))
      })

      const standing = (caller: Caller.Caller, now: number) =>
        Effect.map(
          caller.revokedAt === null ? credentialsOf(caller.name, now) : Effect.succeed([]),
          (found): Standing => ({ caller, credentials: found.map(({ credential }) => credential) })
        )

      const all = Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const kept = yield* store.records({ kind: "caller", limit: Caller.maxCallers })
        return yield* Effect.forEach(
          kept.flatMap((one) => Option.toArray(Caller.read(one))),
          ({ caller }) => standing(caller, now)
        )
      })

      const credentialOf = (knownBy: KnownBy.KnownBy) =>
        Effect.map(
          store.record({ kind: "credential", id: KnownBy.idOf(digest, knownBy) }),
          (kept) => Option.flatMap(Option.fromUndefinedOr(kept), Caller.readCredential)
        )

      /** The credential of what is shown, and the change that keeps it: nobody else is known by the same. */
      const claim = Effect.fnUntraced(function*(caller: Caller.Name, knownBy: KnownBy.KnownBy, now: number) {
        const found = yield* credentialOf(knownBy)
        if (Option.isSome(found) && Caller.isGood(found.value.credential, now)) {
          const { caller: owner } = found.value.credential
          if ((yield* find(owner)).caller.revokedAt === null) {
            return yield* impossible(`${owner} is known by it already`, "withdraw it there first")
          }
        }
        const credential: Caller.Credential = {
          id: KnownBy.idOf(digest, knownBy),
          caller,
          hash: KnownBy.hashOf(digest, knownBy),
          knownBy,
          createdAt: now,
          expiresAt: null
        }
        const version = Option.match(found, { onNone: () => 0, onSome: ({ version }) => version })
        return { credential, change: Caller.keepCredential(credential, version) }
      })

      const issue = Effect.fnUntraced(function*(caller: Caller.Name, now: number) {
        const id = Hex.encode(yield* random.randomBytes(Caller.idBytes))
        const secret = Base64Url.encode(yield* random.randomBytes(Caller.secretBytes))
        const credential: Caller.Credential = {
          id,
          caller,
          hash: digest.sha256(secret),
          createdAt: now,
          expiresAt: null
        }
        return { credential, token: Redacted.make(Caller.tokenOf(id, secret)) }
      })

      const said = (
        { caller, name = caller.name }: { readonly caller: Caller.Definition; readonly name?: string },
        what: Pick<typeof Row.Admitted.Type, "what" | "by" | "credential" | "detail">
      ) => {
        const text = Caller.textOf(digest, caller)
        const terms = digest.sha256(text)
        const body: Row.Body = { kind: "admitted", caller: name, terms, ...what }
        return { body, payloads: [{ hash: terms, text }] }
      }

      /** A caller that may be let in under its name. */
      const admissible = Effect.fnUntraced(function*(
        definition: Caller.Definition,
        by: string,
        group: { readonly group?: string } = {}
      ) {
        const createdAt = yield* Clock.currentTimeMillis
        const kept = yield* store.records({ kind: "caller", limit: Caller.maxCallers })
        const objection = Caller.objection(definition.name, kept.map(({ id }) => id))
        if (objection !== null) return yield* impossible(objection, "take another name")
        if (kept.length >= Caller.maxCallers) {
          return yield* impossible(`there are ${Caller.maxCallers} callers already`, "use one of them")
        }
        return { ...definition, createdBy: by, createdAt, revokedAt: null, ...group } satisfies Caller.Caller
      })

      const admit = (caller: Caller.Caller, credential: Caller.Credential, change: Store.Change, detail: string) => {
        const { body, payloads } = said({ caller }, {
          what: "added",
          by: caller.createdBy,
          credential: credential.id,
          detail
        })
        return Effect.as(record(body, [Caller.keep(caller), change], payloads), { caller, credentials: [credential] })
      }

      const add = Effect.fnUntraced(function*(definition: Caller.Definition, by: string) {
        const caller = yield* admissible(definition, by)
        const { credential, token } = yield* issue(caller.name, caller.createdAt)
        return { ...yield* admit(caller, credential, Caller.keepCredential(credential), caller.role), token }
      })

      const addKnown = Effect.fnUntraced(
        function*(definition: Caller.Definition, knownBy: KnownBy.KnownBy, by: string) {
          const caller = yield* admissible(definition, by)
          const { change, credential } = yield* claim(caller.name, knownBy, caller.createdAt)
          remembered.clear()
          return yield* admit(caller, credential, change, caller.role)
        }
      )

      const bind = Effect.fnUntraced(function*({ by, caller: name, knownBy }: Order & { knownBy: KnownBy.KnownBy }) {
        const now = yield* Clock.currentTimeMillis
        const { caller, version } = yield* find(name)
        if (caller.revokedAt !== null) return yield* impossible(`${name} was revoked`, "add another caller")
        const before = (yield* credentialsOf(name, now)).map(({ credential }) => credential)
        if (before.filter(({ knownBy }) => knownBy !== undefined).length >= Caller.maxCredentials) {
          return yield* impossible(
            `${name} is known by ${Caller.maxCredentials} things already`,
            "withdraw those that are not used any more"
          )
        }
        const { change, credential } = yield* claim(caller.name, knownBy, now)
        const { body, payloads } = said({ caller }, {
          what: "bound",
          by,
          credential: credential.id,
          detail: knownBy.kind
        })
        yield* record(body, [Caller.keep(caller, version), change], payloads)
        remembered.clear()
        return { caller, credentials: [...before, credential] }
      })

      const rotate = Effect.fnUntraced(function*({ by, caller: name, overlapMs }: Order & { overlapMs: number }) {
        const now = yield* Clock.currentTimeMillis
        const { caller, version } = yield* find(name)
        if (caller.revokedAt !== null) return yield* impossible(`${name} was revoked`, "add another caller")
        if (caller.group !== undefined) {
          return yield* impossible(
            `${name} is let in by the group ${Redact.redact(caller.group)}, and a token would let it in without`,
            "add another caller for what needs a token"
          )
        }
        const good = yield* credentialsOf(name, now)
        const known = good.flatMap(({ credential }) => credential.knownBy === undefined ? [] : [credential])
        const before = good.filter(({ credential }) => credential.knownBy === undefined)
        if (before.length >= Caller.maxCredentials) {
          return yield* impossible(
            `${before.length} tokens of ${name} are good already`,
            "revoke those that are not used any more"
          )
        }
        const end = now + Math.min(overlapMs, maxOverlapMs)
        const ending = before.map(({ credential, version }) => ({
          credential: { ...credential, expiresAt: Math.min(credential.expiresAt ?? end, end) },
          version
        }))
        const { credential, token } = yield* issue(caller.name, now)
        const { body, payloads } = said({ caller }, {
          what: "rotated",
          by,
          credential: credential.id,
          detail: `the tokens before are good for ${Math.min(overlapMs, maxOverlapMs)} ms more`
        })
        // The caller's own record is rewritten, so that of two rotations at the same time one comes after the other.
        yield* record(body, [
          Caller.keep(caller, version),
          ...ending.map(({ credential, version }) => Caller.keepCredential(credential, version)),
          Caller.keepCredential(credential)
        ], payloads)
        const left = ending.map(({ credential }) => credential).filter((credential) => Caller.isGood(credential, now))
        return { caller, credentials: [...known, ...left, credential], token }
      })

      const revoke = Effect.fnUntraced(function*(
        { by, caller: name, credential: id, reason }: Order & { credential?: string | undefined; reason: string }
      ) {
        const now = yield* Clock.currentTimeMillis
        const { caller, version } = yield* find(name)
        if (caller.revokedAt !== null) return yield* impossible(`${name} was revoked before`, "nothing is to be done")
        const detail = Redact.redact(reason)
        remembered.clear()
        if (id === undefined) {
          const revoked = { ...caller, revokedAt: now }
          const { body, payloads } = said({ caller }, { what: "revoked", by, credential: null, detail })
          yield* record(body, [Caller.keep(revoked, version)], payloads)
          return { caller: revoked, credentials: [] }
        }
        const good = yield* credentialsOf(name, now)
        const found = good.find(({ credential }) => credential.id === id)
        if (found === undefined) {
          return yield* fail(
            new NoSuchCaller({ detail: `${name} has no token ${id} that is good`, remedy: "see aosiq callers list" })
          )
        }
        const ended = { ...found.credential, expiresAt: now }
        const { body, payloads } = said({ caller }, { what: "revoked", by, credential: id, detail })
        yield* record(
          body,
          [Caller.keep(caller, version), Caller.keepCredential(ended, found.version)],
          payloads
        )
        const left = good.map(({ credential }) => credential).filter((credential) => credential.id !== id)
        return { caller, credentials: left }
      })

      const look = Effect.fnUntraced(function*(token: string, now: number) {
        const parts = Caller.parse(token)
        if (Option.isNone(parts)) return null
        const kept = yield* store.record({ kind: "credential", id: parts.value.id })
        const found = Option.flatMap(Option.fromUndefinedOr(kept), Caller.readCredential)
        // Without a credential there is a hash to compare all the same.
        const hash = Option.match(found, { onNone: () => Digest.zero, onSome: ({ credential }) => credential.hash })
        const isSame = Caller.isSameHash(digest.sha256(parts.value.secret), hash)
        if (Option.isNone(found) || !isSame || !Caller.isGood(found.value.credential, now)) return null
        const owner = yield* ownerOf(found.value.credential)
        // Whom a group lets in has no token: it would say nothing of the group.
        return owner === null || owner.caller.group !== undefined ? null : owner.caller
      })

      /** Whose credential it is; nothing when they are let in no more. */
      const ownerOf = Effect.fnUntraced(function*({ caller: id }: Caller.Credential) {
        const owner = yield* store.record({ kind: "caller", id })
        const read = Option.getOrNull(Option.flatMap(Option.fromUndefinedOr(owner), Caller.read))
        return read?.caller.revokedAt === null ? read : null
      })

      const bearer = Effect.fnUntraced(
        function*(shown: ReadonlyArray<KnownBy.KnownBy>, place: Place | null, now: number) {
          const found = (yield* Effect.forEach(shown.slice(0, maxShown), credentialOf)).flatMap(Option.toArray)
          const [first] = found
          if (first === undefined) return place === null ? null : yield* met(shown, place, now)
          // Nobody is two callers, and a group lets nobody in again whom people have kept out.
          if (found.some(({ credential }) => credential.caller !== first.credential.caller)) return null
          const good = found.filter(({ credential }) =>
            Caller.isGood(credential, now) &&
            shown.some((knownBy) => Caller.isSameHash(KnownBy.hashOf(digest, knownBy), credential.hash))
          )
          if (good.length === 0) return null
          const owner = yield* ownerOf(first.credential)
          if (owner === null || owner.caller.group === undefined) return owner?.caller ?? null
          return place === null ? null : yield* moved(owner, place)
        }
      )

      /** Lets somebody in for the first time, as a group does. */
      const met = Effect.fnUntraced(function*(shown: ReadonlyArray<KnownBy.KnownBy>, place: Place, now: number) {
        const [knownBy] = shown
        if (knownBy?.kind !== "subject") return null
        const name = place.name ?? `subject-${KnownBy.hashOf(digest, knownBy).slice(0, idDigits)}`
        const named = decodeName(name.toLowerCase())
        if (Option.isNone(named)) return yield* impossible(`${JSON.stringify(name)} is no name of a caller`, addByHand)
        const { ceiling, group, role } = place
        const caller = yield* admissible({ name: named.value, role, ceiling }, knownBy.issuer, { group })
        const { change, credential } = yield* claim(caller.name, knownBy, now)
        return (yield* admit(caller, credential, change, `${role}, by the group ${Redact.redact(group)}`)).caller
      })

      /** Gives somebody the role and the ceiling of the group that they are in by now. */
      const moved = Effect.fnUntraced(function*(
        { caller, version }: { readonly caller: Caller.Caller; readonly version: number },
        { ceiling, group, role }: Place
      ) {
        const next: Caller.Caller = { ...caller, role, ceiling, group }
        if (caller.group === group && Caller.textOf(digest, next) === Caller.textOf(digest, caller)) return caller
        const detail = `${role}, by the group ${Redact.redact(group)}`
        const by = caller.createdBy
        const { body, payloads } = said({ caller: next }, { what: "changed", by, credential: null, detail })
        yield* record(body, [Caller.keep(next, version)], payloads)
        return next
      })

      const remember = <E>(
        key: Digest.Hash,
        find: (now: number) => Effect.Effect<Caller.Caller | null, E>
      ): Effect.Effect<Caller.Caller, E | CallerError> =>
        Effect.gen(function*() {
          const now = yield* Clock.currentTimeMillis
          const known = remembered.get(key)
          const isFresh = known !== undefined && now < known.until && now >= known.until - freshMs
          const caller = isFresh ? known.caller : yield* find(now)
          if (!isFresh) {
            if (remembered.size >= maxRemembered) remembered.clear()
            remembered.set(key, { caller, until: now + freshMs })
          }
          return caller ?? (yield* fail(notKnown))
        })

      const authenticate = (redacted: Redacted.Redacted) => {
        const token = Redacted.value(redacted)
        return remember(digest.sha256(token), (now) => look(token, now))
      }

      const recognise = (shown: ReadonlyArray<KnownBy.KnownBy>, place: Place | null = null) => {
        const hashes = shown.map((knownBy) => KnownBy.hashOf(digest, knownBy))
        const terms = place === null ? "" : JSON.stringify(place)
        // Of two that let the same one in at the same time, one comes second and finds what the first did.
        const isSecond = (error: Store.StoreError | CallerError) =>
          error instanceof Store.StoreError
            ? Effect.succeed(why(error) === "stale")
            : Effect.match(Effect.forEach(shown.slice(0, 1), credentialOf), {
              onFailure: () => false,
              onSuccess: (found) => found.some(Option.isSome)
            })
        return remember(
          digest.sha256(JSON.stringify(["shown", hashes, terms])),
          (now) => Effect.retry(bearer(shown, place, now), { times: 3, while: isSecond })
        )
      }

      return Callers.of({
        list: Effect.mapError(all, unrecorded),
        add: (definition, by) => asPerson(Effect.mapError(add(definition, by), unrecorded)),
        addKnown: (definition, knownBy, by) => asPerson(Effect.mapError(addKnown(definition, knownBy, by), unrecorded)),
        bind: (order) => asPerson(Effect.mapError(bind(order), unrecorded)),
        rotate: (order) => asPerson(Effect.mapError(rotate(order), unrecorded)),
        revoke: (order) => asPerson(Effect.mapError(revoke(order), unrecorded)),
        authenticate: (token) => Effect.mapError(authenticate(token), unrecorded),
        recognise: (shown, place) => asPerson(Effect.mapError(recognise(shown, place), unrecorded))
      })
    })
  )

// internal

/** Credentials of one caller that are looked through, those that are good no more among them. */
const maxKept = 1000
/** Names of one certificate that are looked up. */
const maxShown = 16
/** Digits of a name that is made of a subject. */
const idDigits = 16
const decodeName = Schema.decodeUnknownOption(Caller.Name)
const addByHand = "have whoever runs the server add a caller for the subject"

const fail = (reason: CallerError["reason"]) => Effect.fail(new CallerError({ reason }))
const impossible = (detail: string, remedy: string) => fail(new NotPossible({ detail, remedy }))

const notKnown = new NotKnown({
  detail: "nobody is let in with what was shown",
  remedy: "show the token that aosiq callers add or rotate gave, or have your subject or certificate let in with it"
})

const unrecorded = (error: Store.StoreError | CallerError): CallerError => {
  if (error instanceof CallerError) return error
  const isRace = why(error) === "stale"
  const detail = isRace ? "somebody else changed the same a moment ago" : error.reason.detail
  const remedy = error.reason._tag === "Unavailable" ? error.reason.remedy : "try again"
  return new CallerError({ reason: new Unrecorded({ detail, remedy }) })
}
