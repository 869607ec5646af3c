/** Secrets for tests to hide, and a check that none has come through. */
import { assert } from "@effect/vitest"
import fc from "fast-check"
import { kinds } from "../trust/secrets.ts"

/** One secret of each kind, and the part that must be nowhere. */
export const planted = Object.entries(kinds).map(([kind, made]) => {
  const [[secret, core] = ["", ""]] = fc.sample(made, { numRuns: 1, seed: 77 })
  return { kind, secret, core }
})

export const nowhereIn = (what: string, text: string): void => {
  for (const { core, kind } of planted) assert.isFalse(text.includes(core), `${kind} is in ${what}`)
}
