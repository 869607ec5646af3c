/** How deep a text of JSON goes, decided before a parser meets it: what decodes it calls itself for each level. */

/** Whether JSON goes deeper than so many levels. Reads no further than that, and nothing but brackets and strings. */
export const isDeeper = (text: string, levels: number): boolean => {
  let depth = 0
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (inString) {
      if (char === backslash) at++
      else if (char === quote) inString = false
    } else if (char === quote) inString = true
    else if (char === openArray || char === openObject) {
      if (++depth > levels) return true
    } else if (char === closeArray || char === closeObject) depth--
  }
  return false
}

// internal

const quote = 0x22
const backslash = 0x5c
const openArray = 0x5b
const closeArray = 0x5d
const openObject = 0x7b
const closeObject = 0x7d
