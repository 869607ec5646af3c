/** A runtime whose store can be made to fail like a process that is killed, and actors' tools that keep count. */
import { NodeServices } from "@effect/platform-node"
import { Effect, FileSystem, Layer, Schema } from "effect"
import { LanguageModel, type Response } from "effect/ai"
import { KeySet } from "../../layers/jose/index.ts"
import { MemoryStore } from "../../layers/memory/index.ts"
import { core, digest } from "../../layers/presets/Core.ts"
import { Log, type Row } from "../../src/audit/index.ts"
import type { Backend } from "../../src/backend/index.ts"
import { Claims } from "../../src/capability/index.ts"
import { CostModel, MicroUsd } from "../../src/cost/index.ts"
import { Store } from "../../src/governor/index.ts"
import { Mailbox } from "../../src/session/index.ts"
import { Tool } from "../../src/tool/index.ts"

// --- tools -------------------------------------------------------------------

export class Broken extends Schema.TaggedError<Broken>()("Broken", { what: Schema.String }) {}

/** Can be undone, costs seven micro-dollars, and fails for the place "nowhere". */
export const Look = Tool.make("look", {
  description: "looks at a place",
  capabilities: ["tool:look"],
  params: Schema.Struct({ at: Schema.String, times: Schema.optionalKey(Schema.Int) }),
  success: Schema.String,
  failure: Broken,
  cost: CostModel.perCall(MicroUsd.MicroUsd.make(7))
})
/** Cannot be undone. */
export const Deploy = Tool.make("deploy", {
  description: "ships a version",
  capabilities: ["tool:deploy"],
  reversible: false,
  params: Schema.Struct({ version: Schema.String }),
  success: Schema.String
})

/** What the handlers did, in order. */
export const done: Array<string> = []

export const handlers = Layer.mergeAll(
  Tool.layer(Look, ({ at }) =>
    Effect.suspend(() => {
      done.push(`look ${at}`)
      return at === "nowhere" ? Effect.fail(new Broken({ what: at })) : Effect.succeed(`seen ${at}`)
    })),
  Tool.layer(Deploy, ({ version }) => Effect.sync(() => (done.push(`deploy ${version}`), `shipped ${version}`)))
)

// --- the runtime -------------------------------------------------------------

/** When the store dies: at the commit with this number, before it is applied or after. */
export const killed = { at: Infinity, when: "before" as "before" | "after", commits: 0 }

/** Lets the store live, and counts its commits from 0. */
export const revive = () => Object.assign(killed, { at: Infinity, commits: 0 })

const mortal = (store: Store.Store["Service"]): Store.Store["Service"] => ({
  ...store,
  commit: (commit) =>
    Effect.suspend(() => {
      const number = killed.commits++
      if (number > killed.at || (number === killed.at && killed.when === "before")) return Effect.die("killed")
      return number === killed.at ? Effect.andThen(store.commit(commit), Effect.die("killed")) : store.commit(commit)
    })
})

const keys = Layer.unwrap(Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  return KeySet.layer(yield* fs.makeTempDirectoryScoped())
}))

/** The runtime in memory, over the store that can be killed. */
export const runtime = core(Mailbox.layerLocal).pipe(
  Layer.provideMerge(Layer.effect(Store.Store, Effect.map(Store.Store, mortal))),
  Layer.provideMerge(MemoryStore.layer),
  Layer.provideMerge(Layer.mergeAll(digest, keys)),
  Layer.provideMerge(NodeServices.layer)
)

/** The runtime with the tools' handlers. */
export const app = Layer.provideMerge(handlers, runtime)

// --- models ------------------------------------------------------------------

/** One turn of a model. */
export interface Line {
  readonly text?: string
  readonly calls?: ReadonlyArray<{ readonly id?: string; readonly name: string; readonly params: unknown }>
  readonly finish?: Response.FinishReason
}

/** A model that is told what to say, and what it was asked. */
export interface Model {
  readonly backend: Backend.Backend<"scripted">
  /** The prompts it got, as JSON, in order. */
  readonly prompts: ReadonlyArray<ReadonlyArray<Message>>
}
export interface Message {
  readonly role: string
  readonly content: unknown
}

/** A model that answers its nth call with `script(n, prompt)`, finish reason and all. */
export const model = (script: (turn: number, prompt: ReadonlyArray<Message>) => Line): Effect.Effect<Model> =>
  Effect.gen(function*() {
    const prompts: Array<ReadonlyArray<Message>> = []
    const languageModel = yield* LanguageModel.make({
      generateText: ({ prompt }) =>
        Effect.sync(() => {
          const seen: ReadonlyArray<Message> = JSON.parse(JSON.stringify(prompt.content))
          const line = script(prompts.length, seen)
          prompts.push(seen)
          return partsOf(line, prompts.length)
        }),
      streamText: () => assert("nobody streams here")
    })
    return {
      backend: { name: "scripted", model: "script", notice: null, maxOutputTokens: 100, languageModel },
      prompts
    }
  })

/** A model that says these turns in order, then nothing. */
export const turns = (...lines: ReadonlyArray<Line>) => model((turn) => lines[turn] ?? {})

/** Calls of a turn. */
export const call = (name: string, params: unknown, id?: string) => ({
  name,
  params,
  ...(id === undefined ? {} : { id })
})
export const look = (at: string) => call("look", { at })
export const conclude = (output: unknown) => ({ calls: [call("conclude", output)] })

const assert = (why: string): never => {
  throw new Error(why)
}

/** A turn as a provider answers it. */
export const partsOf = ({ calls = [], finish, text }: Line, turn: number): Array<Response.PartEncoded> => [
  ...(text === undefined ? [] : [{ type: "text" as const, text }]),
  ...calls.map((one, index) => ({
    type: "tool-call" as const,
    id: one.id ?? `call-${turn}-${index}`,
    name: one.name,
    params: one.params
  })),
  {
    type: "finish",
    reason: finish ?? (calls.length > 0 ? "tool-calls" : "stop"),
    usage: {
      inputTokens: { total: 10, uncached: undefined, cacheRead: undefined, cacheWrite: undefined },
      outputTokens: { total: 5, text: undefined, reasoning: undefined }
    },
    response: undefined
  }
]

// --- what was recorded -------------------------------------------------------

/** The rows of a session. */
export const rows = (session: string) => Effect.flatMap(Log.Log, (log) => log.rows(Claims.SessionId.make(session)))

/** The sessions, oldest first. */
export const sessions = Effect.flatMap(Log.Log, (log) => log.sessions)

/** The bodies of one kind. */
export const bodies = <K extends Row.Body["kind"]>(all: ReadonlyArray<Row.Row>, kind: K) =>
  all.flatMap(({ body }) => body.kind === kind ? [body as Extract<Row.Body, { readonly kind: K }>] : [])

/** The acts that succeeded, in order. */
export const succeeded = (all: ReadonlyArray<Row.Row>) =>
  bodies(all, "outcome").filter(({ status }) => status === "succeeded").map(({ act }) => act)
