/** How strictly the Governor holds: `enforced` refuses, `warn` records the violation and lets the act run, `disabled` is for tests. */
import { Config, Context, Effect, Layer, Schema } from "effect"

export const modes = ["enforced", "warn", "disabled"] as const
export type Mode = (typeof modes)[number]

/** The mode in force; `enforced` unless a layer says otherwise. */
export const Current = Context.Reference<Mode>("aosiq/governor/Mode", { defaultValue: () => "enforced" })

/** Production was asked for in a mode that does not enforce; nothing was started. */
export class UnsafeMode extends Schema.TaggedError<UnsafeMode>()("UnsafeMode", {
  mode: Schema.String,
  remedy: Schema.String
}) {}

/** The mode from `AOSIQ_GOVERNANCE`; refuses anything but `enforced` when `NODE_ENV` is `production`. */
export const fromConfig = Effect.gen(function*() {
  const mode = yield* Config.Literals(modes, "AOSIQ_GOVERNANCE").pipe(Config.withDefault("enforced"))
  const environment = yield* Config.String("NODE_ENV").pipe(Config.withDefault("development"))
  if (environment === "production" && mode !== "enforced") {
    return yield* new UnsafeMode({ mode, remedy: "unset AOSIQ_GOVERNANCE, or do not set NODE_ENV=production" })
  }
  if (mode === "disabled") yield* Effect.logWarning("GOVERNANCE IS DISABLED: every act runs unchecked. For tests only.")
  if (mode === "warn") yield* Effect.logWarning("Governance only warns: violations are recorded and run all the same.")
  return mode
})

/** The mode from the environment, as a layer. */
export const layerConfig = Layer.effect(Current, fromConfig)
