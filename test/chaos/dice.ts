/** Chance that can be had again: the same seed throws the same numbers. */

/** A die of its own. */
export interface Dice {
  /** From 0 up to, and without, `below`. */
  readonly whole: (below: number) => number
  /** Whether it happens, at `share` of all times. */
  readonly happens: (share: number) => boolean
  readonly oneOf: <A>(all: readonly [A, ...ReadonlyArray<A>]) => A
}

/** Marsaglia's xorshift on 32 bits: enough for choices, and for nothing else. */
export const make = (seed: number): Dice => {
  let state = (seed ^ 0x9e3779b9) | 1
  const next = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 0x1_0000_0000
  }
  for (let n = 0; n < 16; n++) next()
  const whole = (below: number) => Math.floor(next() * below)
  return {
    whole,
    happens: (share) => next() < share,
    oneOf: (all) => all[whole(all.length)] ?? all[0]
  }
}
