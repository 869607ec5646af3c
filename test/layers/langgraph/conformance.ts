/** LangGraph's own suite for checkpoint savers, on our saver over one store. */
import {
  type CheckpointSaverTestInitializer,
  deltaChannelHistoryTests,
  validate
} from "@langchain/langgraph-checkpoint-validation"
import { Effect, Exit, type Layer, ManagedRuntime, Scope } from "effect"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest"
import * as Saver from "../../../layers/langgraph/Saver.ts"
import type { Digest, Log } from "../../../src/audit/index.ts"
import { enter, Store } from "../../../src/governor/index.ts"
import * as C from "../../governor/commits.ts"

// The suite is written for a runner whose functions are global.
Object.assign(globalThis, { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it })

type Log_ = Store.Store | Log.Log | Digest.Digest

/** A session that was entered, of its own. */
export const entered = Effect.gen(function*() {
  const store = yield* Store.Store
  const id = C.sessionId(C.fresh("ses"))
  yield* store.commit(C.open(id))
  return yield* enter(id, { name: "Tester", capabilities: [], backends: [] })
})

/** Runs the suite over `log`; every saver of it is that of a session of its own. */
export const conforms = <E>(name: string, log: Layer.Layer<Log_, E>): void => {
  const runtime = ManagedRuntime.make(log)
  const scopes = new Map<Saver.Saver, Scope.Closeable>()
  const initializer: CheckpointSaverTestInitializer<Saver.Saver> = {
    checkpointerName: name,
    beforeAll: () => runtime.runPromise(Effect.void),
    beforeAllTimeout: 60_000,
    afterAll: () => runtime.dispose(),
    createCheckpointer: () =>
      runtime.runPromise(Effect.gen(function*() {
        const scope = yield* Scope.make()
        const saver = yield* Scope.provide(Effect.flatMap(entered, (session) => Saver.make(session)), scope)
        scopes.set(saver, scope)
        return saver
      })),
    destroyCheckpointer: async (saver) => {
      const scope = scopes.get(saver)
      if (scope !== undefined) await runtime.runPromise(Scope.close(scope, Exit.void))
    }
  }
  describe(name, () => {
    validate(initializer)
    // Apart from the suite itself, for savers that keep channels as series of changes.
    deltaChannelHistoryTests(initializer)
  })
}
