/** What the product loads: its core, nothing but Effect; a vendor's package, only once a backend of the vendor is made. */
import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { globSync, readFileSync } from "node:fs"
import { promisify } from "node:util"

const root = new URL("../../", import.meta.url)

/** The packages of which a module was loaded by each part of a program, that runs in a process of its own, and before. */
const packagesLoadedBy = async (...parts: ReadonlyArray<string>): Promise<ReadonlyArray<ReadonlySet<string>>> => {
  const watched = `
    import { registerHooks } from "node:module"
    const urls = []
    registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) })
    const after = []
    ${parts.map((part) => `${part}\nafter.push([...urls])`).join("\n")}
    console.log(JSON.stringify(after))
  `
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--conditions=aosiq-source", "--input-type=module", "--eval", watched],
    { cwd: root, maxBuffer: 16 * 1024 * 1024 }
  )
  const after: ReadonlyArray<ReadonlyArray<string>> = JSON.parse(stdout)
  return after.map((urls) => {
    assert.isNotEmpty(urls)
    return new Set(urls.flatMap((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []))
  })
}

const none: ReadonlySet<string> = new Set()

/** A package and everything it depends on. */
const family = (name: string, known = new Set<string>()): ReadonlySet<string> => {
  if (known.has(name)) return known
  known.add(name)
  const { dependencies = {} } = JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, root), "utf8"))
  for (const dependency of Object.keys(dependencies)) family(dependency, known)
  return known
}

describe("the core", () => {
  it("loads nothing but Effect", async () => {
    const doors = globSync("src/**/index.ts", { cwd: root }).toSorted()
    assert.include(doors, "src/backend/index.ts")
    const [loaded = none] = await packagesLoadedBy(doors.map((door) => `await import("./${door}")`).join("\n"))
    assert.include([...loaded], "effect")
    assert.isEmpty([...loaded].filter((name) => !family("effect").has(name)))
  })
})

/** How a backend of each vendor is made, and which packages it is made of. */
const vendors = {
  anthropic: { packages: ["@anthropic-ai/sdk"], make: `Anthropic.make({ model: "m", apiKey })` },
  bedrock: {
    packages: ["@aws-sdk/client-bedrock-runtime", "@smithy/node-http-handler"],
    make: `Bedrock.make({ model: "m", apiKey, region: "eu-west-1" })`
  },
  google: { packages: ["@google/genai"], make: `Gemini.make({ model: "m", apiKey })` },
  ollama: { packages: ["ollama"], make: `Ollama.make({ model: "m" })` },
  openai: { packages: ["openai"], make: `OpenAi.make({ model: "m", apiKey })` }
} as const
const sdks = Object.values(vendors).flatMap(({ packages }) => packages)

describe("the product", () => {
  it("loads no vendor's package, whatever of it is imported", async () => {
    const [loaded = none] = await packagesLoadedBy(`
      await import("aosiq")
      await import("aosiq/testing")
      await import("aosiq/layers/presets")
      await import("aosiq/layers/claude-code")
    `)
    assert.include([...loaded], "@langchain/langgraph")
    assert.isEmpty(sdks.filter((name) => loaded.has(name)))
  })

  it("does not load the client of a bucket until anchors go there", async () => {
    const load = `
      const { S3Anchors } = await import("./layers/s3/index.ts")
      const { Alerts } = await import("./src/audit/index.ts")
      const { Effect, Layer } = await import("effect")
    `
    const options = `{
      bucket: "b", prefix: "", region: "r", retention: "none", credentials: "ambient", endpoint: "http://127.0.0.1:1"
    }`
    const make = `
      const anchors = S3Anchors.layer(${options}).pipe(Layer.provide(Alerts.layerMemory))
      await Effect.runPromise(Effect.scoped(Layer.build(anchors)))
    `
    const [before = none, after = none] = await packagesLoadedBy(load, make)
    assert.include([...before], "effect")
    assert.notInclude([...before], "@aws-sdk/client-s3")
    assert.include([...after], "@aws-sdk/client-s3")
  })
})

describe("the layer of a vendor", () => {
  for (const [layer, { make, packages }] of Object.entries(vendors)) {
    const load = `
      const { Effect, Redacted } = await import("effect")
      const { ${make.split(".")[0]} } = await import("aosiq/layers/${layer}")
      const apiKey = Redacted.make("k")
    `
    it(`${layer} does not load the vendor's package until a backend is made`, async () => {
      const [before = none, after = none] = await packagesLoadedBy(load, `await Effect.runPromise(${make})`)
      assert.include([...before], "effect")
      assert.isEmpty(sdks.filter((name) => before.has(name)))
      assert.includeMembers([...after], [...packages])
      assert.isEmpty(sdks.filter((name) => after.has(name) && !packages.some((own) => own === name)))
    })

    it(`${layer} says what to install where the package is missing`, async () => {
      const [first] = packages
      const program = `
        import { registerHooks } from "node:module"
        registerHooks({
          resolve: (specifier, context, next) => {
            if (specifier === "${first}") throw new Error("not installed")
            return next(specifier, context)
          }
        })
        ${load}
        const error = await Effect.runPromise(Effect.flip(${make}))
        console.log(error.reason._tag, error.message)
      `
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ["--conditions=aosiq-source", "--input-type=module", "--eval", program],
        { cwd: root }
      )
      assert.include(stdout, "MissingPackage")
      assert.include(stdout, `${first} cannot be loaded; run npm install ${first}`)
    })
  }
})
