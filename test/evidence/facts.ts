/** Facts as tools report them, and sentences that state them truly, all from one seed. */
import type { Schema } from "effect"

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

/** A true sentence about a fact, with words that stand in its record. */
export interface Statement {
  readonly text: string
  readonly quote: string
}

/** Ways to state a fact: as it is said, by value, in other units, notations and orders. */
export const statements: ReadonlyArray<(fact: Fact) => Statement> = [
  ({ said }) => ({ text: said, quote: said }),
  ({ said }) => ({ text: said.split("\n")[1] ?? "", quote: said.split("\n")[1] ?? "" }),
  ({ errors, host }) => ({ text: `${host} had ${errors} errors.`, quote: `errors on ${host}` }),
  ({ errors, host }) => ({ text: `${errors.toLocaleString("en-US")} errors (on ${host})!`, quote: host }),
  ({ errors }) => ({ text: `errors: ${errors}`, quote: `"errors":${errors}` }),
  ({ host, ratio }) => ({ text: `${host} is at ${Number((ratio * 100).toPrecision(3))}%`, quote: `"ratio":${ratio}` }),
  ({ host, ratio }) => ({ text: `The share of ${host.toUpperCase()} is ${ratio}`, quote: `"host":"${host}"` }),
  ({ change, host }) => ({ text: `${host} changed by ${change}`, quote: `"change":${change}` }),
  ({ change, host }) => ({
    text: `${host} changed by −${-change} (U+2212 aside)`.replace(" (U+2212 aside)", ""),
    quote: host
  }),
  ({ change, host }) => ({ text: `${host} fell by ${-change}`, quote: host }),
  ({ latency }) => ({ text: `it took ${latency}s`, quote: `"latency":${latency}` }),
  ({ address, host }) => ({ text: `${host} is ${address}:`, quote: address }),
  ({ at, host }) => ({ text: `at ${new Date(at).toISOString()} on ${host}`, quote: host }),
  ({ at, host }) => ({ text: `since ${new Date(at).toISOString().slice(0, 16)}Z, ${host}`, quote: host }),
  ({ at, host }) => ({
    text: `${host} on ${new Date(at).toISOString().slice(0, 10)}, ${new Date(at).toISOString().slice(11, 16)}`,
    quote: host
  }),
  ({ history: [first, , last], host }) => ({
    text: `${host}: from ${first} to ${last}, ${first}–${last}`,
    quote: host
  }),
  ({ history: [, middle], host }) => ({ text: `${host} reached ${middle}.`, quote: "\"history\":[" }),
  ({ host, said }) => ({
    text: `Of ${host}, workers are inactive.`,
    quote: `${/\d of 5/.exec(said)?.[0]} workers inactive`
  })
]

/** The fact as the tool returns it. */
export const json = (index: number): Schema.JsonObject => ({ ...fact(index), history: [...fact(index).history] })
