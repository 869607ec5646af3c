/**
 * Looks for instructions to a model in what came back from the world. Telemetry: an attack that is worded otherwise is not
 * seen, so nothing may be permitted because nothing was found. What holds an act back is the origin of what it is made
 * from. Findings say which rule held and where; the text itself stays as it is.
 *
 * The time is linear in the text: words are read in one pass, rules look ahead a fixed number of words, and what patterns
 * may cover is bounded.
 */
import * as Pattern from "./Pattern.ts"
import * as Plainly from "./Plainly.ts"
import * as Wording from "./Wording.ts"
import * as Wrapped from "./Wrapped.ts"

/** Something that reads like an instruction to a model, by rule and place. */
export interface Finding {
  readonly rule: string
  /** One strong finding makes a text suspicious; weak ones do beside others. */
  readonly strength: "weak" | "strong"
  /** The form that it was found in. */
  readonly via: "text" | "hidden" | "rot13" | Wrapped.Part["via"]
  /** UTF-16 offsets into the text as it was given. */
  readonly start: number
  readonly end: number
  /** Of a passage, what weighed most, the heaviest first: never its text, but words of the lexicon and kinds of words. */
  readonly because?: ReadonlyArray<string>
}

/** Findings of one text that are kept. */
export const maxFindings = 64

/** Everything found in a text, in order; of too many the strong ones. */
export const scan = (text: string): ReadonlyArray<Finding> => {
  const { unseen, words } = Plainly.read(text)
  const places = Wrapped.places(text)
  const read = Wording.read(text, words)
  const shown = [...Wording.matches(read), ...syntax(text)].filter((match) => !isIn(places, match))
  const all = [
    ...shown.map((match): Finding => ({ ...match, via: "text" })),
    ...places.flatMap(({ end, start }) =>
      instructions(text.slice(start, end)).map((match): Finding => ({
        ...match,
        strength: "strong",
        via: "hidden",
        start: start + match.start,
        end: start + match.end
      }))
    ),
    ...Wording.rotated(read).map((match): Finding => ({ ...match, via: "rot13" })),
    ...Wrapped.parts(text, unseen).flatMap(({ end, start, text: plain, via }) =>
      instructions(plain).map((match): Finding => ({ ...match, strength: "strong", via, start, end }))
    ),
    ...unseenIn(text, unseen)
  ].toSorted(inOrder)
  if (all.length <= maxFindings) return all
  const strong = all.filter(({ strength }) => strength === "strong")
  const weak = all.filter(({ strength }) => strength === "weak")
  return [...strong, ...weak].slice(0, maxFindings).toSorted(inOrder)
}

/** Whether findings together are enough to say that somebody tried. */
export const isSuspicious = (findings: ReadonlyArray<Finding>): boolean =>
  findings.some(({ strength }) => strength === "strong") ||
  findings.some((one, at) =>
    // What is said by the same words is said once.
    findings.slice(at + 1, at + 1 + maxNear).some((other) =>
      other.rule !== one.rule && other.start >= one.end && other.start - one.start < near
    )
  )

// internal

const inOrder = (a: { readonly start: number; readonly end: number }, b: typeof a) => a.start - b.start || a.end - b.end

/** What instructs a model where no reader sees it: there, less is enough. */
const instructions = (text: string): ReadonlyArray<Wording.Match> => [
  ...Wording.matches(Wording.read(text, Plainly.read(text).words), "hidden"),
  ...syntax(text)
]

/** Whether something begins in a place; places are in order, and what opens in one belongs to it. */
const isIn = (places: ReadonlyArray<Wrapped.Place>, { start }: { readonly start: number }): boolean => {
  let low = 0
  for (let high = places.length; low < high;) {
    const middle = (low + high) >> 1
    if ((places[middle]?.start ?? 0) <= start) low = middle + 1
    else high = middle
  }
  return start < (places[low - 1]?.end ?? 0)
}

/** Characters between weak findings that still count together. */
const near = 200
/** Weak findings after one that are compared with it. */
const maxNear = 8

/** The marks by which models and their programs tell turns and calls apart, which no data needs. */
const marks: ReadonlyArray<readonly [rule: string, strength: Wording.Strength, pattern: RegExp]> = [
  ["template", "strong", /<\|[a-z][a-z_]{1,30}\|>|\[\/?INST\]|<<\/?SYS>>|<(?:start|end)_of_turn>/g],
  ["template", "strong", /^#{2,4} {0,4}(?:Instruction|Response|System)s? {0,4}:/gm],
  ["role", "strong", /^ {0,8}Human {0,2}: {0,4}\S/gm],
  // Whoever answers in a text that is quoted tells nobody what to do.
  ["role", "weak", /^ {0,8}Assistant {0,2}: {0,4}\S/gm],
  ["role", "weak", /^ {0,8}(?:SYSTEM|System|User|USER|Developer)(?: [A-Z]{2,12})? {0,2}: {0,4}\S/gm],
  ["role", "strong", /<\/?(?:system|assistant|system_prompt|system-prompt|untrusted)>/g],
  [
    "tool-call",
    "strong",
    /<\/?(?:function_calls|function_call|tool_call|tool_calls|tool_use|tool_result|tool_results)\b/g
  ],
  ["role", "strong", /<\/[a-z_-]{2,20}>\s{0,4}(?:System|SYSTEM|Human) ?:/g],
  ["role", "strong", /^Thought ?: [^\n]{0,300}\n{1,2}Action ?:/gm],
  ["tool-call", "strong", /<invoke name=|"(?:tool_calls|function_call)"\s{0,8}:/g]
]

/** From so many turns on a dialogue is one that somebody quotes, and who speaks in it says nothing. */
const quotedTurns = 4

const syntax = (text: string): ReadonlyArray<Wording.Match> => {
  const all = marks.flatMap(([rule, strength, pattern]) =>
    Pattern.places(pattern, text).map((place): Wording.Match => ({ rule, strength, ...place }))
  )
  const isTurn = ({ rule, strength }: Wording.Match) => rule === "role" && strength === "weak"
  return all.filter(isTurn).length < quotedTurns ? all : all.filter((match) => !isTurn(match))
}

/** Characters that nobody sees: of no weight in emoji and at the start, telling inside words. */
const unseenIn = (text: string, unseen: ReadonlyArray<Plainly.Unseen>): ReadonlyArray<Finding> =>
  unseen.flatMap(({ end, kind, start }): ReadonlyArray<Finding> => {
    const isInWord = /[\p{L}\p{N}]/u.test(text.charAt(start - 1)) && /[\p{L}\p{N}]/u.test(text.charAt(end))
    if (kind === "zero-width" && !isInWord) return []
    return [{ rule: `unseen-${kind}`, strength: kind === "tags" ? "strong" : "weak", via: "text", start, end }]
  })
