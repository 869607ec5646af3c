/** What every place for requests keeps: one line for each. */
import { assert, layer } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { Requests } from "../../src/operator/index.ts"

let count = 0
const request = (parts: Partial<Requests.Request> = {}): Requests.Request => ({
  caller: "ada",
  key: `key-${++count}`,
  fingerprint: "f1",
  at: 1000,
  ...parts
})
const answer: Requests.Answer = { status: 201, contentType: "application/json", body: "{\"a\":\"ü 'x' \\u0000\"}" }

/** Runs the contract. */
export const suite = <E>(name: string, requests: Layer.Layer<Requests.Requests, E>): void =>
  layer(requests, { excludeTestServices: true, timeout: "60 seconds" })(name, (it) => {
    it.effect("a key is new once, and tells what was answered after", () =>
      Effect.gen(function*() {
        const { begin, finish } = yield* Requests.Requests
        const first = request()
        assert.deepStrictEqual(yield* begin(first), { _tag: "New" })
        assert.deepStrictEqual(yield* begin({ ...first, at: 9000 }), { _tag: "Begun", fingerprint: "f1", at: 1000 })
        yield* finish(first, answer)
        assert.deepStrictEqual(yield* begin({ ...first, fingerprint: "f2" }), {
          _tag: "Answered",
          fingerprint: "f1",
          answer
        })
        assert.deepStrictEqual(yield* begin({ ...first, caller: "grace" }), { _tag: "New" })
      }))

    it.effect("what is told once is not kept", () =>
      Effect.gen(function*() {
        const { begin, finish } = yield* Requests.Requests
        const first = request()
        yield* begin(first)
        yield* finish(first, null)
        assert.deepStrictEqual(yield* begin(first), { _tag: "Told", fingerprint: "f1" })
      }))

    it.effect("a key is free again when nothing was done, and after its time", () =>
      Effect.gen(function*() {
        const { begin, finish, forget, release } = yield* Requests.Requests
        const first = request()
        yield* begin(first)
        yield* release(first)
        assert.deepStrictEqual(yield* begin(first), { _tag: "New" })
        yield* finish(first, answer)
        yield* forget(1000)
        assert.strictEqual((yield* begin(first))._tag, "Answered")
        yield* forget(1001)
        assert.deepStrictEqual(yield* begin(first), { _tag: "New" })
      }))

    it.effect("of many at the same time, one is new", () =>
      Effect.gen(function*() {
        const { begin } = yield* Requests.Requests
        const first = request()
        const all = yield* Effect.all(Array.from({ length: 20 }, () => begin(first)), { concurrency: "unbounded" })
        assert.lengthOf(all.filter(({ _tag }) => _tag === "New"), 1)
      }))
  })
