/** The official suite (`@modelcontextprotocol/conformance`) against a server on this machine, scenario by scenario. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Context, Effect, Layer } from "effect"
import type { McpServer } from "effect/ai"
import { SecureRandom } from "effect/crypto"
import { HttpRouter, HttpServer } from "effect/http"
import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { Answers, Api, Limits } from "../../src/door/http/index.ts"
import { McpHttp, type News } from "../../src/door/mcp/index.ts"
import type { Asker } from "../../src/operator/index.ts"
import { fixture } from "./fixture.ts"

/** How a scenario went: what it checked, and what it objected to. */
export interface Verdict {
  readonly scenario: string
  readonly passed: number
  readonly objections: ReadonlyArray<string>
}

const asker: Asker.Identity = { name: "suite", role: "admin", ceiling: null }
const entering = Effect.succeed({ asker, isIn: Effect.succeed(true) })
/** Whatever is followed, nothing of it changes. */
const news: News.News = {
  admit: () => Effect.void,
  look: () => Effect.succeed({ look: { at: 0, rows: new Map(), waiting: null }, changed: new Set() })
}
const options = {
  hosts: [],
  origins: [],
  signIn: { issuers: [], scopes: [] },
  isEncrypted: false,
  version: "1",
  depth: 64
}

/** A server of the product's transport and door, which lets everybody in: the suite shows no token. */
const server = Layer.unwrap(
  Effect.map(
    HttpRouter.toHttpEffect(
      McpHttp.routes(fixture as Layer.Layer<never, never, McpServer.McpServer>, news, {
        enter: entering,
        hold: () => Effect.void
      }, options)
    ),
    (app) => HttpServer.serve(Answers.all(Api, "enforced", Limits.standard)(app))
  )
).pipe(
  Layer.provide(SecureRandom.layerWebCrypto),
  Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 }))
)

/** Runs every server scenario. */
export const judged: Effect.Effect<ReadonlyArray<Verdict>> = Effect.gen(function*() {
  const context = yield* Effect.orDie(Layer.build(server))
  const { port } = new URL(HttpServer.formatAddress(Context.get(context, HttpServer.HttpServer).address))
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "aosiq-conformance-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )
  yield* run(["server", "--url", `http://localhost:${port}/mcp`, "--suite", "all", "--output-dir", folder])
  return readdirSync(folder).map((name) => verdict(folder, name)).toSorted((a, b) => a.scenario < b.scenario ? -1 : 1)
}).pipe(Effect.scoped)

// internal

const suite = resolve(import.meta.dirname, "../../node_modules/@modelcontextprotocol/conformance/dist/index.js")

const run = (args: ReadonlyArray<string>) =>
  Effect.callback<void>((resume) => {
    const child = spawn(process.execPath, [suite, ...args], { stdio: "ignore" })
    child.on("close", () => resume(Effect.void))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

interface Check {
  readonly id: string
  readonly status: string
  readonly errorMessage?: string
}
const verdict = (folder: string, name: string): Verdict => {
  const checks: ReadonlyArray<Check> = JSON.parse(readFileSync(join(folder, name, "checks.json"), "utf8"))
  const objections = checks.flatMap(({ errorMessage = "", id, status }) =>
    status === "FAILURE" || status === "WARNING" ? [`${id} (${status.toLowerCase()}): ${errorMessage}`] : []
  )
  return {
    scenario: name.replace(/^server-/, "").replace(/-\d{4}-\d\d-\d\dT.*$/, ""),
    passed: checks.length - objections.length,
    objections
  }
}
