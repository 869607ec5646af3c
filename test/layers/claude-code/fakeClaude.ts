/**
 * A program that has the command line of Claude Code and writes what a test tells it to. It tells a server how it was
 * started and what it was given, and hands the server's answer on as its output; the header `x-exit` is its exit code.
 */
import { Effect, type Scope } from "effect"
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** The program's path, for as long as the scope is open. */
export const fakeClaude: Effect.Effect<string, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "aosiq-fake-"))),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
  ),
  (folder) => {
    const file = join(folder, "claude")
    writeFileSync(file, `#!${process.execPath}\n${source}`)
    chmodSync(file, 0o755)
    return file
  }
)

const source = `
const http = require("node:http")
const { existsSync, readFileSync } = require("node:fs")
const argv = process.argv.slice(2)
const flag = (name) => argv[argv.indexOf(name) + 1]
const told = {
  argv,
  env: process.env,
  cwd: process.cwd(),
  stdin: readFileSync(0, "utf8"),
  system: readFileSync(flag("--system-prompt-file"), "utf8"),
  servers: JSON.parse(readFileSync(flag("--mcp-config"), "utf8")).mcpServers
}
const unreachable = () => {
  const result = "API Error: Unable to connect to API (ConnectionRefused)"
  process.stdout.write(JSON.stringify({ type: "result", subtype: "success", is_error: true, api_error_status: null, result }) + "\\n")
  process.exitCode = 1
}
const request = http.request(process.env.ANTHROPIC_BASE_URL + "/run", { method: "POST" }, (response) => {
  response.on("error", () => process.exit(1))
  response.on("end", () => { process.exitCode = Number(response.headers["x-exit"] ?? 0) })
  response.pipe(process.stdout)
})
request.on("error", unreachable)
request.end(JSON.stringify(told))
`
