/** The advisor's actors, on a backend, over sources: what a diagnosis needs beside a runtime. */
import { Effect, Layer } from "effect"
import { Actor, Agent } from "../../src/actor/index.ts"
import { baseline, Diagnosis, Diagnostics, OperationalAdvice, type Source } from "../../src/agents/advisor/index.ts"
import { type Backend, type Check, type Plan, Tape } from "../../src/backend/index.ts"
import { Grant } from "../../src/capability/index.ts"
import { SaveTicket, SaveTicketTool } from "../../src/tool/native/index.ts"

/** The sources a diagnosis reads. */
export type Sources = Source.Metrics | Source.Logs | Source.Settings

/** The classes that a model may be asked for, with the backends that each may use. */
export const classes: ReadonlyArray<Check.Listed> = [OperationalAdvice]

/** All that a diagnosis may do; the tokens of its children hold less. */
export const grant = (budgetMicroUsd: number) =>
  Grant.make([
    "spawn:OperationalAdvice",
    "spawn:ThresholdEvaluation",
    "spawn:LogQuery",
    "spawn:ConfigIntrospection",
    "tool:read_metrics",
    "tool:read_logs",
    "tool:read_settings",
    "tool:save_ticket",
    "backend:offline",
    "backend:anthropic",
    "backend:bedrock",
    "backend:openai",
    "backend:gemini",
    "backend:ollama",
    "backend:claude-code",
    "backend:scripted",
    "backend:recorded"
  ], { budgetMicroUsd })

/**
 * The advisor on `backend`, or on the first of a plan that can answer, and the diagnosis that hands its proposal over; gives
 * the diagnosis to dispatch.
 */
export const make = (backend: Model) => over(backend, hands)

/** The same on a tape: no model is asked, no source is read, and no ticket is saved. */
export const replaying = (tape: Tape.Tape) =>
  Effect.flatMap(Tape.backend(tape), (backend) => over(backend, recordedHands(tape)))

/** The advisor's rules as a backend. */
export { baseline }

// internal

type Allowed = (typeof OperationalAdvice)["backends"][number]
type Model = Backend.Backend<Allowed> | Plan.Plan<Allowed>

/** The tools of a diagnosis, over its sources. */
const hands = Layer.mergeAll(Diagnostics.handlers, SaveTicketTool.layer)

/** The tools of a diagnosis, answered from a tape. */
const recordedHands = (tape: Tape.Tape) =>
  Layer.mergeAll(
    Tape.handler(tape, Diagnostics.ReadMetrics),
    Tape.handler(tape, Diagnostics.ReadLogs),
    Tape.handler(tape, Diagnostics.ReadSettings),
    Tape.handler(tape, SaveTicket)
  )

const over = <R>(backend: Model, tools: Layer.Layer<Layer.Success<typeof hands>, never, R>) =>
  Effect.map(Agent.on(OperationalAdvice, backend), (advisor) => {
    const diagnosis = Diagnosis.make(advisor)
    const layer = Actor.layer(diagnosis).pipe(
      Layer.provideMerge(Actor.layer(advisor)),
      Layer.provideMerge(Layer.mergeAll(
        Actor.layer(Diagnostics.ThresholdEvaluation),
        Actor.layer(Diagnostics.LogQuery),
        Actor.layer(Diagnostics.ConfigIntrospection)
      )),
      Layer.provide(tools)
    )
    return { diagnosis, layer }
  })
