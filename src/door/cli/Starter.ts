/** The files of a project to begin with: tools, a deterministic actor, an agent, their tests, and what builds and checks them. */
import type { About } from "./Ask.ts"

/** A file, by its path in the project. */
export interface StarterFile {
  readonly path: string
  readonly text: string
}

/** The project, under a name, on this version and with the packages that it was tested with. */
export const files = (name: string, about: About): ReadonlyArray<StarterFile> => [
  { path: "package.json", text: manifest(name, about) },
  { path: "tsconfig.json", text: tsconfig },
  { path: ".gitignore", text: "node_modules/\n.aosiq/\n" },
  { path: "README.md", text: readme(name) },
  { path: "src/tools.ts", text: tools },
  { path: "src/actors.ts", text: actors },
  { path: "src/main.ts", text: main },
  { path: "src/ask.ts", text: ask },
  { path: "test/actors.test.ts", text: tests }
]

// internal

/** An import of the project, which is none of this program. */
const using = (names: string, from: string): string => `import { ${names} } from "${from}"`

const manifest = (name: string, { packages = {}, version }: About): string => {
  const of = (...names: ReadonlyArray<string>) =>
    Object.fromEntries(names.map((name) => [name, packages[name] ?? "latest"]))
  const value = {
    name,
    version: "0.1.0",
    private: true,
    type: "module",
    scripts: { ask: "node src/ask.ts", check: "tsc", start: "node src/main.ts", test: "tsc && vitest run" },
    dependencies: { aosiq: version, ...of("@anthropic-ai/sdk", "effect") },
    devDependencies: of("@effect/vitest", "@types/node", "typescript", "vitest"),
    engines: { node: ">=22.19" }
  }
  return `${JSON.stringify(value, null, 2)}\n`
}

const tsconfig = `${
  JSON.stringify(
    {
      compilerOptions: {
        target: "ES2024",
        module: "NodeNext",
        verbatimModuleSyntax: true,
        erasableSyntaxOnly: true,
        allowImportingTsExtensions: true,
        noEmit: true,
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        skipLibCheck: true,
        types: ["node"]
      },
      include: ["src", "test"]
    },
    null,
    2
  )
}
`

const readme = (name: string): string =>
  `# ${name}

\`\`\`sh
npm install
npm test        # types, then tests: the whole runtime in memory
npm start       # asks for a refund; it waits until somebody agrees
ANTHROPIC_API_KEY=… npm run ask "What did A-17 cost?"   # the agent, on a real model
\`\`\`

| file                  | is                                                             |
| --------------------- | -------------------------------------------------------------- |
| \`src/tools.ts\`        | what can be done, what that takes, and how it is done          |
| \`src/actors.ts\`       | \`PayBack\`, a deterministic actor, and \`Support\`, an agent       |
| \`src/main.ts\`         | a runtime with them on it, and a first session                 |
| \`src/ask.ts\`          | \`Support\` on a model of Anthropic's, for ten cents at the most  |
| \`test/actors.test.ts\` | what they do, what they may not do, and what nobody paid for   |

What an actor may use stands in its type: take a tool out of \`tools\`, or a capability out of the grant, and the compiler names
what is missing. \`refund\` cannot be undone, so each one waits for a person.

Another vendor's model: name it in \`backends\` of \`Support\`, install its package and make it in \`src/ask.ts\`
(\`OpenAi.make({ model })\` of \`aosiq/layers/openai\`). To keep the record: \`Embedded.layer(".aosiq")\` of
\`aosiq/layers/presets\` in place of \`Memory.layer()\`.
`

const tools = `/** What can be done, and what that takes. Handlers are layers, so that tests have their own. */
${using("Tool", "aosiq")}
${using("Effect, Layer, Schema", "effect")}

export const LookUp = Tool.make("look_up", {
  description: "Looks up what an order cost, in euros",
  capabilities: ["tool:look_up"],
  params: Schema.Struct({ order: Schema.String }),
  success: Schema.Finite
})

/** It cannot be undone: each one waits for a person. */
export const Refund = Tool.make("refund", {
  description: "Pays an order back",
  capabilities: ["tool:refund"],
  reversible: false,
  params: Schema.Struct({ order: Schema.String, euros: Schema.Finite }),
  success: Schema.String
})

const orders: Readonly<Record<string, number>> = { "A-17": 40, "B-4": 120 }

export const handlers = Layer.mergeAll(
  Tool.layer(LookUp, ({ order }) => Effect.succeed(orders[order] ?? 0)),
  Tool.layer(Refund, ({ euros, order }) => Effect.succeed(\`\${order}: \${euros} euros are on their way\`))
)
`

const actors = `/** Who does it: one actor that is a function, and one that a model drives. */
${using("Agent, DeterministicActor, Tool", "aosiq")}
${using("Effect, Schema", "effect")}
${using("LookUp, Refund", "./tools.ts")}

export const PayBack = DeterministicActor.make("PayBack", {
  description: "Pays an order back",
  input: Schema.String,
  output: Schema.String,
  tools: [LookUp, Refund],
  run: (order) =>
    Effect.flatMap(Tool.call(LookUp, { order }), (euros) => Tool.call(Refund, { order, euros }))
})

export const Support = Agent.make("Support", {
  description: "Answers what customers ask about their orders",
  input: Schema.Struct({ question: Schema.String }),
  output: Schema.Struct({ reply: Schema.String }),
  tools: [LookUp],
  backends: ["scripted", "anthropic"],
  instructions: "Look the order up before you answer.",
  task: ({ question }) => question,
  bounds: { minEvidence: 1, maxSteps: 5 }
})
`

const main = `/** A runtime in memory, and a first session on it. */
${using("Actor, Dispatch, Grant", "aosiq")}
${using("Memory", "aosiq/layers/presets")}
${using("Effect, Layer", "effect")}
${using("PayBack", "./actors.ts")}
${using("handlers", "./tools.ts")}

const app = Actor.layer(PayBack).pipe(Layer.provide(handlers), Layer.provideMerge(Memory.layer()))
const order = { grant: Grant.make(["tool:look_up", "tool:refund"]), caller: "ada" }
const run = Dispatch.Dispatch.use((dispatch) => dispatch.start(PayBack, "A-17", order))

const ended = await Effect.runPromise(Effect.provide(run, app))
console.log(ended._tag === "Waiting" ? \`nothing is paid before somebody approves \${ended.ticket}\` : ended._tag)
`

const ask = `/** The agent on a real model, whose key is in ANTHROPIC_API_KEY. */
${using("Actor, Agent, Dispatch, Grant", "aosiq")}
${using("Anthropic", "aosiq/layers/anthropic")}
${using("Memory", "aosiq/layers/presets")}
${using("Effect, Layer", "effect")}
${using("Support", "./actors.ts")}
${using("handlers", "./tools.ts")}

const ask = (question: string) =>
  Effect.gen(function*() {
    const support = yield* Agent.on(Support, yield* Anthropic.make({ model: "claude-sonnet-5" }))
    const grant = Grant.make(["tool:look_up", "backend:anthropic"], { budgetMicroUsd: 100_000 })
    const run = Dispatch.Dispatch.use((dispatch) => dispatch.start(support, { question }, { grant, caller: "ada" }))
    const ended = yield* Effect.provide(run, Actor.layer(support))
    return ended._tag === "Succeeded" ? ended.output.reply : ended
  })

const runtime = Layer.provideMerge(handlers, Memory.layer())
const question = process.argv[2] ?? "What did A-17 cost?"
await Effect.runPromise(Effect.provide(ask(question), runtime)).then(console.log, (error) => {
  console.error(error.message)
  process.exitCode = 1
})
`

const tests = `/** The whole runtime in memory, with questions to ask of what was recorded. */
${using("assert, describe, it", "@effect/vitest")}
${using("Actor, Agent, Approvals, Dispatch, Grant", "aosiq")}
${using("acts, layer, refusals, Scripted, waiting", "aosiq/testing")}
${using("Effect, Layer", "effect")}
${using("PayBack, Support", "../src/actors.ts")}
${using("handlers", "../src/tools.ts")}

const runtime = Layer.provideMerge(handlers, layer())
const app = Layer.provideMerge(Actor.layer(PayBack), runtime)
const order = { grant: Grant.make(["tool:look_up", "tool:refund"]), caller: "ada" }

describe("PayBack", () => {
  it.effect("pays nothing before somebody agreed, and pays once after", () =>
    Effect.gen(function*() {
      const dispatch = yield* Dispatch.Dispatch
      const approvals = yield* Approvals.Approvals
      const { session } = yield* dispatch.start(PayBack, "A-17", order)
      assert.deepStrictEqual(yield* acts(session), ["look_up"])
      for (const ticket of yield* waiting) yield* approvals.decide({ ticket, by: "grace", approve: true, reason: "" })
      const ended = yield* dispatch.resume(session)
      assert.strictEqual(ended._tag, "Succeeded")
      assert.deepStrictEqual(yield* acts(session), ["look_up", "refund"])
    }).pipe(Effect.provide(app)))

  it.effect("pays nothing when somebody says no", () =>
    Effect.gen(function*() {
      const dispatch = yield* Dispatch.Dispatch
      const approvals = yield* Approvals.Approvals
      const { session } = yield* dispatch.start(PayBack, "A-17", order)
      for (const ticket of yield* waiting) yield* approvals.decide({ ticket, by: "grace", approve: false, reason: "no" })
      yield* dispatch.resume(session)
      assert.deepStrictEqual(yield* acts(session), ["look_up"])
      assert.deepStrictEqual(yield* refusals(session), ["refund: approval"])
    }).pipe(Effect.provide(app)))
})

describe("Support", () => {
  it.effect("answers from what was looked up", () =>
    Effect.gen(function*() {
      // A script stands in for the model: it says what it would say, turn by turn.
      const backend = yield* Scripted.turns([
        { calls: [{ name: "look_up", params: { order: "A-17" } }] },
        { calls: [{ name: "conclude", params: { reply: "It cost 40 euros." } }] }
      ])
      const support = yield* Agent.on(Support, backend)
      const ended = yield* Effect.gen(function*() {
        const dispatch = yield* Dispatch.Dispatch
        const grant = Grant.make(["tool:look_up", "backend:scripted"], { budgetMicroUsd: 50_000 })
        return yield* dispatch.start(support, { question: "What did A-17 cost?" }, { grant, caller: "ada" })
      }).pipe(Effect.provide(Actor.layer(support)))
      assert.deepStrictEqual(yield* acts(ended.session), ["model:scripted", "look_up", "model:scripted"])
      assert.deepStrictEqual(ended._tag === "Succeeded" ? ended.output : ended._tag, { reply: "It cost 40 euros." })
    }).pipe(Effect.provide(runtime)))
})
`
