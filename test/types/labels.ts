/** A stranger's text does not fit where trusted text is asked for, until somebody vouches for it. */
// @effect-diagnostics anyUnknownInErrorContext:off
import { Effect, Schema } from "effect"
import { endorse } from "../../src/governor/index.ts"
import { Tool } from "../../src/tool/index.ts"
import { type Label, Labelled } from "../../src/trust/index.ts"

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

/** Without a word in its schema, each text of a result carries what the tool declares; nothing declared is a stranger's. */
const Person = Schema.Struct({ name: Schema.String, mails: Schema.Array(Schema.Struct({ at: Schema.String })) })
const contacts = <const T extends Label.Declared = "untrusted">(trust: T) =>
  Tool.make("contacts", {
    description: "reads contacts",
    capabilities: ["tool:mail"],
    params: Schema.Struct({}),
    success: Person,
    trust
  })
const Ours = contacts("trusted")
const Theirs = Tool.make("web", {
  description: "reads a page",
  capabilities: ["tool:mail"],
  params: Schema.Struct({}),
  success: Person
})
const Mixed = contacts({ rest: "untrusted", fields: { "mails.*.at": "trusted", name: "reference" } })
const mail = (to: Labelled.Trusted<string>) => Tool.call(Mail, { to, body: "" })

export const ours = Effect.flatMap(Tool.call(Ours, {}), ({ mails, name }) => mail(mails[0]?.at ?? name))
export const field = Effect.map(Tool.call(Mixed, {}), ({ mails }) => mails.map(({ at }) => mail(at)))
export const vouched = Effect.flatMap(
  Tool.call(Theirs, {}),
  ({ name }) => Effect.flatMap(endorse(name, purpose), mail)
)
/** What is labelled is still the value. */
export const still: Effect.Effect<string, unknown, unknown> = Effect.map(Tool.call(Theirs, {}), ({ name }) => name)

// @ts-expect-error is not assignable to parameter of type
export const theirs = Effect.flatMap(Tool.call(Theirs, {}), ({ name }) => mail(name))

// @ts-expect-error is not assignable to parameter of type
export const nested = Effect.map(Tool.call(Theirs, {}), ({ mails }) => mails.map(({ at }) => mail(at)))

// @ts-expect-error is not assignable to parameter of type
export const reference = Effect.flatMap(Tool.call(Mixed, {}), ({ name }) => mail(name))

/** A declaration that the compiler does not see says nothing for it. */
declare const declared: Label.Declared
// @ts-expect-error is not assignable to parameter of type
export const unseen = Effect.flatMap(Tool.call(contacts(declared), {}), ({ name }) => mail(name))

// @ts-expect-error is not assignable to type
export const plain = Tool.call(Mail, { to: "ann@corp.example", body: "" })

// @ts-expect-error is not assignable to type
export const trusted: Labelled.Trusted<string> = said

// @ts-expect-error is not assignable to type
export const again: Labelled.Untrusted<string> = "text" as string & Labelled.TrustedBrand
