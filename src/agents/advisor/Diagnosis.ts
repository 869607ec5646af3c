/**
 * One diagnosis from request to ticket: ask the advisor, then save its proposal as a file, which waits for a person. A
 * deterministic actor, so that after the approval it runs again from the top and the advisor is answered from the log.
 */
import { Effect, Schema } from "effect"
import { type Actor, ActorError, DeterministicActor } from "../../actor/index.ts"
import { Tool } from "../../tool/index.ts"
import { SaveTicket } from "../../tool/native/index.ts"
import { Advice, Request } from "./Advice.ts"
import type { OperationalAdvice } from "./Advisor.ts"
import { markdown } from "./Render.ts"

/** What is asked, and where the ticket goes; without a path nothing is saved. */
export const Order = Schema.Struct({ request: Request, ticket: Schema.NullOr(Schema.String) })
/** What came of it. */
export const Result = Schema.Struct({ advice: Advice, ticket: Schema.NullOr(Schema.String) })

/** All that the advisor may exercise, on any backend of its class. */
type AdvisorCapabilities =
  | Tool.CapabilitiesOf<(typeof OperationalAdvice)["tools"][number]>
  | `backend:${(typeof OperationalAdvice)["backends"][number]}`

/** The actor, over the advisor on whatever backend it was put on. */
export const make = (
  advisor: Actor.Class<"OperationalAdvice", typeof Request, typeof Advice, AdvisorCapabilities>
) =>
  DeterministicActor.make("Diagnosis", {
    description: "Asks the advisor and saves its proposal as a ticket file.",
    input: Order,
    output: Result,
    tools: [advisor.tool, SaveTicket],
    run: ({ request, ticket }) =>
      Effect.gen(function*() {
        const { stamp, value: advice } = yield* Tool.cite(advisor.tool, request)
        if (ticket === null) return { advice, ticket }
        const saved = yield* Tool.call(
          SaveTicket,
          { path: ticket, text: markdown(advice) },
          { reasons: { text: `hand over: ${advice.title}`, evidence: [stamp] } }
        ).pipe(
          Effect.map(({ path }) => path),
          Effect.catchTag("TicketError", ({ detail, remedy }) =>
            new ActorError({
              actor: "Diagnosis",
              detail: `the ticket was not saved: ${detail}; ${remedy}`,
              abandoned: false
            }))
        )
        return { advice, ticket: saved }
      })
  })
