/**
 * Takes secrets out of text before anyone reads it: previews, logs, exports. What is found is replaced by its kind, never
 * by a part of itself. Every pattern is linear in its input: what can begin many times before it fails is bounded.
 */
import type { Schema } from "effect"
import * as Pattern from "./Pattern.ts"

/** Endings of names whose values are secrets: `password`, `client_secret`, `AWS_SECRET_ACCESS_KEY`, `x-auth-token`. */
const names = [
  /passw(?:or)?d/,
  /passphrase/,
  /(?<=[_;-])pwd/,
  /secret(?:[_-]?(?:access|encryption|signing))?(?:[_-]?key(?:[_-]?base)?)?/,
  /(?:api|access|account|auth|encryption|signing|master)[_-]?key/,
  /(?:access|refresh|auth|(?<![a-z])id|session|security|bearer|api)[_-]?token/,
  /(?<!page|next|continuation|invalid|unexpected)[_-]token/
]
const assigned = /\\{0,8}["']?\s{0,20}(?:=>|:=|[:=])\s{0,20}/
/** In quotes up to the closing one, of JSON within JSON too; else up to a space, or to what ends a value in a list. */
const values = [
  /"(?:[^"\\]|\\.){4,}/,
  /'(?:[^'\\]|\\.|''){4,}/,
  /\\{1,8}"(?:[^"\\]|\\{2,8}[^\\]){4,}/,
  /(?!["']|(?:null|true|false|none|undefined)\b)(?:[^\s"'\\,;}]|[,;}](?![\s"']|$)|["'](?=[a-z0-9])|\\(?![nrtu"'\\])){4,}/
]
/** Beginnings by which vendors say that a text is a token of theirs. Source: their documentation of token formats. */
const vendors = [
  /gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|imt|oas)-[A-Za-z0-9_.-]{20,}/,
  /npm_[A-Za-z0-9]{36,}/,
  /SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,}/,
  /shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32,}/,
  /lin_(?:api|oauth)_[A-Za-z0-9]{32,}/,
  /hf_[A-Za-z0-9]{30,}/,
  /hv[sbr]\.[A-Za-z0-9_-]{24,}/,
  /dckr_[po]at_[A-Za-z0-9_-]{20,}/,
  /fig[do]_[A-Za-z0-9_-]{30,}/,
  /glsa_[A-Za-z0-9]{32,}_[A-Fa-f0-9]{8}|glc_[A-Za-z0-9+/]{32,}={0,2}/,
  /dapi[a-f0-9]{32}(?:-\d)?/,
  /gsk_[A-Za-z0-9]{40,}/,
  /(?:ntn|secret)_[A-Za-z0-9]{40,}/,
  /tskey-[a-z]{2,12}-[A-Za-z0-9_-]{16,}/,
  /ops_eyJ[A-Za-z0-9_-]{40,}/,
  /vc[a-z]_[A-Za-z0-9]{24,}/,
  /whsec_[A-Za-z0-9+/]{24,}/,
  /cf(?:ut|at|k)_[A-Za-z0-9]{32,}|v1\.0-[a-f0-9]{24}-[a-f0-9]{64,}/,
  /dop_v1_[a-f0-9]{64}|pypi-AgEI[A-Za-z0-9_-]{40,}|ATATT3[A-Za-z0-9_=-]{40,}|sntry[su]_[A-Za-z0-9_=+/-]{40,}/
]
/** What stands for a value that was taken out already, and for all of it. */
const takenOut = /(?!["'\\]{0,8}\[redacted:[a-z-]{1,20}\](?:["'\\,;}\s]|$))/
const oneOf = (patterns: ReadonlyArray<RegExp>) => `(?:${patterns.map(({ source }) => source).join("|")})`

/** Patterns in the order in which they are tried; each with what a text must have to hold a match, else a run of token. */
const rules: ReadonlyArray<readonly [kind: string, pattern: RegExp, mayHold?: (text: string) => boolean]> = [
  [
    "private-key",
    /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!----))*(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?/g,
    (text) => text.includes("-----BEGIN ")
  ],
  ["jwt", /(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{8,512}(?:\.[A-Za-z0-9_-]{4,}){1,4}\.?/g],
  [
    "connection-string",
    /\b[a-z][a-z0-9+.-]{1,20}:(?:\\?\/){2}[^\s:@/"']{0,128}:[^\s@/"']{1,400}@[^\s"']{1,256}/gi,
    (text) => text.includes("@")
  ],
  ["api-key", /(?<![A-Za-z0-9])(?:sk|pk|rk)[-_](?=[A-Za-z0-9_-]{0,64}\d)[A-Za-z0-9_-]{16,}/g],
  ["github-token", /(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})/g],
  ["aws-key", /(?<![A-Za-z0-9])(?:AKIA|ASIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA|A3T[A-Z0-9])[A-Z0-9]{16}(?![A-Za-z0-9])/g],
  ["slack-token", /(?<![A-Za-z0-9])(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,}/g],
  ["google-key", /(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{30,}/g],
  ["vendor-token", new RegExp(`(?<![A-Za-z0-9])${oneOf(vendors)}`, "g")],
  [
    "authorization",
    /\bauthorization\\{0,8}["']?\s{0,20}[:=]\s{0,20}\\{0,8}["']?[a-z]{1,20}\s{1,20}[^\s"',\\]{4,}/gi,
    (text) => /authorization/i.test(text)
  ],
  ["bearer", /\bbearer\s{1,20}(?=[A-Za-z0-9._~+/=-]{0,64}\d)[A-Za-z0-9._~+/=-]{16,}/gi],
  [
    "password",
    new RegExp(oneOf(names) + assigned.source + takenOut.source + oneOf(values), "gi"),
    (text) => /pass|pwd|secret|key|token/i.test(text)
  ]
]

/** The text with every secret replaced by `[redacted:KIND]`. */
export const redact = (text: string): string => assembled(text, find(text))

/** A secret: what kind, and where it stands, in UTF-16 offsets into the text as it was given. */
export interface Finding {
  readonly rule: string
  readonly start: number
  readonly end: number
}

/** The secrets of a text, in order; they never overlap. `redact` replaces these and nothing else. */
export const find = (text: string): ReadonlyArray<Finding> => {
  let clean = text
  let found: ReadonlyArray<Finding> = []
  const run = { isThere: hasRun(text) }
  for (const [rule, pattern, mayHold] of rules) {
    if (mayHold === undefined ? !run.isThere : !mayHold(clean)) continue
    const places = Pattern.places(pattern, clean)
    if (places.length === 0) continue
    found = merged(found, places, rule)
    clean = assembled(text, found)
    run.isThere = hasRun(clean)
  }
  return found
}

/**
 * JSON without secrets: no text that looks like one, and nothing under a name that announces one. Keys keep their order.
 * Where there is nothing to take out, it is the value that was given.
 */
export const json = (value: Schema.Json): Schema.Json => {
  if (typeof value === "string") return redact(value)
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) {
    const clean = value.map(json)
    return clean.every((inner, at) => inner === value[at]) ? value : clean
  }
  const clean = Object.entries(value).map(([key, inner]): [string, Schema.Json] => [
    redact(key),
    announces(key) ? `[redacted:${announced}]` : json(inner)
  ])
  const isAsItWas = Object.entries(value).every(([key, inner], at) => clean[at]?.[0] === key && clean[at][1] === inner)
  return isAsItWas ? value : Object.fromEntries(clean)
}

/** Words of a person as they are recorded and told to actors: redacted, at most `length` characters. */
export const words = (text: string, length: number): string =>
  redact(text.toWellFormed()).slice(0, length).toWellFormed()

/** Characters of a preview. */
export const previewLength = 200
/** Characters from its beginning by which every kind of secret is recognised, whatever is cut off behind them. */
const recognisable = 600
/** Characters looked at first; more only where redaction leaves too few of them. */
const previewWindow = 1000

/** The start of a text, redacted, at most `previewLength` characters; no secret and no character is cut in half. */
export const preview = (text: string): string => {
  for (let window = previewWindow;; window *= 2) {
    const clean = redact(text.slice(0, window))
    if (window >= text.length) return shorten(clean)
    // What stands this close to the cut may be a secret whose telling part was cut off.
    const sure = clean.slice(0, Math.max(0, clean.length - recognisable))
    if (sure.length > previewLength) return shorten(sure)
  }
}

// internal

/** Characters of the shortest token that is known by its beginning, all of them in one run. */
const shortestRun = 15
const hasRun = (text: string): boolean => Pattern.run(text, 0, shortestRun, isOfToken) !== undefined
/** A letter or digit, or one of `_ . ~ + / = -`. */
const isOfToken = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 45 && code <= 57) ||
  code === 95 || code === 126 || code === 43 || code === 61

const standIn = (rule: string): string => `[redacted:${rule}]`

const assembled = (text: string, found: ReadonlyArray<Finding>): string => {
  if (found.length === 0) return text
  let clean = ""
  let at = 0
  for (const { end, rule, start } of found) {
    clean += text.slice(at, start) + standIn(rule)
    at = end
  }
  return clean + text.slice(at)
}

/** Places of a text in which `found` was replaced, as places of the text before that, and what they leave of `found`. */
const merged = (
  found: ReadonlyArray<Finding>,
  places: ReadonlyArray<Pattern.Place>,
  rule: string
): ReadonlyArray<Finding> => {
  const all: Array<Finding> = []
  let next = 0
  // What replacements so far have made the text longer by.
  let longer = 0
  for (const { end, start: index } of places) {
    let start: number | undefined
    for (let one = found[next]; one !== undefined; one = found[++next]) {
      const from = one.start + longer
      const to = from + standIn(one.rule).length
      if (from >= end) break
      if (to <= index) all.push(one)
      else start ??= Math.min(one.start, index - longer)
      longer += standIn(one.rule).length - (one.end - one.start)
    }
    const last = found[next - 1]
    all.push({
      rule,
      start: start ?? index - longer,
      end: Math.max(end - longer, start === undefined ? 0 : last?.end ?? 0)
    })
  }
  return [...all, ...found.slice(next)]
}

const announced = "password"
/** Names are few and come again; what was found for one holds for the next. */
const announcers = new Map<string, boolean>()
const maxAnnouncers = 4096
const announces = (key: string): boolean => {
  const before = announcers.get(key)
  if (before !== undefined) return before
  const pair = `${key}: something`
  const found = redact(pair) !== pair && redact(key) === key
  if (announcers.size >= maxAnnouncers) announcers.clear()
  if (key.length <= previewLength) announcers.set(key, found)
  return found
}

/** A character outside the basic plane has two halves, and half of one has no canonical form. */
const shorten = (text: string): string =>
  text.length > previewLength ? `${text.slice(0, previewLength - 1).replace(/[\uD800-\uDBFF]$/, "")}…` : text
