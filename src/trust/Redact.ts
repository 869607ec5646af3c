/**
 * Takes secrets out of text before anyone reads it: previews, logs, exports. What is found is replaced by its kind, never
 * by a part of itself. Every pattern is linear in its input: no nested or overlapping repetition.
 */

const rules: ReadonlyArray<readonly [kind: string, pattern: RegExp]> = [
  ["private-key", /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[^-]*(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----)?/g],
  ["jwt", /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g],
  ["connection-string", /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/"']{1,128}:[^\s@/"']{1,256}@[^\s"']{1,256}/g],
  ["api-key", /\b(?:sk|pk|rk)[-_](?:ant-|proj-|live_|test_)?[A-Za-z0-9_-]{16,}/g],
  ["github-token", /\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})/g],
  ["aws-key", /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g],
  ["slack-token", /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/g],
  ["google-key", /\bAIza[A-Za-z0-9_-]{30,}/g],
  ["bearer", /\b[Bb]earer\s+[A-Za-z0-9._~+/=-]{16,}/g],
  ["password", /\b(?:password|passwd|secret|api[_-]?key|access[_-]?token)\\?["']?\s*[:=]\s*\\?["']?[^\s"',;\\}]{4,}/gi]
]

/** The text with every secret replaced by `[redacted:KIND]`. */
export const redact = (text: string): string => {
  let clean = text
  for (const [kind, pattern] of rules) clean = clean.replace(pattern, `[redacted:${kind}]`)
  return clean
}

/** Characters looked at for a preview: more than are shown, so that no secret is cut in half and slips through. */
const previewWindow = 1000
/** Characters of a preview. */
export const previewLength = 200

/** The start of a text, redacted, at most `previewLength` characters. */
export const preview = (text: string): string => {
  const clean = redact(text.slice(0, previewWindow))
  return clean.length > previewLength ? `${clean.slice(0, previewLength - 1)}…` : clean
}
