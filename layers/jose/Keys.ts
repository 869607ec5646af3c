/**
 * The signing keys of an installation: Ed25519 pairs in one JWKS file, newest first. The newest signs and all verify, so
 * a rotation stops nothing; a key that is retired verifies nothing more.
 *
 * The file is ours alone (mode 0600, in a folder that others cannot write in), and a change replaces it whole. A key is
 * named by its thumbprint (RFC 7638). No error quotes the file.
 */
import { Effect, FileSystem, Option, type PlatformError, Result, Schedule, Schema } from "effect"
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto"
import { join } from "node:path"
import { fromBase64Url, fromJsonObject, isRecord } from "./Encoding.ts"
import * as Jwk from "./Jwk.ts"

/** Bytes of a key file, at most. */
export const maxFileBytes = 65_536

/** The key file in its folder. */
export const fileName = "keys.json"

/** A key that may be handed to anyone who verifies. */
export type PublicJwk = {
  readonly kty: "OKP"
  readonly crv: "Ed25519"
  readonly x: string
  readonly kid: string
  readonly alg: "EdDSA"
  readonly use: "sig"
}

/** A key that signs: its public half as text, its private half only as a handle that does not print. */
export interface Pair {
  readonly jwk: PublicJwk
  readonly key: KeyObject
}

/** A key file as read and checked. */
export interface Keys {
  /** The pair that signs. */
  readonly newest: Pair
  /** Every pair, the newest first. */
  readonly pairs: ReadonlyArray<Pair>
  /** The keys to verify with, by kid. */
  readonly verifiers: ReadonlyMap<string, KeyObject>
}

const trouble = { path: Schema.String, detail: Schema.String, remedy: Schema.String }
/** Others can read or replace the keys; none was used. A retry helps once the remedy was applied. */
export class Exposed extends Schema.TaggedError<Exposed>()("Exposed", trouble) {}
/** What the file holds is not a set of signing keys; none was used, and the file is as it was. */
export class Unusable extends Schema.TaggedError<Unusable>()("Unusable", trouble) {}
/** The file could not be read or written; it is as it was. */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", trouble) {}
/** Someone else is changing the file; nothing was changed, and a retry can help. */
export class Busy extends Schema.TaggedError<Busy>()("Busy", trouble) {}
/** The set may not change in this way; nothing was changed. */
export class Unchangeable extends Schema.TaggedError<Unchangeable>()("Unchangeable", trouble) {}
/** The one error of this module. */
export class KeyError extends Schema.TaggedError<KeyError>()("KeyError", {
  reason: Schema.Union([Exposed, Unusable, Unavailable, Busy, Unchangeable])
}) {}

/** Reads a key file that someone else provides; it is never written. */
export const read = Effect.fnUntraced(function*(
  path: string
): Effect.fn.Return<Keys, KeyError, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const bytes = yield* Effect.scoped(Effect.gen(function*() {
    const file = yield* fs.open(path, { flag: "r" })
    const { mode, size } = yield* file.stat
    if ((mode & 0o077) !== 0) {
      const detail = `others have access to the private keys (mode ${octal(mode)})`
      return yield* new KeyError({ reason: new Exposed({ path, detail, remedy: `run: chmod 600 ${path}` }) })
    }
    if (size > maxFileBytes) return yield* unusable(path, `it is longer than ${maxFileBytes} bytes`)
    return Option.getOrElse(yield* file.readAlloc(maxFileBytes), () => new Uint8Array())
  })).pipe(Effect.catchTag("PlatformError", unavailable(path, "check that the key file is there and readable by us")))
  return yield* Effect.fromResult(Result.mapError(decode(bytes), (detail) => unusable(path, detail)))
})

/** Reads the key file in `folder`; the first time, writes one with one new key, and the folder. */
export const loadOrCreate = Effect.fnUntraced(function*(
  folder: string
): Effect.fn.Return<Keys, KeyError, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  const path = join(folder, fileName)
  const isThere = yield* fs.exists(path).pipe(Effect.catchTag("PlatformError", unavailable(path, folderRemedy)))
  if (!isThere) return yield* change(folder, (now) => Result.succeed(now ?? [generate()]))
  yield* guard(folder)
  return yield* read(path)
})

/** Puts a new key in front, which signs from now on, and gives its kid. Tokens of the older keys go on verifying. */
export const rotate = (folder: string): Effect.Effect<string, KeyError, FileSystem.FileSystem> =>
  Effect.map(
    change(folder, (now = []) =>
      now.length < Jwk.maxKeys
        ? Result.succeed([generate(), ...now])
        : Result.fail({ detail: `there are ${Jwk.maxKeys} keys`, remedy: "retire a key of which no token is in use" })),
    ({ newest }) => newest.jwk.kid
  )

/** Removes a key; what it signed does not verify any more. The last key stays: rotate first. */
export const retire = (folder: string, kid: string): Effect.Effect<void, KeyError, FileSystem.FileSystem> =>
  change(folder, (now = []) => {
    const left = now.filter(({ jwk }) => jwk.kid !== kid)
    if (left.length === now.length) return Result.fail({ detail: "no key has this kid", remedy: "list the keys" })
    if (left.length === 0) return Result.fail({ detail: "it is the only key", remedy: "rotate first" })
    return Result.succeed(left)
  })

// internal

const octal = (mode: number): string => (mode & 0o777).toString(8).padStart(4, "0")

const folderRemedy = "check that the folder of the keys can be read and written by us"

const unusable = (path: string, detail: string): KeyError =>
  new KeyError({
    reason: new Unusable({ path, detail, remedy: "restore the key file, or move it away and start anew" })
  })

const unavailable = (path: string, remedy: string) => ({ message }: PlatformError.PlatformError) =>
  Effect.fail(new KeyError({ reason: new Unavailable({ path, detail: message, remedy }) }))

const unchangeable = (path: string) => (why: Why): KeyError =>
  new KeyError({ reason: new Unchangeable({ path, ...why }) })

/** A folder that others can write in is one in which they can replace the keys by theirs. */
const guard = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  const { mode } = yield* fs.stat(path).pipe(Effect.catchTag("PlatformError", unavailable(path, folderRemedy)))
  if ((mode & 0o022) === 0) return
  const detail = `others may write in the folder of the keys (mode ${octal(mode)})`
  return yield* new KeyError({ reason: new Exposed({ path, detail, remedy: `run: chmod 700 ${path}` }) })
})

// --- the content

const generate = (): Pair => pair(generateKeyPairSync("ed25519").privateKey)

const pair = (key: KeyObject): Pair => {
  const { x = "" } = createPublicKey(key).export({ format: "jwk" })
  return { jwk: { kty: "OKP", crv: "Ed25519", x, kid: thumbprint(x), alg: "EdDSA", use: "sig" }, key }
}

/** Source: RFC 7638 §3, RFC 8037 §2. */
const thumbprint = (x: unknown): string =>
  createHash("sha256").update(JSON.stringify({ crv: "Ed25519", kty: "OKP", x })).digest("base64url")

const encode = (pairs: ReadonlyArray<Pair>): Uint8Array => {
  const keys = pairs.map(({ jwk, key }) => ({ ...jwk, d: key.export({ format: "jwk" }).d }))
  return new TextEncoder().encode(`${JSON.stringify({ keys }, null, 2)}\n`)
}

/** The keys in a file, or what is wrong with it. */
const decode = (bytes: Uint8Array): Result.Result<Keys, string> => {
  const keys = fromJsonObject(bytes)?.["keys"]
  if (!Array.isArray(keys) || !keys.every(isRecord)) return Result.fail("it is no JSON Web Key Set")
  const halves = keys.map(({ d: _, key_ops: _ops, ...rest }) => ({ kid: thumbprint(rest["x"]), ...rest }))
  return Result.flatMap(Jwk.verifiers(halves, "EdDSA"), () => {
    if (keys.every(({ d }) => d === undefined)) return Result.fail("it holds no private key")
    if (keys.some(({ d }) => d === undefined)) return Result.fail("it mixes private keys and public ones")
    return Result.flatMap(Result.all(keys.map(pairOf)), keysOf)
  })
}

const pairOf = (jwk: Jwk.Jwk): Result.Result<Pair, string> => {
  const operations = jwk["key_ops"]
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("sign"))) {
    return Result.fail("a key says that it does not sign")
  }
  const { d } = jwk
  if (typeof d !== "string" || fromBase64Url(d) === undefined) return Result.fail("a private key is malformed")
  return Result.flatMap(
    Result.try({
      try: () => pair(createPrivateKey({ format: "jwk", key: { ...jwk } })),
      catch: () => "a private key is malformed"
    }),
    (made) => {
      // Node takes the public half from the private one, and would not miss that they differ.
      if (made.jwk.x !== jwk["x"]) return Result.fail("a private key is not the half of its public key")
      if (jwk["kid"] !== undefined && jwk["kid"] !== made.jwk.kid) {
        return Result.fail("a kid is not the thumbprint of its key")
      }
      return Result.succeed(made)
    }
  )
}

const keysOf = (pairs: ReadonlyArray<Pair>): Result.Result<Keys, string> => {
  const [newest] = pairs
  if (newest === undefined) return Result.fail("it holds no key")
  return Result.map(
    Jwk.verifiers(pairs.map(({ jwk }) => jwk), "EdDSA"),
    (verifiers) => ({ newest, pairs, verifiers })
  )
}

// --- the file

interface Why {
  readonly detail: string
  readonly remedy: string
}
type Step = (now: ReadonlyArray<Pair> | undefined) => Result.Result<ReadonlyArray<Pair>, Why>

/**
 * Replaces the key file by `step` of what it holds. Whoever opens the draft first is alone until it becomes the file:
 * the exclusive open is the lock, the rename is the change.
 */
const change = (folder: string, step: Step): Effect.Effect<Keys, KeyError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = join(folder, fileName)
    const draftPath = `${path}.new`
    yield* fs.makeDirectory(folder, { recursive: true, mode: 0o700 })
    yield* guard(folder)
    const draft = yield* take(draftPath)
    return yield* Effect.gen(function*() {
      const now = (yield* fs.exists(path)) ? (yield* read(path)).pairs : undefined
      const next = yield* Effect.mapError(Effect.fromResult(step(now)), unchangeable(path))
      const keys = yield* Effect.fromResult(Result.mapError(keysOf(next), (detail) => unusable(path, detail)))
      if (next === now) yield* fs.remove(draftPath)
      else {
        yield* draft.writeAll(encode(next))
        yield* draft.sync
        yield* fs.rename(draftPath, path)
        // The rename outlives a loss of power once the folder is synced, which not every file system can.
        yield* Effect.ignore(Effect.flatMap(fs.open(folder, { flag: "r" }), ({ sync }) => sync))
      }
      return keys
    }).pipe(Effect.onError(() => Effect.ignore(fs.remove(draftPath))))
  }).pipe(
    Effect.catchTag("PlatformError", unavailable(folder, folderRemedy)),
    Effect.scoped,
    // Nobody may stop between the open and the rename, or the draft would stay and lock everyone out.
    Effect.uninterruptible
  )

/** Two seconds in all: a change by someone else takes milliseconds. */
const patience = { schedule: Schedule.spaced("20 millis"), times: 100 }

const take = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.open(path, { flag: "wx", mode: 0o600 }).pipe(
    Effect.retry({ ...patience, while: isTaken }),
    Effect.mapError((error) => isTaken(error) ? busy(path) : error)
  )
})

const isTaken = (error: PlatformError.PlatformError): boolean => error.reason._tag === "AlreadyExists"

const busy = (path: string): KeyError => {
  const remedy = `wait for whoever changes the keys; if nobody does, one was killed: remove ${path}`
  return new KeyError({ reason: new Busy({ path, detail: "the keys are being changed", remedy }) })
}
