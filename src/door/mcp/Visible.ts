/** What a caller is shown: what its role may ask for, by the table of permits. The rest is not there for it. */
import { Effect, Layer } from "effect"
import { McpServer } from "effect/ai"
import { Asker, Permits } from "../../operator/index.ts"
import { operationOf } from "./Tools.ts"

/** Hides the tools that the role of who asks does not reach; each still checks by itself when it is called. */
export const tools = McpServer.visibility(({ target }) =>
  Effect.map(Asker.Asker, ({ role }) => {
    const operation = isTool(target) ? operationOf[target] : undefined
    return operation !== undefined && Permits.permits[operation][role] !== "none"
  })
)

/** Hides what stands on an operation. */
export const standingOn = (operation: Permits.Operation) =>
  McpServer.visibility(() => Effect.map(Asker.Asker, ({ role }) => Permits.permits[operation][role] !== "none"))

/** Provides what hides to what is hidden. */
export const hidden = <A, E, R>(operation: Permits.Operation, registration: Layer.Layer<A, E, R>) =>
  Layer.provide(registration, standingOn(operation).layer)

// internal

const isTool = (name: string): name is keyof typeof operationOf => Object.hasOwn(operationOf, name)
