/**
 * What may flow where: rules on the labels of arguments, for acts by which something leaves, is spent, is changed or is
 * remembered. A policy is a file that people review. Every rule that covers an act must hold; an act with such an effect
 * that no rule covers is held to a last resort: nothing of a stranger's in any argument, or a person is asked.
 *
 * A rule asks for each argument by path: `request` (its values are the request's own), `trusted` (nothing of a stranger's),
 * `composed` (put together of things of ours and of the request's words), `own` (words of the actor's own: nothing copied from a stranger, and every link trusted), `links` (every link trusted) or
 * `any`. What does not hold waits for a person or is refused, as the rule says; a rule in shadow only records.
 *
 * Beside the rules: what leaves goes to whom it is for. An argument for readers whom the act does not cover is refused, or a
 * person is asked, as the policy says (`readers`).
 *
 * Who asks for something by name may leave the rest of it to what is read: a rule may ask less (`named`) of an act whose
 * name, two words or more, is the request's.
 */
import { Schema } from "effect"
import { closest, covers, type Integrity, isAtLeast, type Leaf, leaves, type Readers } from "./Label.ts"
import { linksIn } from "./Links.ts"
import { type Context, copied, isComposed, readersOf, type Source, source, trace } from "./Trace.ts"

/** What an act does to the world outside of its session. */
export const Sink = Schema.Literals(["outbound", "spending", "change", "removal", "memory", "irreversible"])
export type Sink = typeof Sink.Type

/** What a rule asks of an argument, from the strictest on. */
export const asks = ["request", "trusted", "composed", "own", "links", "any"] as const
export const Asks = Schema.Literals(asks)
export type Asks = typeof Asks.Type

export const Rule = Schema.Struct({
  name: Schema.NonEmptyString,
  /** The acts that it covers: by name, by what they do, or both. */
  tools: Schema.optionalKey(Schema.Array(Schema.NonEmptyString)),
  sinks: Schema.optionalKey(Schema.Array(Sink)),
  /** What it asks, by path; `trusted` for arguments that none covers. */
  arguments: Schema.Record(Schema.NonEmptyString, Asks),
  /** What is enough instead, where all that stands in one of the arguments `by` is a name that the request gave. */
  named: Schema.optionalKey(Schema.Struct({
    by: Schema.NonEmptyArray(Schema.NonEmptyString),
    arguments: Schema.Record(Schema.NonEmptyString, Asks)
  })),
  otherwise: Schema.optionalKey(Schema.Literals(["approve", "refuse"])),
  shadow: Schema.optionalKey(Schema.Boolean)
})
export type Rule = typeof Rule.Type

/** A source or a value that somebody vouches for, for a purpose and until a time. */
export const Terms = Schema.Struct({
  /** Fields of what a tool returns; or values, such as an address book. */
  source: Schema.optionalKey(Schema.Struct({ tool: Schema.NonEmptyString, path: Schema.optionalKey(Schema.String) })),
  value: Schema.optionalKey(
    Schema.Union([Schema.NonEmptyString, Schema.NonEmptyArray(Schema.NonEmptyString)])
  ),
  /** The acts that it is for, and their arguments; all of them when it names none. */
  for: Schema.Struct({
    tools: Schema.Array(Schema.NonEmptyString),
    arguments: Schema.optionalKey(Schema.Array(Schema.NonEmptyString))
  }),
  /** When it ends, as a date and time with its zone. */
  until: Schema.String.check(
    Schema.isPattern(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{3})?)?(?:Z|[+-]\d{2}:\d{2})$/)
  )
})
export type Terms = typeof Terms.Type

/** Terms, who vouches, and why. */
export const Endorsement = Schema.Struct({
  name: Schema.NonEmptyString,
  by: Schema.NonEmptyString,
  reason: Schema.NonEmptyString,
  ...Terms.fields
})
export type Endorsement = typeof Endorsement.Type

export const Policy = Schema.Struct({
  version: Schema.Literal(1),
  /** In shadow nothing is stopped: what would have been is recorded. */
  mode: Schema.optionalKey(Schema.Literals(["enforce", "shadow"])),
  /** What becomes of an act by which something would leave for others than its readers; refused unless set. */
  readers: Schema.optionalKey(Schema.Literals(["approve", "refuse"])),
  rules: Schema.Array(Rule),
  endorsed: Schema.optionalKey(Schema.Array(Endorsement))
})
export type Policy = typeof Policy.Type

/** Where no file says more: what no rule covers. */
export const standard: Policy = { version: 1, rules: [] }

/** An act, as rules see it. */
export interface Asked {
  readonly tool: string
  readonly sinks: ReadonlyArray<Sink>
  readonly args: Schema.Json
  /** Epoch milliseconds: endorsements end. */
  readonly at: number
  /** The readers whom it reaches; `undefined` where nothing leaves by it. */
  readonly covered?: Readers | undefined
}

/** An argument that is not what a rule asks. */
export interface Finding {
  readonly rule: string
  readonly path: string
  readonly asks: Asks
  readonly is: Integrity
  /** Where its value stands: a stamp, `request`, or `undefined` when the actor made it up. */
  readonly from: string | undefined
  /** For whom it is whom the act does not cover; then this is what is wrong with it. */
  readonly uncovered?: Readers
}

/** What a policy says of an act. */
export interface Verdict {
  readonly decision: "pass" | "approve" | "refuse"
  readonly findings: ReadonlyArray<Finding>
  /** What rules in shadow would have stopped. */
  readonly shadow: ReadonlyArray<Finding>
}

/** The rule for what no rule covers. */
export const uncovered: Rule = { name: "what no rule covers", arguments: { "*": "trusted" } }

/** The rules that an act is held to. */
export const rulesFor = (policy: Policy, { sinks, tool }: Pick<Asked, "sinks" | "tool">): ReadonlyArray<Rule> => {
  if (sinks.length === 0) return []
  const matching = policy.rules.filter((rule) =>
    (rule.tools !== undefined || rule.sinks !== undefined) &&
    (rule.tools === undefined || rule.tools.includes(tool)) &&
    (rule.sinks === undefined || rule.sinks.some((sink) => sinks.includes(sink)))
  )
  // A rule in shadow is no cover: it stops nothing.
  return matching.some((rule) => rule.shadow !== true) ? matching : [...matching, uncovered]
}

/** Decides. More of a stranger's text never permits more, and one more rule beside another neither. */
export const decide = (policy: Policy, asked: Asked, context: Context): Verdict => {
  const findings: Array<Finding> = []
  const shadow: Array<Finding> = []
  let isRefused = false
  const all = leaves(asked.args).map((leaf) => ({ leaf, known: endorsed(policy, asked, leaf, context) }))
  for (const rule of rulesFor(policy, asked)) {
    const found = unmetBy(rule, all, context)
    const isShadow = rule.shadow === true || policy.mode === "shadow"
    ;(isShadow ? shadow : findings).push(...found)
    isRefused ||= !isShadow && found.length > 0 && rule.otherwise === "refuse"
  }
  const leaks = leaking(asked, all)
  if (policy.mode === "shadow") shadow.push(...leaks)
  else {
    findings.push(...leaks)
    isRefused ||= leaks.length > 0 && policy.readers !== "approve"
  }
  return { decision: findings.length === 0 ? "pass" : isRefused ? "refuse" : "approve", findings, shadow }
}

/** One sentence on each finding. */
export const explain = ({ asks, from, is, path, rule, uncovered }: Finding): string =>
  uncovered !== undefined
    ? `${rule}: ${path} is for ${uncovered.join(", ")}, whom the act does not cover, ${
      from === undefined ? "made up in a session that knows of it" : `from ${from}`
    }`
    : `${rule}: ${path} must be ${wording[asks]}, and is ${
      from === undefined ? `made up in a session that is ${is}` : `${is}, from ${from}`
    }`

/** Tools with an effect, and which rules cover each: none but the last resort where the list is empty. */
export const coverage = (
  policy: Policy,
  tools: ReadonlyArray<Pick<Asked, "sinks" | "tool">>
): ReadonlyArray<{ readonly tool: string; readonly rules: ReadonlyArray<string> }> =>
  tools.filter(({ sinks }) => sinks.length > 0).map((asked) => ({
    tool: asked.tool,
    rules: rulesFor(policy, asked).flatMap((rule) => rule === uncovered ? [] : [rule.name])
  }))

/** What a rule asks of an argument, in words after "it must be". */
export const wording: { readonly [A in Asks]: string } = {
  request: "what the request says",
  trusted: "no stranger's",
  composed: "put together of what is ours and the request's",
  own: "in the actor's own words, with trusted links",
  links: "without links but trusted ones",
  any: "anything"
}

// internal

const leaking = ({ covered }: Asked, all: ReadonlyArray<Weighed>): ReadonlyArray<Finding> =>
  covered === undefined ? [] : all.flatMap(({ known, leaf }): ReadonlyArray<Finding> => {
    const uncovered = readersOf(known, leaf).filter((reader) => !covered.includes(reader))
    if (uncovered.length === 0) return []
    const { from, integrity: is } = trace(known, leaf)
    return [{ rule: "who may read it", path: leaf.path, asks: "any", is, from, uncovered }]
  })

/** An argument, and what is known where it is vouched for. */
interface Weighed {
  readonly leaf: Leaf
  readonly known: Context
}

const unmetBy = (rule: Rule, all: ReadonlyArray<Weighed>, context: Context): ReadonlyArray<Finding> => {
  const under = (table: Rule["arguments"]) =>
    all.flatMap(({ known, leaf }) => unmet(known, leaf, closest(table, leaf.path, isStricter) ?? "trusted", rule.name))
  const found = under(rule.arguments)
  const { named } = rule
  return found.length > 0 && named !== undefined && isNamed(named.by, all, context) &&
      under(named.arguments).length === 0
    ? []
    : found
}

/** Whether one of these arguments is there, and is the request's: two words or more, since one stands there by chance. */
const isNamed = (by: ReadonlyArray<string>, all: ReadonlyArray<Weighed>, context: Context): boolean =>
  by.some((pattern) => {
    const names = all.filter(({ leaf }) => covers(pattern, leaf.path))
    return names.length > 0 &&
      names.every(({ leaf }) =>
        typeof leaf.value === "string" && /[\p{L}\p{N}]\P{L}+\p{L}/u.test(leaf.value.trim()) &&
        trace(context, leaf).integrity === "operator"
      )
  })

const isStricter = (one: Asks, other: Asks) => asks.indexOf(one) < asks.indexOf(other)

const unmet = (context: Context, leaf: Leaf, wanted: Asks, rule: string): ReadonlyArray<Finding> => {
  if (wanted === "any") return []
  const traced = trace(context, leaf)
  const finding = { rule, path: leaf.path, asks: wanted, is: traced.integrity, from: traced.from }
  if (isAtLeast(traced.integrity, wanted === "request" ? "operator" : "trusted")) return []
  if (wanted === "request" || wanted === "trusted") return [finding]
  const text = String(leaf.value)
  if (wanted !== "links" && isComposed(context, text)) return []
  if (wanted === "composed") return [finding]
  const strange = linksIn(text).map((value) => trace(context, { path: leaf.path, value })).find(isStrange)
  if (strange !== undefined) return [{ ...finding, from: strange.from }]
  const copy = wanted === "own" ? copied(context, text) : undefined
  return copy === undefined ? [] : [{ ...finding, from: copy }]
}

const isStrange = ({ integrity }: { readonly integrity: Integrity }) => integrity === "untrusted"

/** What is known, as far as it is vouched for in this argument. */
const endorsed = (policy: Policy, { at, tool }: Asked, leaf: Leaf, context: Context): Context => {
  const valid = (policy.endorsed ?? []).filter((one) =>
    at < Date.parse(one.until) && one.for.tools.includes(tool) &&
    (one.for.arguments ?? ["*"]).some((pattern) => closest({ [pattern]: true }, leaf.path, () => false))
  )
  if (valid.length === 0) return context
  const vouched = ({ path, tool }: Source) =>
    valid.some(({ source }) =>
      source !== undefined && source.tool === tool &&
      (source.path === undefined || closest({ [source.path]: true }, path, () => false) === true)
    )
  const values = valid.flatMap(({ by, value = [] }) =>
    [value].flat().map((value) =>
      source({ path: "", value, from: by, tool: undefined, integrity: "operator", isReference: false })
    )
  )
  const sources = context.sources.map((source) =>
    source.integrity === "untrusted" && vouched(source) ? { ...source, integrity: "trusted" as const } : source
  )
  return { ...context, sources: [...values, ...sources] }
}
