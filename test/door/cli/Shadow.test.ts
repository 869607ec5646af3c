/** `aosiq policy shadow` shows all that would have been stopped, however much that is, and each once. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { over } from "../../../src/door/cli/index.ts"
import { aosiq } from "./commands.ts"

/** A hundred an instant. */
const rows = Array.from({ length: 2500 }, (_, at) => ({
  session: `ses_${at % 7}`,
  seq: at,
  at: Math.floor(at / 100),
  body: { kind: "refusal", ran: at % 2 === 0, layer: "policy", act: "send", reason: `in shadow: no ${at}` }
}))

describe("aosiq policy shadow", () => {
  it.effect("reads on after the first thousand", () =>
    Effect.gen(function*() {
      const desk = {
        audit_query: ({ since }: { readonly since: number }) =>
          Effect.succeed(rows.filter(({ at }) => at >= since).slice(0, 1000))
      } as unknown as Parameters<typeof over>[0] // What the command asks for, and nothing else.
      const { out } = yield* aosiq(() => Effect.succeed(over(desk)), "policy", "shadow", "--data", "/some", "--json")
      assert.deepStrictEqual(
        JSON.parse(out).map(({ reason }: { readonly reason: string }) => reason),
        rows.flatMap(({ body, seq }) => body.ran ? [`no ${seq}`] : [])
      )
    }).pipe(Effect.provide(NodeServices.layer)))
})
