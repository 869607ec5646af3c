/**
 * Units that a number is measured in, as far as one can be turned into another: shares, times, sizes, frequencies and what
 * happens in a time. A unit is a dimension and a factor; numbers with units of two dimensions are never the same.
 */

/** What a number counts, and how much of the dimension's base one of it is. */
export interface Unit {
  readonly dimension: string
  readonly factor: number
}

/** The unit with that name, such as `ms`, `%`, `MB/s` or `/s`; `undefined` for any other word. */
export const named = (name: string): Unit | undefined => {
  const [above = "", below] = name.split("/")
  const counted = above === "" && below !== undefined ? none : simple.get(above) ?? simple.get(above.toLowerCase())
  if (below === undefined) return counted
  const per = simple.get(below)
  if (counted === undefined || per?.dimension !== "time") return undefined
  return { dimension: `${counted.dimension}/time`, factor: counted.factor / per.factor }
}

/** The unit that follows a number directly or after one space, and where it ends in the text; if there is one. */
export const after = (text: string, at: number): { readonly unit: Unit; readonly end: number } | undefined => {
  follows.lastIndex = at
  const [whole = "", name = ""] = follows.exec(text) ?? []
  const unit = name === "" ? undefined : named(name)
  return unit === undefined ? undefined : { unit, end: at + whole.length }
}

/** The unit that a field's name ends with, as in `latency_ms` or `bytes`. */
export const ofField = (name: string): Unit | undefined => {
  const [, last = ""] = /(?:^|[_.-])([a-zµ%]+)$/iu.exec(name.replace(/([a-z])(?=[A-Z])/g, "$1_")) ?? []
  return last.length < 2 ? undefined : named(last) ?? shares.get(last.toLowerCase())
}

/** Counted things: no measure, and never the same as one. */
export const things: Unit = { dimension: "things", factor: 1 }
/** A share of a whole, written as a number from 0 to 1. */
export const ratio: Unit = { dimension: "share", factor: 1 }

/** What a conversion gives, without the tail of digits that binary arithmetic leaves. */
export const close = (value: number): number => Number(value.toPrecision(14))

// internal

const none: Unit = { dimension: "times", factor: 1 }
const shares = new Map([["ratio", ratio], ["pct", { dimension: "share", factor: 0.01 }]])

const table: Readonly<Record<string, ReadonlyArray<readonly [factor: number, names: string]>>> = {
  share: [[0.01, "% percent pct"], [0.001, "‰"]],
  time: [
    [1e-9, "ns nanosecond nanoseconds"],
    [1e-6, "µs μs us microsecond microseconds"],
    [1e-3, "ms msec millis millisecond milliseconds"],
    [1, "s sec secs second seconds"],
    [60, "min mins minute minutes"],
    [3600, "h hr hrs hour hours"],
    [86_400, "d day days"],
    [604_800, "week weeks"]
  ],
  size: [
    [1, "B byte bytes"],
    [1e3, "kB KB kb kilobyte kilobytes"],
    [1e6, "MB mb megabyte megabytes"],
    [1e9, "GB gb gigabyte gigabytes"],
    [1e12, "TB tb terabyte terabytes"],
    [1e15, "PB petabyte petabytes"],
    [1024, "KiB"],
    [1024 ** 2, "MiB"],
    [1024 ** 3, "GiB"],
    [1024 ** 4, "TiB"]
  ],
  frequency: [[1, "Hz hz"], [1e3, "kHz"], [1e6, "MHz"], [1e9, "GHz"]]
}

const simple: ReadonlyMap<string, Unit> = new Map(
  Object.entries(table).flatMap(([dimension, units]) =>
    units.flatMap(([factor, names]) => names.split(" ").map((name): [string, Unit] => [name, { dimension, factor }]))
  )
)

/** A word or a sign right behind a number, as long as it goes. */
const follows = /[ \u00a0-]?(%|‰|(?:\p{L}+)?(?:\/\p{L}+)?)(?![\p{L}\p{N}])/uy
