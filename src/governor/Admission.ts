/** What an act needs before anything is asked of people or of the budget: its class, its readers, and its token. */
import { Effect } from "effect"
import { Capability, Claims, type Tokens } from "../capability/index.ts"
import type { Action } from "./Action.ts"
import type { Call, Named } from "./Call.ts"
import * as Egress from "./Egress.ts"
import { Refused } from "./Refusal.ts"
import type { Refusals } from "./Refusals.ts"
import { type Entered, knownOf, wholeOf } from "./Session.ts"

/** What admission looks at. */
export interface Parts {
  readonly tokens: Tokens.Tokens["Service"]
  readonly covers: Egress.Table
  readonly refuse: Refusals["refuse"]
}

/** An act, as admission sees it. */
type Admitted =
  & Named
  & Pick<Action<never, never, never, never>, "backend" | "sinks">
  & { readonly capabilities: ReadonlyArray<Capability.Name> }

/** Gives the claims of the session's token, if the act is within class, readers and token. */
export const make = ({ covers, refuse, tokens }: Parts) => {
  /** Data for groups of readers goes where all of them are covered, and nowhere else. */
  const egress = (
    action: Admitted,
    call: Call,
    { seen, where }: { readonly where: string; readonly seen: (session: Entered) => Egress.Readers }
  ) => {
    const { uncovered } = Egress.decide([seen(call.session)], Egress.coveredBy(covers, where))
    if (uncovered.length === 0) return Effect.void
    const detail = `the session has seen data for ${uncovered.join(", ")}, and ${where} does not cover them`
    const does = action.backend === undefined
      ? "keep it out of a session that has seen them"
      : "ask a backend that does"
    const remedy = `${does}, or have the operator say that ${where} does (${Egress.variable})`
    return refuse(action, call, new Refused({ layer: "egress", detail, remedy }))
  }

  return Effect.fnUntraced(function*(
    action: Admitted,
    call: Call
  ) {
    const { actor } = call.session
    const outside = action.capabilities.find((wanted) =>
      !actor.capabilities.some((declared) => Capability.covers(declared, wanted))
    )
    if (outside !== undefined) {
      const remedy = `declare ${outside} in the definition of ${actor.name}`
      yield* refuse(
        action,
        call,
        new Refused({ layer: "class", detail: `${actor.name} does not declare ${outside}`, remedy })
      )
    }
    if (action.backend !== undefined && !actor.backends.includes(action.backend)) {
      const remedy = `add ${action.backend} to the backends of ${actor.name}`
      yield* refuse(
        action,
        call,
        new Refused({ layer: "class", detail: `${actor.name} may not use ${action.backend}`, remedy })
      )
    }
    if (action.backend !== undefined) yield* egress(action, call, { where: action.backend, seen: knownOf })
    // What has readers by field is asked for argument by argument, with the rules on labels.
    else if (action.sinks?.includes("outbound") === true) {
      yield* egress(action, call, { where: action.name, seen: wholeOf })
    }
    const claims = yield* Effect.catch(tokens.verify(call.session.token, call.session.id), (error) =>
      Effect.as(
        refuse(
          action,
          call,
          new Refused({
            layer: "token",
            detail: `${error.reason._tag}: ${error.reason.detail}`,
            remedy: "dispatch the session again"
          })
        ),
        undefined
      ))
    if (claims === undefined) return undefined
    const missing = action.capabilities.find((wanted) => !Claims.admits(claims, wanted))
    if (missing !== undefined) {
      const remedy = `dispatch with a grant that holds ${missing}`
      yield* refuse(
        action,
        call,
        new Refused({ layer: "token", detail: `the token does not hold ${missing}`, remedy })
      )
    }
    if (action.backend !== undefined && !claims.backends.includes(action.backend)) {
      const remedy = `dispatch with a grant whose backends include ${action.backend}`
      yield* refuse(
        action,
        call,
        new Refused({ layer: "token", detail: `the token does not admit ${action.backend}`, remedy })
      )
    }
    return claims
  })
}
