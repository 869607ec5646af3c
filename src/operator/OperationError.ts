/** Why an operation was not carried out, in the words that every door passes on. */
import { Schema } from "effect"

/**
 * Why an operation was not carried out: the role or the owner does not allow it; what it is about is not there, or stands
 * otherwise; it cannot be done as asked; the log did not answer.
 */
export const Kind = Schema.Literals(["refused", "not_found", "conflict", "invalid", "unavailable"])
export type Kind = typeof Kind.Type

/** The operation was not carried out. A retry can help when it is `unavailable`. */
export class OperationError extends Schema.TaggedError<OperationError>()("OperationError", {
  kind: Kind,
  detail: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return this.remedy === "" ? this.detail : `${this.detail}; ${this.remedy}`
  }
}
