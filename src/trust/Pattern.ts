/** Where patterns hold in a text. */

/** A place where a pattern holds. */
export interface Place {
  readonly start: number
  readonly end: number
}

/** Each place, as `matchAll` finds them, which would compile the pattern anew for each text. The pattern is a global one. */
export const each = (pattern: RegExp, text: string, emit: (place: Place) => void): void => {
  pattern.lastIndex = 0
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    emit({ start: match.index, end: pattern.lastIndex })
  }
}

/** All of them. */
export const places = (pattern: RegExp, text: string): ReadonlyArray<Place> => {
  const found: Array<Place> = []
  each(pattern, text, (place) => found.push(place))
  return found
}

/**
 * The first run of at least `least` characters of one kind that begins at `from` or after it, as long as it is. Only every
 * `least`th place is looked at, for one lies in each run. The character before `from` must be of another kind.
 */
export const run = (
  text: string,
  from: number,
  least: number,
  isOf: (code: number) => boolean
): Place | undefined => {
  for (let at = from + least - 1; at < text.length; at += least) {
    let start = at + 1
    while (start > at + 1 - least && isOf(text.charCodeAt(start - 1))) start--
    if (start > at) continue
    let end = at + 1
    while (isOf(text.charCodeAt(end))) end++
    if (end - start >= least) return { start, end }
    at = end
  }
  return undefined
}
