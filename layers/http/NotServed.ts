/** Why nothing listens. */
import { Schema } from "effect"

/** A certificate, a key, an authority or a list cannot be read or used, or an address cannot be had; nothing listens, or goes on. */
export class NotServed extends Schema.TaggedError<NotServed>()("NotServed", {
  detail: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    return `${this.detail}; ${this.remedy}`
  }
}
