/** A stranger's text does not fit where trusted text is asked for, until somebody vouches for it. */
// @effect-diagnostics anyUnknownInErrorContext:off
import { Effect, Schema } from "effect"
import { endorse } from "../../src/governor/index.ts"
import { Tool } from "../../src/tool/index.ts"
import { Labelled } from "../../src/trust/index.ts"

const Mail = Tool.make("mail", {
  description: "sends a mail",
  capabilities: ["tool:mail"],
  params: Schema.Struct({ to: Labelled.TrustedText, body: Schema.String }),
  success: Schema.Null,
  sinks: ["outbound"]
})

const Inbox = Tool.make("inbox", {
  description: "reads a mail",
  capabilities: ["tool:mail"],
  params: Schema.Struct({}),
  success: Schema.Struct({ id: Labelled.TrustedText, sender: Labelled.UntrustedText }),
  trust: { rest: "untrusted", fields: { id: "trusted" } }
})

const said = Labelled.untrusted("mallory@evil.example")
const purpose = { for: { tools: ["mail"], arguments: ["to"] }, reason: "a customer", lifetimeMs: 60_000 }

export const endorsed = Effect.flatMap(endorse(said, purpose), (to) => Tool.call(Mail, { to, body: said }))

// @ts-expect-error is not assignable to type
export const stranger = Tool.call(Mail, { to: said, body: "" })

/** What a tool gives back is labelled by its definition. */
export const answered = Effect.flatMap(
  Tool.call(Inbox, {}),
  ({ sender }) => Effect.flatMap(endorse(sender, purpose), (to) => Tool.call(Mail, { to, body: sender }))
)
export const known = Effect.flatMap(Tool.call(Inbox, {}), ({ id }) => Tool.call(Mail, { to: id, body: "" }))

export const unendorsed = Effect.flatMap(Tool.call(Inbox, {}), ({ sender }) =>
  // @ts-expect-error is not assignable to type
  Tool.call(Mail, { to: sender, body: "" }))

// @ts-expect-error is not assignable to type
export const plain = Tool.call(Mail, { to: "ann@corp.example", body: "" })

// @ts-expect-error is not assignable to type
export const trusted: Labelled.Trusted<string> = said

// @ts-expect-error is not assignable to type
export const again: Labelled.Untrusted<string> = "text" as string & Labelled.TrustedBrand
