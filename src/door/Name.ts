/** Names as requests carry them: of sessions, tickets, rules, callers, keys. */
import { Schema } from "effect"
import { Claims } from "../capability/index.ts"
import * as Kept from "./Kept.ts"

/** Longest of them. */
export const maxLength = 200

/** No name is a text that cannot be kept. */
export const isKept = Schema.makeFilter(Kept.isKept, { expected: Kept.expected })

/** A name, a key, or part of a path. */
export const Name = Schema.NonEmptyString.check(Schema.isMaxLength(maxLength), isKept)

/** The id of a session. */
export const Session = Claims.SessionId.check(Schema.isMaxLength(maxLength), isKept)
