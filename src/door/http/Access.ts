/** What stands before every operation that is asked for by HTTP: who asks, how often, and whether it was asked before. */
import { Context, type Effect } from "effect"
import { HttpApiMiddleware, HttpApiSecurity } from "effect/http-api"
import type { Asker } from "../../operator/index.ts"
import * as Problem from "./Problem.ts"

/** Whether who asked is still let in: for answers that take long. */
export class StillIn extends Context.Service<StillIn, { readonly isIn: Effect.Effect<boolean> }>()(
  "aosiq/door/http/Access/StillIn"
) {}

/** Lets callers in by their bearer token, as often as they may come. */
export class Access
  extends HttpApiMiddleware.Service<Access, { provides: Asker.Asker | StillIn }>()("aosiq/door/http/Access", {
    security: { bearer: HttpApiSecurity.bearer },
    error: Problem.all
  })
{}

/** Answers a request that was made before, under the same key, with what it was answered then. */
export class Once extends HttpApiMiddleware.Service<Once, { requires: Asker.Asker }>()("aosiq/door/http/Once", {
  error: Problem.all
}) {}

/** The same for what is told once and not kept: asked again, it is not told again. */
export class ToldOnce extends HttpApiMiddleware.Service<ToldOnce, { requires: Asker.Asker }>()(
  "aosiq/door/http/ToldOnce",
  { error: Problem.all }
) {}
