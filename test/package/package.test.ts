/** What is published works where the sources are not: packed, unpacked, imported, compiled against, started. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import { promisify } from "node:util"

const home = join(import.meta.dirname, "../..")
const run = promisify(execFile)
const limit = 300_000

interface Packed {
  readonly filename: string
  readonly files: ReadonlyArray<{ readonly path: string }>
}

/** The package in the `node_modules` of a program, beside its dependencies and nothing of the repository. */
const install = async (program: string): Promise<ReadonlyArray<string>> => {
  // The working copy is left as it is: its own `dist`, if it has one, may be in use.
  const copy = join(program, "copy")
  mkdirSync(copy)
  const taken = readdirSync(home).filter((name) => !["node_modules", "dist", ".git"].includes(name))
  await run("cp", ["-R", ...taken.map((name) => join(home, name)), copy])
  symlinkSync(join(home, "node_modules"), join(copy, "node_modules"))
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", program], {
    cwd: copy,
    maxBuffer: 64 * 1024 * 1024
  })
  // What the build prints comes before the list.
  const [packed] = JSON.parse(stdout.slice(stdout.search(/^\[/m))) as ReadonlyArray<Packed>
  assert.isDefined(packed)
  await run("tar", ["-xzf", join(program, packed.filename), "-C", program])
  const modules = join(program, "node_modules")
  mkdirSync(modules)
  await run("mv", [join(program, "package"), join(modules, "aosiq")])
  const { dependencies } = JSON.parse(readFileSync(join(modules, "aosiq/package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>
  }
  for (const name of Object.keys(dependencies)) {
    mkdirSync(join(modules, name, ".."), { recursive: true })
    symlinkSync(join(home, "node_modules", name), join(modules, name))
  }
  rmSync(copy, { recursive: true })
  return packed.files.map(({ path }) => path)
}

/** Anthropic's API, as far as one question takes it: a look, then an answer. */
const vendor = async () => {
  const turns = [
    { name: "look_up", input: { order: "A-17" } },
    { name: "conclude", input: { reply: "It cost 40 euros." } }
  ]
  const server = createServer((_, response) => {
    const call = { type: "tool_use", id: `toolu_${turns.length}`, ...turns.shift() }
    const usage = { input_tokens: 10, output_tokens: 5, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }
    const message = { id: "msg", type: "message", role: "assistant", model: "claude-sonnet-5", content: [call], usage }
    response.setHeader("content-type", "application/json")
    response.end(JSON.stringify({ ...message, stop_reason: "tool_use", stop_sequence: null }))
  })
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => void server.close() }
}

describe("the package", () => {
  const program = mkdtempSync(join(tmpdir(), "aosiq-package-"))
  let files: ReadonlyArray<string> = []
  beforeAll(async () => {
    files = await install(program)
  }, limit)
  afterAll(() => rmSync(program, { recursive: true }))

  it("holds compiled code, migrations and pages, and neither sources nor tests", () => {
    for (
      const file of [
        "dist/src/index.js",
        "dist/src/index.d.ts",
        "dist/layers/presets/index.js",
        "dist/layers/presets/testing.js",
        "dist/layers/cli/main.js",
        "dist/migrations/0001_log.sql",
        "layers/cli/bin.mjs",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "package.json"
      ]
    ) assert.include(files, file)
    assert.deepStrictEqual(files.filter((file) => /(?<!\.d)\.ts$|\.test\.|^test\/|^examples\//.test(file)), [])
  })

  it("names its sources under a condition of its own, first in every export", () => {
    const { exports } = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as {
      readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
    }
    const first = Object.values(exports).flatMap((one) => typeof one === "string" ? [] : Object.keys(one).slice(0, 1))
    assert.deepStrictEqual([...new Set(first)], ["aosiq-source"])
  })

  it("runs the example of the README under plain Node", async () => {
    const example = readFileSync(join(home, "examples/embed.ts"), "utf8")
    writeFileSync(join(program, "embed.ts"), example)
    writeFileSync(join(program, "package.json"), JSON.stringify({ type: "module" }))
    const { stdout } = await run(process.execPath, ["embed.ts"], { cwd: program })
    assert.include(stdout, "output: 'enough'")
  }, limit)

  it("gives its types to a program that compiles against it", async () => {
    writeFileSync(join(program, "embed.ts"), readFileSync(join(home, "examples/embed.ts"), "utf8"))
    writeFileSync(
      join(program, "wrong.ts"),
      readFileSync(join(home, "examples/embed.ts"), "utf8").replace("tools: [FreeMemory]", "tools: []")
    )
    const compilerOptions = {
      target: "ES2024",
      module: "NodeNext",
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      types: ["node"],
      typeRoots: [join(home, "node_modules/@types")]
    }
    writeFileSync(join(program, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }))
    const tsc = join(home, "node_modules/typescript/bin/tsc")
    const said = await run(process.execPath, [tsc, "--pretty", "false", "-p", program]).then(
      ({ stdout }) => stdout,
      (error: { readonly stdout: string }) => error.stdout
    )
    assert.notInclude(said, "embed.ts")
    assert.include(said, "wrong.ts")
    assert.include(said, `"no tool of this actor declares": "tool:free_memory"`)
  }, limit)

  it("starts its program", async () => {
    const { stdout } = await run(process.execPath, ["node_modules/aosiq/layers/cli/bin.mjs", "--version"], {
      cwd: program
    })
    const { version } = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as { readonly version: string }
    assert.include(stdout, version)
  }, limit)

  it("writes a project whose types and tests pass, and overwrites nothing", async () => {
    const bin = join(program, "node_modules/aosiq/layers/cli/bin.mjs")
    mkdirSync(join(program, "node_modules/@types"), { recursive: true })
    mkdirSync(join(program, "node_modules/@anthropic-ai"), { recursive: true })
    for (const name of ["@anthropic-ai/sdk", "@effect/vitest", "@types/node", "typescript", "vitest"]) {
      symlinkSync(join(home, "node_modules", name), join(program, "node_modules", name))
    }
    const { stdout } = await run(process.execPath, [bin, "init", "my-project", "--json"], { cwd: program })
    const said = JSON.parse(stdout) as { readonly folder: string; readonly written: ReadonlyArray<string> }
    const project = join(program, "my-project")
    const found = readdirSync(project, { recursive: true, withFileTypes: true })
      .flatMap((entry) => entry.isFile() ? [relative(project, join(entry.parentPath, entry.name))] : [])
    assert.deepStrictEqual(found.toSorted(), [...said.written].toSorted())

    const tools = (name: string, ...args: ReadonlyArray<string>) =>
      run(process.execPath, [join(home, "node_modules", name), ...args], {
        cwd: project,
        env: { PATH: process.env["PATH"], HOME: program }
      })
    await tools("typescript/bin/tsc", "--pretty", "false")
    const tests = await tools("vitest/vitest.mjs", "run")
    assert.match(tests.stdout, /3 passed/)
    assert.include((await run(process.execPath, ["src/main.ts"], { cwd: project })).stdout, "nothing is paid before")
    const model = await vendor()
    const asked = await run(process.execPath, ["src/ask.ts"], {
      cwd: project,
      env: { PATH: process.env["PATH"], ANTHROPIC_API_KEY: "none", ANTHROPIC_BASE_URL: model.url }
    }).finally(model.close)
    assert.strictEqual(asked.stdout, "It cost 40 euros.\n")

    writeFileSync(join(project, "src/main.ts"), "mine")
    rmSync(join(project, "README.md"))
    const again = await run(process.execPath, [bin, "init", "my-project"], { cwd: program }).then(
      () => "",
      (error: { readonly stderr: string }) => error.stderr
    )
    assert.include(again, "nothing was written")
    assert.strictEqual(readFileSync(join(project, "src/main.ts"), "utf8"), "mine")
    assert.notInclude(readdirSync(project), "README.md")
  }, limit)

  it("keeps a log in a folder: it finds its migrations", async () => {
    const bin = "node_modules/aosiq/layers/cli/bin.mjs"
    const { stdout } = await run(process.execPath, [bin, "start", "--once", "--json"], { cwd: program })
    const outcome = JSON.parse(stdout) as { readonly audit: { readonly ok: boolean; readonly rows: number } }
    assert.isTrue(outcome.audit.ok)
    assert.isAbove(outcome.audit.rows, 10)
  }, limit)
})
