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
  /** Streams that one caller has open at the same time, and calls that wait: each holds a connection. */
  readonly streams: number
  /** Requests of one address, and with one token's id, that show nothing anybody is let in with: so many a minute and at once. */
  readonly failuresPerMinute: number
  readonly failures: number
}

/**
 * A mebibyte, 64 levels, a minute; a hundred requests a second, two hundred at once; a hundred streams; ten failures a minute,
 * twenty at once.
 */
export const standard: Limits = {
  bodyBytes: 1_048_576,
  depth: 64,
  timeMs: 60_000,
  perSecond: 100,
  burst: 200,
  streams: 100,
  failuresPerMinute: 10,
  failures: 20
}

/** What is counted under names, in this process: so many at once, and so many a second in the long run. */
export interface Counting {
  /** Seconds until one more is free, as one asks; 0 when one is. Takes nothing. */
  readonly wait: (name: string, now: number) => number
  /** Takes one, if there is one. */
  readonly take: (name: string, now: number) => void
  /** Names that are remembered. */
  readonly size: () => number
}

/** Nothing is counted under more than `names` names: those that were not heard of for longest are counted anew. */
export const counting = (
  { burst, names, perSecond }: { readonly burst: number; readonly perSecond: number; readonly names: number }
): Counting => {
  const left = new Map<string, { readonly tokens: number; readonly at: number }>()
  const at = (name: string, now: number): number => {
    const kept = left.get(name)
    return kept === undefined ? burst : Math.min(burst, kept.tokens + Math.max(0, now - kept.at) / 1000 * perSecond)
  }
  return {
    wait: (name, now) => {
      const tokens = at(name, now)
      return tokens < 1 ? Math.max(1, Math.ceil((1 - tokens) / perSecond)) : 0
    },
    take: (name, now) => {
      const tokens = at(name, now)
      left.delete(name)
      left.set(name, { tokens: tokens < 1 ? tokens : tokens - 1, at: now })
      const [oldest] = left.keys()
      if (left.size > names && oldest !== undefined) left.delete(oldest)
    },
    size: () => left.size
  }
}

/** Whom requests come from, as failed ones are counted: an IPv6 network is one, for whoever has an address has all of it. */
export const addressOf = (address: string): string => {
  const plain = address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, "").replace(/%.*$/, "")
  if (!plain.includes(":")) return plain
  const [head = "", tail = ""] = plain.split("::")
  const before = head === "" ? [] : head.split(":")
  const after = tail === "" ? [] : tail.split(":")
  const zeros = plain.includes("::") ? Math.max(0, 8 - before.length - after.length) : 0
  const groups = [...before, ...Array<string>(zeros).fill("0"), ...after]
  return `${groups.slice(0, networkGroups).map((group) => group.replace(/^0+(?=.)/, "")).join(":")}::/64`
}

// internal

/** Of an IPv6 address, what one network has in common. */
const networkGroups = 4
