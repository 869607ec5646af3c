/**
 * Tells whether a run goes round in circles, from what it has asked for so far and what it was answered: one call again
 * and again, a few calls in turns, turn after turn with nothing new. Everything that it looks at is in the log, so that a
 * run that comes later judges the same.
 */

/** A call that was answered, in the order of the run. */
export interface Asked {
  readonly tool: string
  /** The tool and its arguments, in one spelling. */
  readonly what: string
  /** What it brought, in one spelling; `null` when it brought nothing. */
  readonly found: string | null
  /** The turn in which it was asked for, from 0. */
  readonly turn: number
}

/** When it is enough. */
export interface Bounds {
  /** How often one call, with the same arguments, is run. */
  readonly maxRepeats: number
  /** Rounds of the same few calls with the same answers, after which none of them is run once more. */
  readonly maxRounds: number
  /** Turns in a row whose calls brought nothing that was not known. */
  readonly maxStale: number
}

/** Three times, two rounds, six turns. */
export const standard: Bounds = { maxRepeats: 3, maxRounds: 2, maxStale: 6 }

/** What a loop is, and what whoever is in it may do. */
export interface Loop {
  readonly kind: "repetition" | "cycle" | "no_evidence"
  readonly detail: string
  readonly remedy: string
}

/** Why a call is not run, if it would only go round. */
export const before = (what: string, asked: ReadonlyArray<Asked>, bounds: Bounds): Loop | undefined => {
  const period = periods.find((length) => isRound(what, asked, length, bounds.maxRounds))
  if (period !== undefined) {
    return {
      kind: "cycle",
      detail: `the same ${period} calls were asked for in ${bounds.maxRounds} rounds, with the same answers`,
      remedy: "use what they answered, or ask for something else"
    }
  }
  return asked.filter((call) => call.what === what).length < bounds.maxRepeats ? undefined : {
    kind: "repetition",
    detail: `it was asked for ${bounds.maxRepeats} times before`,
    remedy: "use what it answered, or ask for something else"
  }
}

/** Whether the turns up to now have long brought nothing new. */
export const stale = (asked: ReadonlyArray<Asked>, bounds: Bounds): Loop | undefined => {
  const turns = [...new Set(asked.map(({ turn }) => turn))]
  const seen = new Set<string>()
  let fresh = -1
  for (const [index, turn] of turns.entries()) {
    for (const { found, tool } of asked.filter((call) => call.turn === turn)) {
      if (found === null) continue
      const brought = `${tool} ${found}`
      if (!seen.has(brought)) fresh = index
      seen.add(brought)
    }
  }
  return turns.length - 1 - fresh < bounds.maxStale ? undefined : {
    kind: "no_evidence",
    detail: `${bounds.maxStale} turns in a row brought nothing new`,
    remedy: "give it a tool that can tell more, or ask less of it"
  }
}

// internal

/** Lengths of rounds that are looked for; one call alone is a repetition. */
const periods = [2, 3, 4] as const

/** Whether the last calls that were answered are so many rounds of the same, answers and all, and `what` goes on so. */
const isRound = (what: string, asked: ReadonlyArray<Asked>, length: number, rounds: number): boolean => {
  const last = asked.filter(({ found }) => found !== null).slice(-length * rounds)
  return last.length === length * rounds && last.some((call) => call.what === what) &&
    new Set(last.slice(0, length).map((call) => call.what)).size > 1 &&
    last.every((call, index) => {
      const model = last[index % length]
      return call.what === model?.what && call.found === model.found
    })
}
