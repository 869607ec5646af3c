/** Whether sessions come to this process: in a cluster, whether it holds shards. One that is alone has them all. */
import { Context, Effect } from "effect"

/** Says so as it stands now. */
export const Current = Context.Reference<Effect.Effect<boolean>>("aosiq/session/Holding", {
  defaultValue: () => Effect.succeed(true)
})
