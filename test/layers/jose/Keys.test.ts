/** Where keys live, who may see them, and how they change. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, FileSystem } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { TestClock } from "effect/testing"
import { calculateJwkThumbprint } from "jose"
import { generateKeyPairSync } from "node:crypto"
import { join } from "node:path"
import { inspect } from "node:util"
import { Jwk, Keys } from "../../../layers/jose/index.ts"
import { freshFolder, until } from "./fixture.ts"

const provided = Effect.provide(NodeServices.layer)

const mode = (path: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => Effect.map(fs.stat(path), (info) => info.mode & 0o777))

/** A folder in which someone put this text as the key file. */
const holding = (text: string, fileMode = 0o600) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* freshFolder
    yield* fs.makeDirectory(folder, { mode: 0o700 })
    const path = join(folder, Keys.fileName)
    yield* fs.writeFileString(path, text)
    yield* fs.chmod(path, fileMode)
    return { folder, path }
  })

const reasonOf = <A, R>(self: Effect.Effect<A, Keys.KeyError, R>) =>
  Effect.map(Effect.flip(self), ({ reason }) => reason)

const made = () => generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" })
const without = (jwk: object, name: string) => Object.fromEntries(Object.entries(jwk).filter(([key]) => key !== name))
const set = (...keys: ReadonlyArray<object>) => JSON.stringify({ keys })

const foreign = {
  EC: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  RSA: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  X25519: () => generateKeyPairSync("x25519")
}
const exported = (type: keyof typeof foreign) => foreign[type]().privateKey.export({ format: "jwk" })

/** Every way to come near the keys. */
const attempts = (folder: string, path: string) => [
  Effect.asVoid(Keys.read(path)),
  Effect.asVoid(Keys.loadOrCreate(folder)),
  Effect.asVoid(Keys.rotate(folder))
]

describe("the key file", () => {
  it.effect("is made once, for us alone, and named by thumbprints", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* freshFolder
      const { newest, pairs } = yield* Keys.loadOrCreate(folder)
      assert.strictEqual(pairs.length, 1)
      assert.strictEqual(yield* mode(folder), 0o700)
      assert.strictEqual(yield* mode(join(folder, Keys.fileName)), 0o600)
      assert.deepStrictEqual(yield* fs.readDirectory(folder), [Keys.fileName])
      const thumbprint = yield* Effect.promise(() => calculateJwkThumbprint({ ...newest.jwk }))
      assert.strictEqual(newest.jwk.kid, thumbprint)
      const again = yield* Keys.loadOrCreate(folder)
      assert.deepStrictEqual(again.newest.jwk, newest.jwk)
    }).pipe(provided))

  it.live("is made once by processes that race, and by fibers", () =>
    Effect.gen(function*() {
      const folder = yield* freshFolder
      const kids = new Set(yield* inProcesses("create", folder, 5))
      assert.strictEqual(kids.size, 1)
      const { pairs } = yield* Keys.loadOrCreate(folder)
      assert.deepStrictEqual(pairs.map(({ jwk }) => jwk.kid), [...kids])
      const other = yield* freshFolder
      const all = yield* Effect.all(Array.from({ length: 20 }, () => Keys.loadOrCreate(other)), {
        concurrency: "unbounded"
      })
      assert.strictEqual(new Set(all.map(({ newest }) => newest.jwk.kid)).size, 1)
    }).pipe(provided), 60_000)

  it.live("loses no key when processes rotate at once", () =>
    Effect.gen(function*() {
      const folder = yield* freshFolder
      const { newest } = yield* Keys.loadOrCreate(folder)
      const kids = yield* inProcesses("rotate", folder, 4)
      const { pairs } = yield* Keys.loadOrCreate(folder)
      assert.sameMembers(pairs.map(({ jwk }) => jwk.kid), [newest.jwk.kid, ...kids])
      assert.strictEqual(pairs.length, 5)
    }).pipe(provided), 60_000)
})

describe("the modes of the key file", () => {
  it.effect("let others near it and it is refused, with a remedy that works", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      for (const open of [0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o644, 0o666, 0o777]) {
        const { folder, path } = yield* holding(set(made()), open)
        for (const attempt of attempts(folder, path)) {
          const reason = yield* reasonOf(attempt)
          assert.strictEqual(reason._tag, "Exposed")
          assert.strictEqual(reason.remedy, `run: chmod 600 ${path}`)
        }
        yield* fs.chmod(path, 0o600)
        assert.strictEqual((yield* Keys.loadOrCreate(folder)).pairs.length, 1)
      }
      const { path } = yield* holding(set(made()), 0o400)
      assert.strictEqual((yield* Keys.read(path)).pairs.length, 1)
    }).pipe(provided))

  it.effect("of its folder let others replace it: it is refused, and none is made there", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      for (const open of [0o770, 0o720, 0o702, 0o777]) {
        const { folder } = yield* holding(set(made()))
        const empty = yield* freshFolder
        yield* fs.makeDirectory(empty)
        for (const path of [folder, empty]) {
          yield* fs.chmod(path, open)
          const reason = yield* reasonOf(Keys.loadOrCreate(path))
          assert.strictEqual(reason._tag, "Exposed")
          assert.strictEqual(reason.remedy, `run: chmod 700 ${path}`)
        }
        assert.deepStrictEqual(yield* fs.readDirectory(empty), [])
      }
    }).pipe(provided))
})

describe("the content of the key file", () => {
  it.effect("is refused, and left alone, when it holds anything but signing keys", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const a = made()
      const b = made()
      const wrong: Readonly<Record<string, readonly [text: string, detail: RegExp]>> = {
        empty: ["", /no JSON Web Key Set/],
        broken: [set(a).slice(0, -2), /no JSON Web Key Set/],
        "a key alone": [JSON.stringify(a), /no JSON Web Key Set/],
        "keys of another type": [JSON.stringify({ keys: { a } }), /no JSON Web Key Set/],
        "a list of texts": [JSON.stringify({ keys: ["a"] }), /no JSON Web Key Set/],
        "a member twice": [`{"keys":[],"keys":[${JSON.stringify(a)}]}`, /no JSON Web Key Set/],
        "no key": [set(), /no key/],
        "EC": [set(exported("EC")), /not one for EdDSA/],
        "RSA": [set(a, exported("RSA")), /not one for EdDSA/],
        "X25519": [set(exported("X25519")), /not one for EdDSA/],
        "a shared secret": [set(a, { kty: "oct", k: "AAAA" }), /not one for EdDSA/],
        "only public": [set(without(a, "d"), without(b, "d")), /no private key/],
        "public and private": [set(a, without(b, "d")), /mixes/],
        "one kid for two": [set({ ...a, kid: "k" }, { ...b, kid: "k" }), /the same kid/],
        "one key twice": [set(a, a), /the same kid/],
        "a kid of its own": [set({ ...a, kid: "k" }), /not the thumbprint/],
        "an empty kid": [set({ ...a, kid: "" }), /no kid/],
        "halves of two keys": [set({ ...a, d: b.d }), /not the half/],
        "half a private key": [set({ ...a, d: a.d?.slice(0, 20) }), /private key is malformed/],
        "a number": [set({ ...a, d: 1 }), /private key is malformed/],
        "padding": [set({ ...a, d: `${a.d}=` }), /private key is malformed/],
        "half a public key": [set({ ...a, x: a.x?.slice(0, 20) }), /a key is malformed/],
        "another algorithm": [set({ ...a, alg: "ES256" }), /not for EdDSA/],
        "another use": [set({ ...a, use: "enc" }), /not for signatures/],
        "another operation": [set({ ...a, key_ops: ["verify"] }), /does not sign/],
        "operations that are no list": [set({ ...a, key_ops: "sign" }), /does not sign/],
        "too many": [set(...Array.from({ length: Jwk.maxKeys + 1 }, made)), /more than 16/],
        "too long": [`${set(a)}${" ".repeat(Keys.maxFileBytes)}`, /longer than/]
      }
      for (const [name, [text, detail]] of Object.entries(wrong)) {
        const { folder, path } = yield* holding(text)
        for (
          const attempt of [...attempts(folder, path), Keys.retire(folder, "k")]
        ) {
          const reason = yield* reasonOf(attempt)
          assert.strictEqual(reason._tag, "Unusable", name)
          assert.match(reason.detail, detail, name)
          assert.include(reason.remedy, "restore the key file")
          for (const secret of [a.d, b.d]) assert.notInclude(inspect(reason, { depth: 9 }), secret ?? "")
        }
        assert.strictEqual(yield* fs.readFileString(path), text, name)
        assert.deepStrictEqual(yield* fs.readDirectory(folder), [Keys.fileName], name)
      }
    }).pipe(provided))

  it.effect("may leave out what can be computed, and say more than is needed", () =>
    Effect.gen(function*() {
      const a = made()
      const { path } = yield* holding(set(a, { ...made(), alg: "EdDSA", use: "sig", key_ops: ["sign"], iat: 1 }))
      const { newest, pairs } = yield* Keys.read(path)
      assert.strictEqual(pairs.length, 2)
      assert.strictEqual(newest.jwk.x, a.x)
    }).pipe(provided))

  it.effect("that someone else provides has to be there", () =>
    Effect.gen(function*() {
      const folder = yield* freshFolder
      const reason = yield* reasonOf(Keys.read(join(folder, "jwks.json")))
      assert.strictEqual(reason._tag, "Unavailable")
      assert.include(reason.remedy, "check that the key file is there")
    }).pipe(provided))
})

describe("a change of the key file", () => {
  it.effect("waits for another, and gives up with a remedy", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* freshFolder
      const { newest } = yield* Keys.loadOrCreate(folder)
      const draft = join(folder, `${Keys.fileName}.new`)
      yield* fs.writeFileString(draft, "")
      const fiber = yield* Effect.forkChild(reasonOf(Keys.rotate(folder)))
      yield* until(() => fiber.pollUnsafe() !== undefined, TestClock.adjust("20 millis"))
      const reason = yield* Fiber.join(fiber)
      assert.strictEqual(reason._tag, "Busy")
      assert.include(reason.remedy, `remove ${draft}`)
      assert.isTrue(yield* fs.exists(draft))
      yield* fs.remove(draft)
      const kid = yield* Keys.rotate(folder)
      const { pairs } = yield* Keys.loadOrCreate(folder)
      assert.deepStrictEqual(pairs.map(({ jwk }) => jwk.kid), [kid, newest.jwk.kid])
    }).pipe(provided))

  it.effect("leaves a key, adds only so many and removes only its own", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* freshFolder
      const path = join(folder, Keys.fileName)
      const { newest } = yield* Keys.loadOrCreate(folder)
      const refusals = [
        [Keys.retire(folder, newest.jwk.kid), /only key/],
        [Keys.retire(folder, "k"), /no key has this kid/]
      ] as const
      for (const [attempt, detail] of refusals) {
        const before = yield* fs.readFileString(path)
        const reason = yield* reasonOf(attempt)
        assert.strictEqual(reason._tag, "Unchangeable")
        assert.match(reason.detail, detail)
        assert.strictEqual(yield* fs.readFileString(path), before)
      }
      yield* Effect.replicateEffect(Keys.rotate(folder), Jwk.maxKeys - 1, { discard: true })
      assert.strictEqual((yield* reasonOf(Keys.rotate(folder)))._tag, "Unchangeable")
      yield* Keys.retire(folder, newest.jwk.kid)
      yield* Keys.rotate(folder)
      assert.strictEqual((yield* Keys.loadOrCreate(folder)).pairs.length, Jwk.maxKeys)
      assert.strictEqual(yield* mode(path), 0o600)
    }).pipe(provided))
})

/** The kids that processes print which all make the same change at the same time. */
const inProcesses = (change: "create" | "rotate", folder: string, count: number) =>
  Effect.gen(function*() {
    const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
    const startAt = (yield* Clock.currentTimeMillis) + 2500
    const script = `${import.meta.dirname}/change.ts`
    const run = spawner.string(ChildProcess.make(process.execPath, [script, change, folder, String(startAt)]))
    return yield* Effect.all(Array.from({ length: count }, () => run), { concurrency: "unbounded" })
  })
