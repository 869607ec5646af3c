/** `aosiq mcp serve` as a coding assistant starts it, with the official client. */
import { assert, describe, it } from "@effect/vitest"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { call, connected } from "./mcp/world.ts"
import { folder, root, run } from "./program.ts"

/** The part of a client's configuration that starts a server, as the guide shows it. */
const shown = () => {
  const guide = readFileSync(join(root, "docs/guide/mcp.md"), "utf8")
  const blocks = [...guide.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) => JSON.parse(text ?? ""))
  return blocks.flatMap((block) => Object.values<Snippet>(block.mcpServers ?? block.servers ?? {}))
}
interface Snippet {
  readonly command?: string
  readonly args?: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  readonly url?: string
  readonly headers?: Readonly<Record<string, string>>
}

const environment = (home: string, env: Readonly<Record<string, string>> = {}) => ({
  PATH: process.env["PATH"] ?? "",
  HOME: home,
  AOSIQ_DATA: join(home, ".aosiq"),
  NODE_COMPILE_CACHE: join(root, "node_modules/.cache/aosiq-door"),
  ...env
})
const bin = join(root, "layers/cli/bin.mjs")
const started = (home: string, env: Readonly<Record<string, string>> = {}) =>
  connected(
    new StdioClientTransport({
      command: process.execPath,
      args: [bin, "mcp", "serve"],
      cwd: home,
      env: environment(home, env),
      stderr: "ignore"
    })
  )

describe("aosiq mcp serve", () => {
  it.live(
    "serves the owner, and beside it a caller by its token and no further; ends with its input, and leaves a whole record",
    () =>
      Effect.gen(function*() {
        const home = yield* folder
        const owner = yield* started(home)
        const { tools } = yield* Effect.promise(() => owner.listTools())
        assert.lengthOf(tools, 11)
        const { data } = yield* call(owner, "agents_list")
        assert.include(data.agents.map(({ name }: { name: string }) => name), "Diagnosis")
        const verified = yield* call(owner, "audit_verify")
        assert.isTrue(verified.data.ok, JSON.stringify(verified))

        const how = { cwd: home, env: { AOSIQ_DATA: join(home, ".aosiq") } }
        const added = yield* run(how, "callers", "add", "looker", "--role", "viewer", "--json")
        const { token } = JSON.parse(added.out) as { readonly token: string }
        const looker = yield* started(home, { AOSIQ_TOKEN: token })
        const mine = yield* Effect.promise(() => looker.listTools())
        assert.notInclude(mine.tools.map(({ name }) => name), "session_dispatch")
        const refused = yield* call(looker, "approval_decide", { tickets: [], approve: true, reason: "" })
        assert.include(refused.error, "-32602")

        const nobody = yield* run({ ...how, env: { ...how.env, AOSIQ_TOKEN: "eyJhbGciOi" } }, "mcp", "serve")
        assert.strictEqual(nobody.code, 1)
        assert.strictEqual(nobody.out, "")
        assert.include(nobody.err, "token")
      }).pipe(Effect.scoped),
    600_000
  )

  it.live("is started by the configuration that the guide shows", () =>
    Effect.gen(function*() {
      const home = yield* folder
      const programs = shown().filter(({ command }) => command !== undefined)
      assert.isAtLeast(programs.length, 2)
      for (const { args, command } of programs) {
        assert.deepStrictEqual([command, args?.slice(0, 3)], ["npx", ["aosiq", "mcp", "serve"]])
      }
      const servers = shown().filter(({ url }) => url !== undefined)
      const [own, signedIn] = [servers.filter(({ headers }) => headers), servers.filter(({ headers }) => !headers)]
      assert.isAtLeast(own.length, 2)
      for (const { headers, url } of own) {
        assert.strictEqual(url, "http://127.0.0.1:7070/mcp")
        assert.match(headers?.["Authorization"] ?? "", /^Bearer \$\{/)
      }
      assert.deepStrictEqual(signedIn.map(({ url }) => url), ["https://aosiq.example/mcp"])
      // Started as it stands there, with the program's own path for what npx finds.
      const child = yield* Effect.acquireRelease(
        Effect.sync(() =>
          spawn(process.execPath, [bin, ...(programs[0]?.args ?? []).slice(1)], {
            cwd: home,
            env: environment(home, programs[0]?.env),
            stdio: ["pipe", "pipe", "ignore"]
          })
        ),
        (child) => Effect.sync(() => child.kill("SIGKILL"))
      )
      const out = yield* Effect.callback<string>((resume) => {
        let heard = ""
        child.stdout.on("data", (data: Buffer) => heard += data.toString())
        child.on("close", (code) => resume(Effect.succeed(`${code}\n${heard}`)))
        const say = (message: unknown) => child.stdin.write(`${JSON.stringify(message)}\n`)
        child.stdin.write(`no JSON\n${"[".repeat(200)}\n7\n`)
        const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } }
        say({ jsonrpc: "2.0", id: 1, method: "initialize", params })
        say({ jsonrpc: "2.0", method: "notifications/initialized" })
        say({ jsonrpc: "2.0", id: 2, method: "tools/list" })
        child.stdin.end()
      })
      const [code, ...lines] = out.trim().split("\n")
      const answers = lines.map((line) => JSON.parse(line))
      assert.strictEqual(code, "0", out)
      assert.deepStrictEqual(answers.slice(0, 3).map(({ error }) => error?.code), [-32_700, -32_700, -32_600])
      assert.lengthOf(answers.find(({ id }) => id === 2).result.tools, 11)
    }).pipe(Effect.scoped), 300_000)
})
