#!/usr/bin/env node
// Runs the compiled program, or its sources in a checkout; on an older Node, under the one that was installed beside it.
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import module from "node:module"
import { homedir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const at = (path) => new URL(path, import.meta.url)
const compiled = at("../../dist/layers/cli/main.js")
const inCheckout = existsSync(at("./main.ts")) && !fileURLToPath(import.meta.url).includes("/node_modules/")
const [major, minor] = process.versions.node.split(".").map(Number)

// What was compiled once starts sooner. It is run as code, so it is kept where nobody else writes.
module.enableCompileCache?.(join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "aosiq", "compiled"))

if (major > 22 || (major === 22 && minor >= 19)) {
  await import(inCheckout ? at("./main.ts").href : compiled.href)
} else {
  const newer = fileURLToPath(at("../../node_modules/node/bin/node"))
  if (!existsSync(newer)) {
    console.error(`error: aosiq needs Node 22.19 or newer, this is ${process.version}\nremedy: npm install, or a newer Node`)
    process.exit(1)
  }
  const child = spawn(newer, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" })
  // Whoever stops this process means the program: it closes what it holds, and says how it ended.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal))
  child.on("exit", (code) => process.exit(code ?? 1))
}
