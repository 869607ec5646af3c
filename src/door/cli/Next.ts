/**
 * What whoever ran a diagnosis can do when it did not end with a proposal: for each way to be stopped the one step that
 * helps. What did not happen stands in the outcome itself.
 */
import { Agent } from "../../actor/index.ts"
import type { Ticket } from "../../approval/index.ts"
import type { Row } from "../../audit/index.ts"
import type { Operations } from "../../operator/index.ts"
import { word } from "./Print.ts"

/** What would help after a run that failed. */
export const remedy = (stop: typeof Row.Stop.Type | null): string => stop === null ? again : remedies[stop]

/** The steps open for a run that waits, is held or was ended; empty for one that is over. `data` is the folder's flag. */
export const steps = (
  { detail, session, status }: Pick<Operations.RunView, "status" | "detail" | "session">,
  data: string
): ReadonlyArray<string> => {
  switch (status) {
    case "succeeded":
    case "failed":
    case "waiting":
      return []
    case "unsettled":
      return [
        "an act may have taken effect, or not: its outcome was lost.",
        `  look:     npx aosiq unknown show ${word(detail)}${data}`
      ]
    case "paused":
      return [
        "it is paused: it has moved away from what it was asked for, or an operator paused it.",
        `  look:     npx aosiq audit findings${data}`,
        `  go on:    npx aosiq sessions resume ${session}${data}`,
        `  end it:   npx aosiq sessions cancel ${session} --reason "…"${data}`
      ]
    case "sleeping":
      return [`it sleeps until ${detail}, and goes on by itself while a runtime is up:`, `  npx aosiq serve${data}`]
    case "cancelled":
      return ["it was ended by an operator, and does not go on: start it again if it is still wanted"]
  }
}

/** The steps open for a ticket that waits. */
export const decision = ({ act, id }: Pick<Ticket.Ticket, "act" | "id">, data: string): ReadonlyArray<string> => [
  act === Agent.acceptName
    ? "a second opinion disagrees with what is proposed. It is not accepted until a person says so."
    : `${act} waits for a person. It has not run.`,
  `  look:     npx aosiq approvals show ${id}${data}`,
  `  approve:  npx aosiq approvals approve ${id}${data}`,
  `  deny:     npx aosiq approvals deny ${id} --reason "…"${data}`
]

// internal

const again = "mend what the reason above names, then start it again"

const remedies: { readonly [Stop in typeof Row.Stop.Type]: string } = {
  budget: "start it again with a higher --budget",
  steps: "ask for less at once, with fewer sources or a narrower symptom, or take another --model",
  tokens: "give it fewer or smaller sources, or take another --model",
  repetition:
    "it asked for one thing over and over: take another --model, or start it with a source that can tell more",
  cycle: "it went round in circles: take another --model, or start it with a source that can tell more",
  no_evidence: "what it can read brought nothing new: start it with a source that can tell more",
  rejections:
    "its acts were refused, or what it concluded was not accepted, by its class or by a second opinion: mend what the " +
    "reason above names, or take another --model"
}
