/** How much a request may ask of the server. What goes beyond is answered so, and nothing is done. */

export { isDeeper } from "../Depth.ts"

/** The limits of one server. */
export interface Limits {
  /** Bytes of a body. */
  readonly bodyBytes: number
  /** Levels of a JSON body. */
  readonly depth: number
  /** How long an answer may take to begin, milliseconds. */
  readonly timeMs: number
  /** Requests of one caller: so many a second in the long run, and so many at once. */
  readonly perSecond: number
  readonly burst: number
}

/** A mebibyte, 64 levels, a minute; a hundred requests a second, two hundred at once. */
export const standard: Limits = { bodyBytes: 1_048_576, depth: 64, timeMs: 60_000, perSecond: 100, burst: 200 }

/** Counts requests by caller, in this process. */
export const counting = ({ burst, perSecond }: Pick<Limits, "burst" | "perSecond">) => {
  const left = new Map<string, { tokens: number; at: number }>()
  /** Takes one request at `now`; gives the seconds to wait when there is none left, else 0. */
  return (caller: string, now: number): number => {
    const kept = left.get(caller) ?? { tokens: burst, at: now }
    const tokens = Math.min(burst, kept.tokens + Math.max(0, now - kept.at) / 1000 * perSecond)
    left.set(caller, { tokens: tokens < 1 ? tokens : tokens - 1, at: now })
    return tokens < 1 ? Math.max(1, Math.ceil((1 - tokens) / perSecond)) : 0
  }
}
