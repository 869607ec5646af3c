/** Names as requests carry them: of sessions, tickets, rules, callers, keys. */
import { Schema } from "effect"
import { Claims } from "../capability/index.ts"

/** Longest of them. */
export const maxLength = 200

/** No database keeps such a text, and no name has it: what holds one is refused here, and not by the database. */
export const isKept = Schema.makeFilter((text: string) => !text.includes("\u0000"), {
  expected: "a text without U+0000"
})

/** A name, a key, or part of a path. */
export const Name = Schema.NonEmptyString.check(Schema.isMaxLength(maxLength), isKept)

/** The id of a session. */
export const Session = Claims.SessionId.check(Schema.isMaxLength(maxLength), isKept)
