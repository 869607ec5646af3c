/**
 * Colours, where a terminal shows them and nobody asked for none: put on a text that is ready to be printed, around words that
 * stand alone in a cell of a table or begin a line. They say nothing that the words do not.
 */

/** The text, in colours or as it is. */
export const paint = (canColor: boolean, text: string): string =>
  canColor ? text.split("\n").map((line) => begun(cells(line))).join("\n") : text

// internal

const colours = { good: "\u001b[32m", bad: "\u001b[31m", open: "\u001b[33m" } as const
const plain = "\u001b[39m"

const words = {
  good: ["succeeded", "approved", "active", "ready", "holds"],
  bad: ["failed", "abandoned", "denied", "revoked", "not ready", "does not hold"],
  open: ["waiting", "paused", "proposed", "open", "running", "standing", "new", "changed", "older", "stopped"]
} as const
const kinds = ["good", "bad", "open"] as const

const coloured = (kind: keyof typeof colours, text: string) => `${colours[kind]}${text}${plain}`

const kindOf = (cell: string) => kinds.find((kind) => (words[kind] as ReadonlyArray<string>).includes(cell))

/** Cells stand two spaces apart. */
const cells = (line: string): string =>
  line.split(/( {2,})/).map((cell) => {
    const kind = kindOf(cell)
    return kind === undefined ? cell : coloured(kind, cell)
  }).join("")

const beginnings = [
  ["bad", /^(?:error:|CHAIN BROKEN|OPEN)(?=[: ]|$)/],
  ["open", /^(?:remedy:|warning:)(?= )/],
  ["good", /^chain verified(?=:)/]
] as const

const begun = (line: string): string => {
  const found = beginnings.find(([, pattern]) => pattern.test(line))
  return found === undefined ? line : line.replace(found[1], (word) => coloured(found[0], word))
}
