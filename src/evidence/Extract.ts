/**
 * Runs an extractor again on what was recorded. What it takes out must be what the citation says; what it took is all
 * that the numbers of a claim can rest on.
 */
import { JsonPointer, Predicate, Result, type Schema } from "effect"
import type { Citation, Count, Measure, Quote, Value } from "./Claim.ts"
import { type Amount, amountsIn, stand } from "./Figures.ts"
import * as Units from "./Units.ts"

/** A result as a model is shown it, without secrets: as a value, and as its canonical text. */
export interface Recorded {
  readonly value: Schema.Json
  readonly text: string
}

/** What an extractor took: words for people, and what the figures of a claim can rest on. */
export interface Extract {
  readonly said: string
  readonly texts: ReadonlyArray<string>
  readonly amounts: ReadonlyArray<Amount>
}

/** Takes it again, or says why it is not there; `canonical` writes values so that equal ones are equal texts. */
export const take = (
  citation: Citation,
  recorded: Recorded,
  canonical: (value: Schema.Json) => string
): Result.Result<Extract, string> => {
  if ("count" in citation) return counted(citation, recorded)
  if ("number" in citation) return measured(citation, recorded)
  return "equals" in citation ? valued(citation, recorded, canonical) : quoted(citation, recorded)
}

/** What a citation says of itself, in words. */
export const words = (citation: Citation): string => {
  if ("count" in citation) return `${citation.count} ${countedWhat(citation)}`
  if ("number" in citation) {
    return `${numbered(citation)}${citation.path === undefined ? "" : ` at ${at(citation.path)}`}`
  }
  return "equals" in citation ? `${at(citation.path)} is ${JSON.stringify(citation.equals)}` : `"${citation.quote}"`
}

/** The texts in a value: names, strings and numbers, each by itself. */
export const textsOf = (value: Schema.Json): ReadonlyArray<string> =>
  typeof value !== "object" || value === null
    ? [String(value)]
    : Array.isArray(value)
    ? value.flatMap(textsOf)
    : Object.entries(value).flatMap(([name, inner]) => [name, ...textsOf(inner)])

/** Whether words stand in one of the texts of a result, or in its JSON; white space counts as one space. */
export const standsIn = (quote: string, { text, value }: Recorded): boolean => {
  const exact = [...textsOf(value), text]
  return exact.some((one) => stand(quote, one)) || exact.some((one) => stand(flat(quote), flat(one)))
}

/** The value at a pointer; `undefined` where there is none. */
export const find = (value: Schema.Json, pointer: string): Schema.Json | undefined => {
  if (pointer === "") return value
  if (!pointer.startsWith("/")) return undefined
  let here: Schema.Json | undefined = value
  for (const token of tokensOf(pointer)) {
    if (Array.isArray(here)) here = /^(?:0|[1-9]\d*)$/.test(token) ? here[Number(token)] : undefined
    else if (Predicate.isObject(here) && Object.hasOwn(here, token)) here = (here as Schema.JsonObject)[token]
    else return undefined
  }
  return here
}

/** The name of the field that a pointer leads to. */
export const fieldOf = (pointer: string): string => tokensOf(pointer).findLast((token) => !/^\d+$/.test(token)) ?? ""

// internal

const tokensOf = (pointer: string) => pointer.split("/").slice(1).map(JsonPointer.unescapeToken)
const at = (path: string) => path === "" ? "the result" : path
const flat = (text: string) => text.replace(/\s+/gu, " ").trim()

const quoted = ({ quote, stamp }: Quote, recorded: Recorded): Result.Result<Extract, string> =>
  standsIn(quote, recorded)
    ? Result.succeed({ said: quote, texts: [flat(quote)], amounts: [] })
    : Result.fail(`"${quote}" does not stand in ${stamp}`)

/** Names on the way to a value are recorded like itself; places in a list are not. */
const namesOn = (value: Schema.Json, pointer: string): ReadonlyArray<string> => {
  const names: Array<string> = []
  let here: Schema.Json | undefined = value
  for (const token of tokensOf(pointer)) {
    if (!Array.isArray(here)) names.push(token)
    here = here === undefined ? undefined : find(here, `/${JsonPointer.escapeToken(token)}`)
  }
  return names
}

const valued = (
  { equals, path, stamp }: Value,
  { value }: Recorded,
  canonical: (value: Schema.Json) => string
): Result.Result<Extract, string> => {
  const found = find(value, path)
  if (found === undefined) return Result.fail(`${stamp} has nothing at ${path}`)
  const text = canonical(found)
  if (text !== canonical(equals)) return Result.fail(`${at(path)} in ${stamp} is not what the claim says`)
  const unit = Units.ofField(fieldOf(path))
  const amounts = Predicate.isNumber(found) ? [{ value: found, unit }] : []
  const own = Predicate.isNumber(found)
    ? isInstant(found) ? [text] : []
    : Predicate.isString(found)
    ? [found]
    : [...textsOf(found).filter((leaf) => !/^-?\d/.test(leaf)), text]
  return Result.succeed({ said: `${at(path)}: ${text}`, texts: [...namesOn(value, path), ...own], amounts })
}

/** Epoch milliseconds of these centuries: to be told as a time. */
const isInstant = (value: number) => Number.isInteger(value) && value >= 1e12 && value < 1e13

const measured = (citation: Measure, recorded: Recorded): Result.Result<Extract, string> => {
  const { digits, number, path, quote, stamp, unit: stated } = citation
  const source = path === undefined ? quotedNumber(quote, recorded) : numberAt(path, citation.unitAt, recorded)
  if (source === undefined) {
    return Result.fail(`${stamp} has no single number at ${path === undefined ? `"${quote ?? ""}"` : at(path)}`)
  }
  const unit = stated === undefined ? undefined : Units.named(stated)
  if (stated !== undefined && unit === undefined) return Result.fail(`${stated} is no unit that is known here`)
  const converted = convert(source, unit)
  if (converted === undefined) {
    return Result.fail(`${stamp} does not say that the number is in ${stated ?? "that unit"}: leave out the unit`)
  }
  const isConverted = unit !== undefined && unit.factor !== source.unit?.factor
  const isSame = digits !== undefined
    ? number === rounded(converted, digits)
    : isConverted
    ? Units.close(number) === Units.close(converted)
    : number === source.value
  if (!isSame) {
    return Result.fail(`${numbered(citation)} is not what ${stamp} says there`)
  }
  const names = path === undefined ? [] : namesOn(recorded.value, path)
  return Result.succeed({
    said: `${numbered(citation)} from ${source.value}${
      path === undefined ? ` in "${quote ?? ""}"` : ` at ${at(path)}`
    }`,
    texts: [...names, ...quote === undefined ? [] : [flat(quote)]],
    amounts: [{ value: number, unit: unit ?? source.unit }, { value: source.value, unit: source.unit }]
  })
}

const numbered = ({ digits, number, unit }: Measure) =>
  `${number}${unit === undefined ? "" : ` ${unit}`}${digits === undefined ? "" : ` (to ${digits} digits)`}`

const quotedNumber = (quote: string | undefined, recorded: Recorded): Amount | undefined => {
  if (quote === undefined || !standsIn(quote, recorded)) return undefined
  const [first, ...others] = amountsIn(quote)
  // A hyphen before a number may be a sign or not: then there are two readings, and it says neither.
  return others.length === 0 ? first : undefined
}

const numberAt = (path: string, unitAt: string | undefined, { value }: Recorded): Amount | undefined => {
  const found = find(value, path)
  const said = unitAt === undefined ? undefined : find(value, unitAt)
  if (unitAt !== undefined && !Predicate.isString(said)) return undefined
  const beside = Predicate.isString(said) ? Units.named(said) ?? Units.ofField(said) : undefined
  if (unitAt !== undefined && beside === undefined) return undefined
  const unit = beside ?? Units.ofField(fieldOf(path))
  if (Predicate.isNumber(found)) return { value: found, unit }
  const [, run = "", name = ""] = Predicate.isString(found)
    ? /^\s*([-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)\s?(\S*)\s*$/i.exec(found) ?? []
    : []
  const own = name === "" ? unit : Units.named(name)
  return run === "" || (name !== "" && own === undefined) ? undefined : { value: Number(run), unit: own }
}

/** The number in another unit; `undefined` where the record does not say which it is in. */
const convert = ({ unit: from, value }: Amount, to: Units.Unit | undefined): number | undefined => {
  if (to === undefined) return value
  if (from === undefined) return to.dimension === "share" ? value / to.factor : undefined
  return from.dimension === to.dimension ? value * from.factor / to.factor : undefined
}

/** To significant digits, halves away from zero. */
const rounded = (value: number, digits: number): number => {
  if (value === 0) return 0
  const exact = Math.abs(Units.close(value))
  const step = digits - 1 - Math.floor(Math.log10(exact))
  // A decimal exponent in text shifts without the error that a multiplication has.
  const shifted = Number(`${exact}e${step}`)
  const shift = Number.isNaN(shifted) ? exact * 10 ** step : shifted
  return Units.close(Math.sign(value) * Math.round(shift) / 10 ** step)
}

const countedWhat = ({ containing, of, path }: Count) =>
  `${of}${path === undefined ? "" : ` at ${at(path)}`}${containing === undefined ? "" : ` with "${containing}"`}`

const counted = (citation: Count, { value }: Recorded): Result.Result<Extract, string> => {
  const { containing, count, of, path = "", stamp } = citation
  const found = find(value, path)
  const parts = of === "lines" ? linesOf(found) : elementsOf(found)
  if (parts === undefined) return Result.fail(`${stamp} has no ${of} at ${at(path)}`)
  const matching = containing === undefined
    ? parts
    : parts.filter((texts) => texts.some((text) => stand(flat(containing), flat(text))))
  if (matching.length !== count) {
    return Result.fail(`${stamp} has ${matching.length} ${countedWhat(citation)}, not ${count}`)
  }
  return Result.succeed({
    said: `${matching.length} of ${parts.length} ${countedWhat(citation)}`,
    texts: [...namesOn(value, path), ...containing === undefined ? [] : [containing]],
    amounts: [{ value: count, unit: Units.things }, { value: parts.length, unit: Units.things }]
  })
}

const linesOf = (found: Schema.Json | undefined): ReadonlyArray<ReadonlyArray<string>> | undefined => {
  if (!Predicate.isString(found)) return undefined
  const lines = found.split(/\r\n|[\n\r]/)
  return (lines.at(-1) === "" ? lines.slice(0, -1) : lines).map((line) => [line])
}

const elementsOf = (found: Schema.Json | undefined): ReadonlyArray<ReadonlyArray<string>> | undefined => {
  if (Array.isArray(found)) return found.map(textsOf)
  return Predicate.isObject(found)
    ? Object.entries(found).map(([name, inner]) => [name, ...textsOf(inner as Schema.Json)])
    : undefined
}
