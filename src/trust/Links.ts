/** Links, hosts and addresses in a text, as a reader sees them and as whoever follows one does. */

/** Links, hosts and addresses in a text, as they stand there. */
export const linksIn = (text: string): ReadonlyArray<string> => {
  const seen = visible(text)
  return inEach.test(seen) ? [...seen.matchAll(link)].map(([found]) => found.replace(/[.,;:!?]+$/, "")) : []
}

/** A text without what no reader sees, in compatibility forms. */
export const plain = (text: string): string => isAscii.test(text) ? text : text.normalize("NFKC").replace(invisible, "")

/** What of a text is seen, by whoever follows a link in it too. */
export const visible = (text: string): string => plain(text).replace(dots, ".")

/** A link that a sentence ends with, where the next one follows without a space. */
export const endsSentence = (links: ReadonlyArray<string>, sought: string): boolean =>
  links.some((found) => found.startsWith(`${sought}.`) && /^\p{Lu}\p{Ll}+$/u.test(found.slice(sought.length + 1)))

// internal

const invisible = /\p{Cf}/gu
/** Such a text is in compatibility form, and all of it is seen. */
const isAscii = /^\p{ASCII}*$/u
/** What no link is without. */
const inEach = /[.@:]/
/** With a scheme, as an address of mail, as a host or as four numbers. Each begins where a word does, and is bounded. */
const links = [
  /(?<![\p{L}\p{N}+.-])[a-z][a-z0-9+.-]{0,20}:\/\/[^\s<>"']+/u,
  /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}.-]+/u,
  /(?<![\p{L}\p{N}-])(?:[\p{L}\p{N}-]{1,63}\.){1,20}\p{L}{2,63}(?::\d{1,5})?(?:[/?#][^\s<>"']*)?/u,
  /(?<![\p{L}\p{N}.-])(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?(?:[/?#][^\s<>"']*)?(?![\p{L}\p{N}])/u
]
const link = new RegExp(links.map(({ source }) => `(?:${source})`).join("|"), "giu")
/** Dots that a browser takes for one. */
const dots = /[\u3002\uFF0E\uFF61]/g
