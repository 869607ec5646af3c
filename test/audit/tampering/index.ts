/** Every tampering by name. */
import { anchors } from "./anchors.ts"
import type { Tampering } from "./Case.ts"
import { rows } from "./rows.ts"
import { sessions } from "./sessions.ts"

export * from "./Case.ts"

export const tamperings: ReadonlyArray<readonly [string, Tampering]> = Object.entries({
  ...rows,
  ...sessions,
  ...anchors
})
