/** How deep a text of JSON is nested, without reading it: texts are decided about before a parser meets them. */

/** Levels of objects and lists; of a text that is no JSON, a bound on them. */
export const depthOf = (text: string): number => {
  let depth = 0
  let deepest = 0
  let isQuoted = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (isQuoted) {
      if (code === backslash) at++
      else if (code === quote) isQuoted = false
    } else if (code === quote) isQuoted = true
    else if (code === brace || code === bracket) deepest = Math.max(deepest, ++depth)
    else if (code === endBrace || code === endBracket) depth--
  }
  return deepest
}

/** Whether a value has more levels than so many; it is looked at no deeper. */
export const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === "object" && value !== null &&
  (levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1)))

// internal

const quote = 34
const backslash = 92
const brace = 123
const bracket = 91
const endBrace = 125
const endBracket = 93
