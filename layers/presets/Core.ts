/** The runtime over any log and any keys: everything but where they lie. */
import { Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { Actor } from "../../src/actor/index.ts"
import { Gate, type Policy } from "../../src/approval/index.ts"
import { layer as governor } from "../../src/governor/index.ts"
import { Approvals, Dispatch } from "../../src/session/index.ts"
import { JoseTokens } from "../jose/index.ts"
import { LangGraph } from "../langgraph/index.ts"
import { NodeDigest } from "../node/index.ts"
import { Prices } from "../prices/index.ts"

/** Governor, dispatcher, approvals and the reasoning graph; actors are registered on top. */
export const core = (policy: Partial<Policy.Policy> = {}) =>
  Layer.mergeAll(Dispatch.layer, Approvals.layer).pipe(
    Layer.provideMerge(governor),
    Layer.provideMerge(Layer.mergeAll(
      Actor.layerRegistry,
      Gate.layer(policy),
      JoseTokens.layer(),
      LangGraph.layer(),
      Prices.layer(),
      SecureRandom.layerWebCrypto
    ))
  )

/** What every log needs first. */
export const digest = NodeDigest.layer
