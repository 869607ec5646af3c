/**
 * Looks for instructions to a model in what came back from the world. Telemetry: an attack that is worded otherwise is not
 * seen, so nothing may be permitted because nothing was found. What holds an act back is the origin of what it is made
 * from. Findings say which rule held and where; the text itself stays as it is.
 *
 * The time is linear in the text: words are read in one pass, rules look ahead a fixed number of words, and what patterns
 * may cover is bounded.
 */
import { Kept } from "./Kept.ts"
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
  const kept = new Kept<Finding>(maxFindings)
  const { unseen, words } = Plainly.read(text)
  const places = Wrapped.places(text)
  const read = Wording.read(text, words)
  const shown = (match: Wording.Match) => {
    if (!isIn(places, match)) kept.add({ ...match, via: "text" })
  }
  Wording.matches(read, "shown", shown)
  syntax(text, shown)
  for (const { end, start } of places) {
    instructions(
      text.slice(start, end),
      (match) =>
        kept.add({ ...match, strength: "strong", via: "hidden", start: start + match.start, end: start + match.end })
    )
  }
  Wording.rotated(read, (match) => kept.add({ ...match, via: "rot13" }))
  for (const { end, start, text: plain, via } of Wrapped.parts(text, unseen)) {
    instructions(plain, (match) => kept.add({ ...match, strength: "strong", via, start, end }))
  }
  unseenIn(text, unseen, kept.add)
  return kept.all()
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

/** What instructs a model where no reader sees it: there, less is enough. */
const instructions = (text: string, emit: (match: Wording.Match) => void): void => {
  Wording.matches(Wording.read(text, Plainly.read(text).words), "hidden", emit)
  syntax(text, emit)
}

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

interface Mark {
  readonly rule: string
  readonly strength: Wording.Strength
  readonly pattern: RegExp
  /** One of these stands in every text that the pattern holds in: to look for them takes the least time. */
  readonly needs: ReadonlyArray<string>
}
const mark = (rule: string, strength: Wording.Strength, needs: ReadonlyArray<string>, pattern: RegExp): Mark => ({
  rule,
  strength,
  pattern,
  needs
})

/** The marks by which models and their programs tell turns and calls apart, which no data needs. */
const marks: ReadonlyArray<Mark> = [
  mark(
    "template",
    "strong",
    ["<|", "INST]", "SYS>>", "_of_turn>"],
    /<\|[a-z][a-z_]{1,30}\|>|\[\/?INST\]|<<\/?SYS>>|<(?:start|end)_of_turn>/g
  ),
  mark("template", "strong", ["##"], /^#{2,4} {0,4}(?:Instruction|Response|System)s? {0,4}:/gm),
  mark("role", "strong", ["Human"], /^ {0,8}Human {0,2}: {0,4}\S/gm),
  mark(
    "role",
    "strong",
    ["system", "assistant", "untrusted"],
    /<\/?(?:system|assistant|system_prompt|system-prompt|untrusted)>/g
  ),
  mark(
    "tool-call",
    "strong",
    ["<function_call", "</function_call", "<tool_", "</tool_"],
    /<\/?(?:function_calls|function_call|tool_call|tool_calls|tool_use|tool_result|tool_results)\b/g
  ),
  mark("role", "strong", ["</"], /<\/[a-z_-]{2,20}>\s{0,4}(?:System|SYSTEM|Human) ?:/g),
  mark("role", "strong", ["Thought"], /^Thought ?: [^\n]{0,300}\n{1,2}Action ?:/gm),
  mark(
    "tool-call",
    "strong",
    ["<invoke name=", "\"tool_calls\"", "\"function_call\""],
    /<invoke name=|"(?:tool_calls|function_call)"\s{0,8}:/g
  )
]
/** Whoever answers in a text that is quoted, or speaks in it, tells nobody what to do. */
const turns: ReadonlyArray<Mark> = [
  mark("role", "weak", ["Assistant"], /^ {0,8}Assistant {0,2}: {0,4}\S/gm),
  mark(
    "role",
    "weak",
    ["SYSTEM", "System", "USER", "User", "Developer"],
    /^ {0,8}(?:SYSTEM|System|User|USER|Developer)(?: [A-Z]{2,12})? {0,2}: {0,4}\S/gm
  )
]
/** From so many turns on a dialogue is one that somebody quotes, and who speaks in it says nothing. */
const quotedTurns = 4

const syntax = (text: string, emit: (match: Wording.Match) => void): void => {
  const each = (all: ReadonlyArray<Mark>, emit: (match: Wording.Match) => void) => {
    for (const { needs, pattern, rule, strength } of all) {
      if (needs.some((part) => text.includes(part))) {
        Pattern.each(pattern, text, ({ end, start }) => emit({ rule, strength, start, end }))
      }
    }
  }
  each(marks, emit)
  const spoken: Array<Wording.Match> = []
  each(turns, (turn) => {
    if (spoken.length < quotedTurns) spoken.push(turn)
  })
  if (spoken.length < quotedTurns) spoken.forEach(emit)
}

/** Characters that nobody sees: of no weight in emoji and at the start, telling inside words. */
const unseenIn = (
  text: string,
  unseen: ReadonlyArray<Plainly.Unseen>,
  emit: (finding: Finding) => void
): void => {
  for (const { end, kind, start } of unseen) {
    if (kind === "zero-width" && !(isInWord.test(text.charAt(start - 1)) && isInWord.test(text.charAt(end)))) continue
    emit({ rule: `unseen-${kind}`, strength: kind === "tags" ? "strong" : "weak", via: "text", start, end })
  }
}
const isInWord = /[\p{L}\p{N}]/u
