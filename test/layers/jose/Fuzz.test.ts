/** Whatever else arrives: random changes of a good token, and random texts. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import { KeySet } from "../../../layers/jose/index.ts"
import { Tokens } from "../../../src/capability/index.ts"
import { forgeOurs, issuedAt, layer, session } from "./fixture.ts"

const encode = (text: string | Uint8Array) => Buffer.from(text).toString("base64url")

describe("a changed token", () => {
  const position = fc.nat({ max: 2000 })
  const letter = fc.constantFrom(..."ABCxyz019-_.=+/ \n\0{}\"é")
  const mutation: fc.Arbitrary<(token: string, other: string) => string> = fc.oneof(
    fc.tuple(position, letter).map(([at, by]) => (token: string) => {
      const i = at % token.length
      return token.slice(0, i) + by + token.slice(i + 1)
    }),
    fc.tuple(position, letter).map(([at, by]) => (token: string) => {
      const i = at % (token.length + 1)
      return token.slice(0, i) + by + token.slice(i)
    }),
    fc.tuple(position, fc.integer({ min: 1, max: 80 })).map(([at, many]) => (token: string) => {
      const i = at % token.length
      return token.slice(0, i) + token.slice(i + many)
    }),
    fc.tuple(position, position).map(([a, b]) => (token: string) => {
      const [i, j] = [a % token.length, b % token.length]
      const letters = [...token]
      ;[letters[i], letters[j]] = [letters[j] ?? "", letters[i] ?? ""]
      return letters.join("")
    }),
    position.map((at) => (token: string, other: string) => {
      const i = at % token.length
      return token.slice(0, i) + other.slice(i)
    }),
    fc.constantFrom(1, 2).map((part) => (token: string, other: string) => {
      const theirs = other.split(".")
      return token.split(".").map((own, i) => i === part ? theirs[i] : own).join(".")
    }),
    fc.string({ maxLength: 300, unit: "binary" }).map((text) => () => text),
    fc.tuple(fc.json(), fc.json(), fc.uint8Array({ minLength: 64, maxLength: 64 })).map((
      [header, payload, signature]
    ) =>
    () => `${encode(header)}.${encode(payload)}.${encode(signature)}`)
  )

  it.effect("never verifies unless it is the same again: 2,000 changes", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(issuedAt * 1000)
      const tokens = yield* Tokens.Tokens
      const keys = yield* KeySet.KeySet
      const token = forgeOurs(keys)
      const other = forgeOurs(keys, {}, { jti: "token-3", budget: 7, sid: "session-2" })
      // Some changes change nothing, such as a letter put in its own place: those do not count.
      const changed = fc.sample(mutation, { numRuns: 2400, seed: 20_260 })
        .map((change) => change(token, other))
        .filter((text) => text !== token)
        .slice(0, 2000)
      assert.strictEqual(changed.length, 2000)
      for (const [i, text] of changed.entries()) {
        // The second half meets a token whose verdict is kept.
        if (i === 1000) yield* tokens.verify(token, session)
        assert.isTrue(Exit.hasFails(yield* Effect.exit(tokens.verify(text, session))), text)
      }
    }).pipe(Effect.provide(layer)))
})
