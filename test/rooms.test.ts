/**
 * The rooms of the house: which may import which, by which doors, and which packages each layer stands on. The tables
 * are the rules; the linter repeats the first of them at the line that breaks it.
 */
import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { isBuiltin } from "node:module"
import { join, posix } from "node:path"

/** The rooms of `src`. A room may import those it stands on, and all that they stand on. */
const standsOn: Readonly<Record<string, ReadonlyArray<string>>> = {
  capability: [],
  trust: [],
  audit: ["capability"],
  approval: ["audit"],
  cost: ["audit"],
  evidence: ["audit", "trust"],
  proposal: ["evidence"],
  governor: ["approval", "cost", "trust"],
  tool: ["governor"],
  backend: ["tool"],
  memory: ["tool"],
  knowledge: ["tool"],
  sandbox: ["tool"],
  actor: ["backend", "memory", "knowledge", "sandbox", "proposal"],
  session: ["actor"],
  agents: ["actor"],
  mcp: ["session"],
  operator: ["mcp"],
  door: ["operator", "agents"]
}

/** What a layer imports beside `effect`, Node and the doors of `src`. A layer that is not here imports nothing else. */
const layers: Readonly<Record<string, { readonly packages: ReadonlyArray<string>; readonly layers: LayerNames }>> = {
  anthropic: { packages: ["@anthropic-ai/sdk"], layers: [] },
  bedrock: { packages: ["@aws-sdk/client-bedrock-runtime", "@smithy/node-http-handler"], layers: [] },
  casefolder: { packages: [], layers: ["logfiles", "settings"] },
  "claude-code": { packages: ["@effect/platform-node"], layers: ["anthropic"] },
  cli: { packages: ["@effect/platform-node"], layers: "all" },
  cluster: { packages: ["@effect/platform-node"], layers: ["sql"] },
  control: { packages: ["@effect/platform-node"], layers: [] },
  directory: { packages: [], layers: ["node"] },
  google: { packages: ["@google/genai"], layers: [] },
  host: { packages: ["@effect/platform-node"], layers: [] },
  http: { packages: ["@effect/platform-node"], layers: [] },
  jose: { packages: ["jose"], layers: ["node"] },
  langgraph: {
    packages: ["@langchain/core", "@langchain/langgraph", "@langchain/langgraph-checkpoint"],
    layers: []
  },
  mcp: { packages: ["@modelcontextprotocol/sdk", "ajv", "yaml"], layers: [] },
  node: { packages: ["@effect/platform-node", "canonicalize"], layers: [] },
  ollama: { packages: ["ollama"], layers: [] },
  oidc: { packages: ["jose", "yaml"], layers: ["jose"] },
  openai: { packages: ["openai"], layers: [] },
  pglite: { packages: ["@effect/sql-pg", "@electric-sql/pglite"], layers: [] },
  policy: { packages: ["yaml"], layers: [] },
  postgres: { packages: ["@effect/sql-pg"], layers: [] },
  presets: { packages: ["@effect/platform-node"], layers: "all" },
  prices: { packages: ["@pydantic/genai-prices"], layers: [] },
  s3: { packages: ["@aws-sdk/client-s3"], layers: [] },
  settings: { packages: ["yaml"], layers: ["logfiles"] },
  sql: { packages: [], layers: ["node"] },
  witness: { packages: [], layers: ["node"] }
}
type LayerNames = ReadonlyArray<string> | "all"

/** A contract that layers may import past its room's door, for it is all that they need of the room. */
const contracts = new Set(["src/agents/advisor/Source.ts"])

// --- reading -----------------------------------------------------------------

const home = join(import.meta.dirname, "..")
const statement = /(?:^|;)\s*(?:import|export)\s[\w\s{},*$]*?from\s*"([^"]+)"|(?:^|;)\s*import\s*"([^"]+)"/gm
const expression = /\bimport\(\s*"([^"]+)"\s*\)/g
const importsOf = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(statement), ...text.matchAll(expression)].flatMap(([, from, bare]) => from ?? bare ?? [])

interface Import {
  readonly file: string
  /** A package, or a file's path from the top of the project. */
  readonly target: string
  readonly isFile: boolean
}
const read = (top: string): ReadonlyArray<Import> =>
  readdirSync(join(home, top), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(?:ts|tsx|mts|js|mjs)$/.test(name) && !/(?:^|\/)(?:node_modules|dist)\//.test(name))
    .flatMap((name) => {
      const file = `${top}/${name}`
      return importsOf(readFileSync(join(home, file), "utf8")).map((text): Import =>
        text.startsWith(".")
          ? { file, target: posix.join(posix.dirname(file), text), isFile: true }
          : { file, target: text, isFile: false }
      )
    })

const fromSrc = read("src")
const fromLayers = read("layers")

const topOf = (path: string) => path.split("/")[0] ?? ""
const roomOf = (path: string) => path.split("/")[1] ?? ""
const house = (path: string) => `${topOf(path)}/${roomOf(path)}`
const packageOf = (name: string) => name.split("/", name.startsWith("@") ? 2 : 1).join("/")
const isDoor = (path: string) => path.endsWith("/index.ts")
const told = (broken: ReadonlyArray<Import>) => broken.map(({ file, target }) => `${file} imports ${target}`)
const none = (broken: ReadonlyArray<Import>) => assert.deepStrictEqual(told(broken), [])

/** All that can be reached from `start`, itself only if a cycle leads back. */
const reach = (graph: ReadonlyMap<string, ReadonlyArray<string>>, start: string): ReadonlySet<string> => {
  const seen = new Set<string>()
  const waiting = [...(graph.get(start) ?? [])]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (seen.has(next)) continue
    seen.add(next)
    waiting.push(...(graph.get(next) ?? []))
  }
  return seen
}
const table = new Map(Object.entries(standsOn))
const mayImport = new Map([...table.keys()].map((room) => [room, reach(table, room)]))

// --- the rules ---------------------------------------------------------------

describe("rooms", () => {
  it("every form of import is read", () => {
    const text = [
      "import a from \"a\"",
      "import { type B,\n  C as D\n} from \"./b.ts\"",
      "import type * as E from \"e\"",
      "export * as F from \"f\"",
      "import \"g\"",
      "const h = () => import(\"h\")",
      "type I = import(\"i\").I",
      "export const from = \"not an import\""
    ].join("\n")
    assert.deepStrictEqual([...importsOf(text)].toSorted(), ["./b.ts", "a", "e", "f", "g", "h", "i"])
    assert.isAbove(fromSrc.length, 100)
    assert.isAbove(fromLayers.length, 100)
  })

  it("src imports effect, itself and nothing else", () => {
    none(fromSrc.filter(({ isFile, target }) => isFile ? topOf(target) !== "src" : packageOf(target) !== "effect"))
  })

  it("a room of src imports the rooms it stands on", () => {
    none(
      fromSrc.filter(({ file, isFile, target }) =>
        // src/index.ts is the door of the house: it stands on every room.
        isFile && file !== "src/index.ts" && roomOf(file) !== roomOf(target) &&
        mayImport.get(roomOf(file))?.has(roomOf(target)) !== true
      )
    )
  })

  it("a room is entered by its door", () => {
    none(
      [...fromSrc, ...fromLayers].filter(({ file, isFile, target }) =>
        isFile && house(file) !== house(target) && !isDoor(target) &&
        !(topOf(file) === "layers" && contracts.has(target))
      )
    )
  })

  it("a layer imports its own packages", () => {
    none(fromLayers.filter(({ file, isFile, target }) =>
      !isFile && !isBuiltin(target) && packageOf(target) !== "effect"
      && layers[roomOf(file)]?.packages.includes(packageOf(target)) !== true
    ))
  })

  it("a layer imports src, and the layers it is made of", () => {
    none(fromLayers.filter(({ file, isFile, target }) => {
      if (!isFile || topOf(target) === "src" || house(file) === house(target)) return false
      const made = layers[roomOf(file)]?.layers ?? []
      return topOf(target) !== "layers" || !(made === "all" || made.includes(roomOf(target)))
    }))
  })

  it("no room leads back to itself", () => {
    const graph = Map.groupBy([...fromSrc, ...fromLayers].filter(({ isFile }) => isFile), ({ file }) => house(file))
    const edges = new Map([...graph].map(([room, imports]) => [
      room,
      imports.map(({ target }) => house(target)).filter((target) => target !== room)
    ]))
    assert.deepStrictEqual([...edges.keys()].filter((room) => reach(edges, room).has(room)), [])
    assert.deepStrictEqual([...mayImport].filter(([room, below]) => below.has(room)), [])
  })

  it("the linter keeps the same table", () => {
    const text = readFileSync(join(home, ".oxlintrc.json"), "utf8").replaceAll(/^\s*\/\/.*$/gm, "")
    const { overrides } = JSON.parse(text) as {
      readonly overrides: ReadonlyArray<{ readonly files: ReadonlyArray<string>; readonly rules: object }>
    }
    const doors = /"!\{\.\.,\.\.\/\.\.,\.\.\/\.\.\/\.\.\}\/\{?([^}"]+)\}?\/index\.ts"/g
    const linted = new Map(overrides.flatMap(({ files: [glob], rules }) => {
      const room = /^src\/(\w+)\/\*\*$/.exec(glob ?? "")?.[1]
      if (room === undefined) return []
      const named = [...JSON.stringify(rules).matchAll(doors)].flatMap(([, list]) => list?.split(",").map(topOf) ?? [])
      return [[room, [...new Set(named)].filter((name) => name !== room).toSorted()]]
    }))
    assert.deepStrictEqual(linted, new Map([...mayImport].map(([room, below]) => [room, [...below].toSorted()])))
  })
})
