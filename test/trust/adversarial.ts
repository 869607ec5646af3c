/** Pieces of texts that are made to keep detectors busy, by name. */
export const adversarial: ReadonlyArray<readonly [string, string]> = [
  ["one letter", "a"],
  ["single letters", "a "],
  ["first words of rules", "ignore "],
  ["words of many rules", "you not your act send "],
  ["comments that open", "<!--"],
  ["elements that open", "<a style="],
  ["links that open", "![a](b \""],
  ["reference lines", "[a]: ("],
  ["code", "aGVsbG8gd29ybGQ"],
  ["unseen", "\u200b"],
  ["reversed", "\u202ea"],
  ["tags", "\u{e0041}"],
  ["role lines", "\nHuman: a"],
  ["thoughts", "\nThought: "]
]
