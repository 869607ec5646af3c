/** The runtime over any log and any keys: everything but where they lie. */
import { Config, Effect, Layer, Option, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { Actor } from "../../src/actor/index.ts"
import { Gate, type Policy } from "../../src/approval/index.ts"
import { MicroUsd } from "../../src/cost/index.ts"
import { Evidence } from "../../src/evidence/index.ts"
import { Egress, layer as governor, Mode } from "../../src/governor/index.ts"
import { Mcp } from "../../src/mcp/index.ts"
import {
  Approvals,
  Callers,
  DeadLetters,
  Dispatch,
  Endorsements,
  Launcher,
  type Mailbox,
  Rules,
  Runs,
  Schedules,
  Unknowns
} from "../../src/session/index.ts"
import { JoseTokens } from "../jose/index.ts"
import { LangGraph } from "../langgraph/index.ts"
import { McpFile, McpServers } from "../mcp/index.ts"
import { NodeDigest } from "../node/index.ts"
import { PolicyFile } from "../policy/index.ts"
import { Prices } from "../prices/index.ts"

/** Governor, dispatcher, operators' desks, schedules and the reasoning graph over mailboxes; actors go on top. */
export const core = <E, R>(
  mailbox: Layer.Layer<Mailbox.Mailbox, E, R>,
  policy: Partial<Policy.Policy> = {}
) =>
  bridge.pipe(
    Layer.provideMerge(governed(mailbox, policy)),
    Layer.provide(PolicyFile.layerConfig),
    Layer.provideMerge(
      Layer.mergeAll(JoseTokens.layer(), LangGraph.layer(), Evidence.layer, prices, SecureRandom.layerWebCrypto)
    )
  )

/** The same over tokens and randomness of one's own, and without reasoning. */
export const governed = <E, R>(
  mailbox: Layer.Layer<Mailbox.Mailbox, E, R>,
  policy: Partial<Policy.Policy> = {}
) =>
  Layer.mergeAll(Schedules.layer, DeadLetters.layer).pipe(
    Layer.provideMerge(Launcher.layer),
    Layer.provideMerge(
      Layer.mergeAll(
        Dispatch.layer.pipe(Layer.provide(ceilings)),
        Approvals.layer,
        Callers.layer,
        Endorsements.layer,
        Rules.layer,
        Unknowns.layer
      )
    ),
    Layer.provideMerge(mailbox),
    Layer.provideMerge(Runs.layer),
    // Read once, from AOSIQ_GOVERNANCE and AOSIQ_COVERS: an actor cannot change them.
    Layer.provideMerge(governor.pipe(Layer.provide(Layer.merge(Mode.layerConfig, Egress.layerConfig)))),
    Layer.provideMerge(Layer.mergeAll(Actor.layerRegistry, Gate.layer(policy)))
  )

/** The bridge to the MCP servers that the file of AOSIQ_MCP lets in, or the program. */
const bridge = Mcp.layerBridge.pipe(Layer.provide(McpServers.layer), Layer.provide(McpFile.layerConfig))

/** Ceilings that the environment names in US dollars, before those of the program. */
const ceilings = Layer.effect(
  Dispatch.CurrentCeilings,
  Effect.gen(function*() {
    const current = yield* Dispatch.CurrentCeilings
    const caller = yield* Config.option(ceiling("AOSIQ_CALLER_CEILING"))
    const kind = yield* Config.option(ceiling("AOSIQ_CLASS_CEILING"))
    return {
      ...current,
      caller: Option.getOrElse(caller, () => current.caller),
      class: Option.getOrElse(kind, () => current.class)
    }
  })
)
const ceiling = (variable: string) =>
  Config.schema(Schema.FiniteFromString.check(Schema.isBetween({ minimum: 0, maximum: maxCeilingUsd })), variable).pipe(
    Config.map(MicroUsd.fromUsd)
  )
/** Amounts are safe as whole micro-dollars up to there, and many of them can be added. */
const maxCeilingUsd = 1_000_000_000

/** The price list, with the file that AOSIQ_PRICES names before it. */
export const prices = Layer.unwrap(
  Effect.map(
    Config.option(Config.String("AOSIQ_PRICES")),
    (file) => Prices.layer(Option.isSome(file) ? { overrides: file.value } : {})
  )
)

/** What every log needs first. */
export const digest = NodeDigest.layer
