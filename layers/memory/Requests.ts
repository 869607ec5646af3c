/** Requests and their answers in memory: they go with the process. */
import { Effect, Layer } from "effect"
import { Requests } from "../../src/operator/index.ts"

interface Kept extends Requests.Request {
  readonly answer?: Requests.Answer | null
}

/** A memory of its own. */
export const layer: Layer.Layer<Requests.Requests> = Layer.sync(Requests.Requests, () => {
  const kept = new Map<string, Kept>()
  const nameOf = ({ caller, key }: Requests.Request) => JSON.stringify([caller, key])
  return {
    begin: (request) =>
      Effect.sync(() => {
        const found = kept.get(nameOf(request))
        if (found !== undefined) return knownOf(found)
        kept.set(nameOf(request), request)
        return { _tag: "New" }
      }),
    finish: (request, answer) =>
      Effect.sync(() => {
        const found = kept.get(nameOf(request))
        if (found !== undefined) kept.set(nameOf(request), { ...found, answer })
      }),
    release: (request) => Effect.sync(() => void kept.delete(nameOf(request))),
    forget: (before) =>
      Effect.sync(() => {
        for (const [name, { at }] of kept) if (at < before) kept.delete(name)
      })
  }
})

// internal

const knownOf = ({ answer, at, fingerprint }: Kept): Requests.Known => {
  if (answer === undefined) return { _tag: "Begun", fingerprint, at }
  return answer === null ? { _tag: "Told", fingerprint } : { _tag: "Answered", fingerprint, answer }
}
