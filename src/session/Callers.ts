/**
 * Who is let in: callers are added, given another token, revoked; and known again by the token that they show. Each change
 * is a row in the chain of the installation, in the same commit. A token is told once, when it is made; nobody can read
 * it afterwards.
 */
import { Clock, Context, Effect, Layer, Option, Redacted, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { Base64Url, Hex } from "effect/encoding"
import { Digest, type Row } from "../audit/index.ts"
import { Governor, Store } from "../governor/index.ts"
import { Redact } from "../trust/index.ts"
import * as Caller from "./Caller.ts"
import { recording, why } from "./Installation.ts"
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
  /** Gives it one more token; those it had are good for `overlapMs` more. */
  readonly rotate: (order: Order & { readonly overlapMs: number }) => Effect.Effect<Given, CallerError>
  /** Lets it in no more; or only with one of its tokens no more, if that is named by its id. */
  readonly revoke: (
    order: Order & { readonly credential?: string | undefined; readonly reason: string }
  ) => Effect.Effect<Standing, CallerError>
  /** Whose token it is. What was revoked is refused within `freshMs`, whichever process is asked. */
  readonly authenticate: (token: Redacted.Redacted) => Effect.Effect<Caller.Caller, CallerError>
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

      const add = Effect.fnUntraced(function*(definition: Caller.Definition, by: string) {
        const now = yield* Clock.currentTimeMillis
        const others = (yield* all).map(({ caller }) => caller.name)
        const objection = Caller.objection(definition.name, others)
        if (objection !== null) return yield* impossible(objection, "take another name")
        if (others.length >= Caller.maxCallers) {
          return yield* impossible(`there are ${Caller.maxCallers} callers already`, "use one of them")
        }
        const caller: Caller.Caller = { ...definition, createdBy: by, createdAt: now, revokedAt: null }
        const { credential, token } = yield* issue(caller.name, now)
        const { body, payloads } = said({ caller }, {
          what: "added",
          by,
          credential: credential.id,
          detail: caller.role
        })
        yield* record(body, [Caller.keep(caller), Caller.keepCredential(credential)], payloads)
        return { caller, credentials: [credential], token }
      })

      const rotate = Effect.fnUntraced(function*({ by, caller: name, overlapMs }: Order & { overlapMs: number }) {
        const now = yield* Clock.currentTimeMillis
        const { caller, version } = yield* find(name)
        if (caller.revokedAt !== null) return yield* impossible(`${name} was revoked`, "add another caller")
        const before = yield* credentialsOf(name, now)
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
        const good = ending.filter(({ credential }) => Caller.isGood(credential, now))
        return { caller, credentials: [...good.map(({ credential }) => credential), credential], token }
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
        const owner = yield* store.record({ kind: "caller", id: found.value.credential.caller })
        const caller = Option.flatMap(Option.fromUndefinedOr(owner), Caller.read)
        return Option.isSome(caller) && caller.value.caller.revokedAt === null ? caller.value.caller : null
      })

      const authenticate = Effect.fnUntraced(function*(redacted: Redacted.Redacted) {
        const token = Redacted.value(redacted)
        const now = yield* Clock.currentTimeMillis
        const key = digest.sha256(token)
        const known = remembered.get(key)
        const isFresh = known !== undefined && now < known.until && now >= known.until - freshMs
        const caller = isFresh ? known.caller : yield* look(token, now)
        if (!isFresh) {
          if (remembered.size >= maxRemembered) remembered.clear()
          remembered.set(key, { caller, until: now + freshMs })
        }
        return caller ?? (yield* fail(notKnown))
      })

      return Callers.of({
        list: Effect.mapError(all, unrecorded),
        add: (definition, by) => asPerson(Effect.mapError(add(definition, by), unrecorded)),
        rotate: (order) => asPerson(Effect.mapError(rotate(order), unrecorded)),
        revoke: (order) => asPerson(Effect.mapError(revoke(order), unrecorded)),
        authenticate: (token) => Effect.mapError(authenticate(token), unrecorded)
      })
    })
  )

// internal

/** Credentials of one caller that are looked through, those that are good no more among them. */
const maxKept = 1000

const fail = (reason: CallerError["reason"]) => Effect.fail(new CallerError({ reason }))
const impossible = (detail: string, remedy: string) => fail(new NotPossible({ detail, remedy }))

const notKnown = new NotKnown({
  detail: "the token is not one that anybody is let in with",
  remedy: "show the token that aosiq callers add or rotate gave, or have one given"
})

const unrecorded = (error: Store.StoreError | CallerError): CallerError => {
  if (error instanceof CallerError) return error
  const isRace = why(error) === "stale"
  const detail = isRace ? "somebody else changed the same a moment ago" : error.reason.detail
  const remedy = error.reason._tag === "Unavailable" ? error.reason.remedy : "try again"
  return new CallerError({ reason: new Unrecorded({ detail, remedy }) })
}
