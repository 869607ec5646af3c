/** How the backends stand for a program that runs here, in this environment, with the actors of the command line. */
import { NodeServices } from "@effect/platform-node"
import { Context, Effect, Layer } from "effect"
import { Check } from "../../src/backend/index.ts"
import { Prices } from "../../src/cost/index.ts"
import type { BackendsOrder } from "../../src/door/cli/index.ts"
import { Egress } from "../../src/governor/index.ts"
import { NodePackages } from "../node/index.ts"
import { AdvisorPreset, prices } from "../presets/index.ts"
import { models } from "./Backends.ts"

/** Looks at the backends of an order; at all of them, when it names none. */
export const check = ({ backends, model, network }: BackendsOrder) =>
  Effect.scoped(Effect.gen(function*() {
    const context = yield* Layer.build(layer)
    const { asOf } = Context.get(context, Prices.Prices)
    const wanted = backends.length === 0 ? every : backends
    const seen = { classes: AdvisorPreset.classes, covers: yield* Egress.fromConfig }
    const look = (name: keyof typeof models) =>
      Effect.flatMap(
        subjects[name],
        (subject) => Check.look({ subject, model: model ?? models[name], network, ...seen })
      )
    return yield* Effect.forEach(
      wanted,
      (name) =>
        name === "offline"
          ? Effect.succeed(Check.offline(seen, asOf))
          : Effect.provideContext(look(name), context),
      { concurrency: "unbounded" }
    )
  }))

// internal

const layer = Layer.merge(NodePackages.layer, prices).pipe(Layer.provide(NodeServices.layer))

type Vendor = keyof typeof models

const load = (from: () => Promise<{ readonly subject: Check.Subject }>) =>
  Effect.map(Effect.promise(from), ({ subject }) => subject)

const subjects: { readonly [N in Vendor]: Effect.Effect<Check.Subject> } = {
  anthropic: load(() => import("../anthropic/index.ts")),
  bedrock: load(() => import("../bedrock/index.ts")),
  "claude-code": load(() => import("../claude-code/index.ts")),
  gemini: load(() => import("../google/index.ts")),
  ollama: load(() => import("../ollama/index.ts")),
  openai: load(() => import("../openai/index.ts"))
}

const every = ["offline", "anthropic", "bedrock", "claude-code", "gemini", "ollama", "openai"] as const
