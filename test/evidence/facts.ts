/** Facts as tools report them, and sentences that state them truly, all from one seed. */
import type { Schema } from "effect"
import type { Evidence } from "../../src/evidence/index.ts"

/** Random numbers in [0, 1) that are the same in every run. */
export const generator = (seed: number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** What one tool call brought; `said` is the sentence that it offers for quoting. */
export interface Fact {
  readonly host: string
  readonly address: string
  readonly errors: number
  readonly ratio: number
  readonly change: number
  readonly latency: number
  readonly at: number
  readonly history: ReadonlyArray<number>
  readonly said: string
}

/** The fact of a number; no two have a host in common. */
export const fact = (index: number): Fact => {
  const random = generator(index + 1)
  const below = (bound: number) => Math.floor(random() * bound)
  const host = `web-${String(index).padStart(3, "0")}`
  const errors = 1000 + below(90_000)
  const ratio = (50 + below(490) / 10) / 100
  const change = -(1 + below(900) / 10)
  const latency = below(10_000) / 1e4 + 0.0001
  const said = `${errors.toLocaleString("en-US")} errors on ${host}, ${1 + below(4)} of 5 workers inactive\n` +
    `"p95" went from ${below(9)}.5 s to ${10 + below(80)} s, ${2 + below(7)}× as slow`
  return {
    host,
    address: `10.${below(250)}.${below(250)}.${below(250)}`,
    errors,
    ratio: Number(ratio.toPrecision(3)),
    change,
    latency,
    at: Date.UTC(2026, below(12), 1 + below(27), below(24), below(60), below(60), below(1000)),
    history: [below(100), below(1000), below(10_000)],
    said
  }
}

/** A true sentence about a fact, with what it cites. */
export interface Statement {
  readonly text: string
  readonly cites: ReadonlyArray<Cite>
}

/** A citation without its stamp. */
export type Cite = Evidence.Citation extends infer C ? C extends Evidence.Citation ? Omit<C, "stamp"> : never : never

const quote = (quote: string): Cite => ({ quote })
const value = (path: string, equals: Schema.Json): Cite => ({ path, equals })
const iso = (at: number, ...part: ReadonlyArray<number>) => new Date(at).toISOString().slice(...part)

/** Ways to state a fact by words of its record: as it is said, by value, in other units, notations and orders. */
export const statements: ReadonlyArray<(fact: Fact) => Statement> = [
  ({ said }) => ({ text: said, cites: [quote(said)] }),
  ({ said }) => ({ text: said.split("\n")[1] ?? "", cites: [quote(said.split("\n")[1] ?? "")] }),
  ({ said }) => ({ text: "workers are inactive, as it says", cites: [quote(said.replaceAll(/\s/g, "  \n\t"))] }),
  ({ errors, host }) => ({
    text: `${host} had ${errors} errors.`,
    cites: [quote(`${errors.toLocaleString("en-US")} errors on ${host}`)]
  }),
  ({ errors, host }) => ({
    text: `${errors.toLocaleString("en-US")} errors (on ${host})!`,
    cites: [quote(`"errors":${errors}`), quote(host)]
  }),
  ({ errors }) => ({ text: `errors: ${errors}`, cites: [quote(`"errors":${errors}`)] }),
  ({ host, ratio }) => ({
    text: `${host} is at ${Number((ratio * 100).toPrecision(3))}%`,
    cites: [quote(`"ratio":${ratio}`), quote(`"host":"${host}"`)]
  }),
  ({ host, ratio }) => ({
    text: `The share of ${host.toUpperCase()} is ${ratio}`,
    cites: [quote(`"host":"${host}"`), quote(`"ratio":${ratio}`)]
  }),
  ({ change }) => ({ text: `it changed by ${change}`, cites: [quote(`"change":${change}`)] }),
  ({ change }) => ({ text: `it changed by −${-change}`, cites: [quote(`"change":${change}`)] }),
  ({ change }) => ({ text: `it fell by ${-change}`, cites: [quote(`"change":${change}`)] }),
  ({ latency }) => ({ text: `it took ${latency}s`, cites: [quote(`"latency":${latency}`)] }),
  ({ address }) => ({ text: `it is ${address}:`, cites: [quote(address)] }),
  ({ at }) => ({ text: `at ${iso(at)}`, cites: [quote(`"at":${at}`)] }),
  ({ at }) => ({ text: `since ${iso(at, 0, 16)}Z`, cites: [quote(`"at":${at}`)] }),
  ({ at }) => ({ text: `on ${iso(at, 0, 10)}, ${iso(at, 11, 16)}`, cites: [quote(`"at":${at}`)] }),
  ({ history }) => ({
    text: `from ${history[0]} to ${history[2]}, ${history[0]}–${history[2]}`,
    cites: [quote(`"history":${JSON.stringify(history)}`)]
  }),
  ({ history, host }) => ({
    text: `${host} reached ${history[1]}.`,
    cites: [quote(`"history":${JSON.stringify(history)}`), quote(host)]
  }),
  ({ host, said }) => ({
    text: `Of ${host}, workers are inactive.`,
    cites: [quote(`${/\d of 5/.exec(said)?.[0]} workers inactive`), quote(host)]
  })
]

/** Ways to state a fact by what extractors take from its record. */
export const extracted: ReadonlyArray<(fact: Fact) => Statement> = [
  ({ errors }) => ({ text: `${errors} errors`, cites: [value("/errors", errors)] }),
  ({ host, ratio }) => ({
    text: `${host} is at ${Number((ratio * 100).toPrecision(3))} percent`,
    cites: [value("/host", host), value("/ratio", ratio)]
  }),
  ({ history }) => ({ text: `the last was ${history[2]}`, cites: [value("/history/2", history[2] ?? 0)] }),
  ({ history }) => ({ text: `it was ${history.join(", then ")}`, cites: [value("/history", [...history])] }),
  ({ at }) => ({ text: `it was on ${iso(at, 0, 10)}`, cites: [value("/at", at)] }),
  ({ host, ...rest }) => ({
    text: `${host} is the host`,
    cites: [value("", { ...rest, host, history: [...rest.history] })]
  }),
  ({ ratio }) => ({
    text: `it is at ${Number((ratio * 100).toPrecision(3))}%`,
    cites: [{ path: "/ratio", number: Number((ratio * 100).toPrecision(3)), unit: "%" }]
  }),
  ({ ratio }) => ({
    text: `about ${Number((ratio * 100).toPrecision(2))}%`,
    cites: [{ path: "/ratio", number: Number((ratio * 100).toPrecision(2)), unit: "%", digits: 2 }]
  }),
  ({ errors }) => ({
    text: `some ${Number(errors.toPrecision(2))} errors`,
    cites: [{ path: "/errors", number: Number(errors.toPrecision(2)), digits: 2 }]
  }),
  ({ said }) => {
    const seconds = Number(/to (\d+) s/.exec(said)?.[1])
    return {
      text: `it rose to ${seconds * 1000} ms`,
      cites: [{ quote: `to ${seconds} s`, number: seconds * 1000, unit: "ms" }]
    }
  },
  () => ({ text: "3 values are known", cites: [{ path: "/history", count: 3, of: "elements" }] }),
  ({ host }) => ({
    text: `1 of 2 lines is about ${host}`,
    cites: [{ path: "/said", count: 1, of: "lines", containing: host }, { path: "/said", count: 2, of: "lines" }]
  }),
  () => ({ text: "no line is about db-9", cites: [{ path: "/said", count: 0, of: "lines", containing: "db-9" }] })
]

/** The fact as the tool returns it. */
export const json = (index: number): Schema.JsonObject => ({ ...fact(index), history: [...fact(index).history] })
