/** A probe is given where one is declared, and nowhere else; it uses what its tool declares. */
import { Effect, Schema } from "effect"
import { Tool } from "../../src/tool/index.ts"
import { Deploy, Note, Read } from "./definitions.ts"

const Pay = Tool.make("pay", {
  description: "pays an invoice",
  capabilities: ["tool:pay", "tool:read_file"],
  reversible: false,
  probe: true,
  params: Schema.Struct({ invoice: Schema.String }),
  success: Schema.Finite
})
const pay = () => Effect.succeed(1)

export const probed = Tool.layer(
  Pay,
  pay,
  ({ invoice }) => Effect.as(Tool.call(Read, { path: invoice }), { _tag: "Done", result: 2 } as const)
)
export const keyed = Tool.layer(Deploy, ({ version }, permit) => Effect.succeed(version + permit.idempotencyKey))
const notDone = () => Effect.succeed({ _tag: "NotDone" } as const)
const noting = () => Effect.as(Tool.call(Note, { text: "looked" }), { _tag: "NotDone" } as const)
const worded = () => Effect.succeed({ _tag: "Done", result: "2" } as const)
// @ts-expect-error Expected 3 arguments, but got 2
export const missing = Tool.layer(Pay, pay)
// @ts-expect-error Expected 2 arguments, but got 3
export const needless = Tool.layer(Deploy, () => Effect.succeed(""), notDone)
// @ts-expect-error "the tool does not declare": "memory:write@notes/today"
export const undeclared = Tool.layer(Pay, pay, noting)
// @ts-expect-error Type 'string' is not assignable to type 'number'
export const another = Tool.layer(Pay, pay, worded)
