/** Where patterns hold in a text. */

/** A place where a pattern holds. */
export interface Place {
  readonly start: number
  readonly end: number
}

/** Every place, as `matchAll` finds them, which would compile the pattern anew for each text. The pattern is a global one. */
export const places = (pattern: RegExp, text: string): ReadonlyArray<Place> => {
  const found: Array<Place> = []
  pattern.lastIndex = 0
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    found.push({ start: match.index, end: pattern.lastIndex })
  }
  return found
}
