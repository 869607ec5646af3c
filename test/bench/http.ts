/**
 * What the door by HTTP adds to a request: an operation asked for with a token, beside a bare `HttpApi` that echoes, by turns
 * in one run on the loopback address. Client and servers share the process.
 */
import { NodeHttpServer } from "@effect/platform-node"
import { Context, Effect, Layer, Schema } from "effect"
import { HttpRouter, HttpServer } from "effect/http"
import { HttpApi, HttpApiBuilder, HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { Agent, createServer, request } from "node:http"
import { performance } from "node:perf_hooks"
import { HttpDoor } from "../../layers/http/index.ts"
import { Claims, defaultTerms } from "../../src/capability/index.ts"
import { Dispatch } from "../../src/session/index.ts"
import { address, letIn, served } from "../door/http/world.ts"
import type { Report } from "./rows.ts"

/** Prints what the door adds, at one connection and at many. */
export const overhead = (report: Report, isQuick: boolean) =>
  Effect.gen(function*() {
    const url = yield* address
    const bare = HttpDoor.urlOf(Context.get(yield* Layer.build(echo), HttpServer.HttpServer))
    const token = yield* letIn("bench", "operator")
    const dispatch = yield* Dispatch.Dispatch
    const session = Claims.SessionId.make("ses_bench")
    const grant = { names: ["tool:look"] as const, terms: defaultTerms }
    yield* dispatch.open({ session, actor: "Clerk", input: { order: "1" }, grant, caller: "bench" })
    const authorization = `Bearer ${token}`
    const asked: ReadonlyArray<readonly [name: string, url: string]> = [
      ["who asks", `${url}/v1/self`],
      ["a session's status", `${url}/v1/sessions/${session}`]
    ]
    const rounds = isQuick ? 200 : 1000
    for (const connections of [1, 50]) {
      const agent = new Agent({ keepAlive: true, maxSockets: connections })
      const measure = (url: string) =>
        Effect.promise(() => timesOf(agent, url, authorization, connections, rounds * (connections === 1 ? 1 : 5)))
      for (const [name, url] of asked) {
        const [own, theirs]: [Array<number>, Array<number>] = [[], []]
        for (let turn = 0; turn <= turns; turn++) {
          const [mine, echoed] = [yield* measure(url), yield* measure(`${bare}/echo`)]
          if (turn === 0) continue // Warms up.
          own.push(...mine)
          theirs.push(...echoed)
        }
        const at = `${connections} connection${connections === 1 ? "" : "s"}`
        report(`HTTP: bare echo, ${at}, p50`, middle(theirs), "ms")
        report(`HTTP: ${name}, ${at}, p50`, middle(own), "ms")
        report(
          `HTTP: ${name}, added, ${at}, p50`,
          middle(own) - middle(theirs),
          "ms",
          connections === 1 ? "≤ 3" : "≤ 20"
        )
        report(`HTTP: ${name} / bare echo, ${at}`, middle(own) / middle(theirs), "ratio")
      }
      agent.destroy()
    }
  }).pipe(Effect.scoped, Effect.provide(served({ perSecond: 1e9, burst: 1e9 })))

// internal

const turns = 3

const Echo = HttpApi.make("echo").add(
  HttpApiGroup.make("echo").add(HttpApiEndpoint.get("echo", "/echo", {
    success: Schema.Struct({ name: Schema.String, role: Schema.String })
  }))
)
const routes = HttpApiBuilder.layer(Echo).pipe(
  Layer.provide(
    HttpApiBuilder.group(Echo, "echo", (handlers) =>
      handlers.handleAll({
        echo: () => Effect.succeed({ name: "bench", role: "operator" })
      }))
  )
)
const echo = HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
  Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 }))
)

const middle = (values: ReadonlyArray<number>) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN

/** Asks so many times, `connections` at once, and gives how long each took. */
const timesOf = async (agent: Agent, url: string, authorization: string, connections: number, count: number) => {
  const times: Array<number> = []
  let left = count
  const side = async () => {
    while (left-- > 0) {
      const start = performance.now()
      // oxlint-disable-next-line no-await-in-loop -- one connection carries one request at a time
      await once(agent, url, authorization)
      times.push(performance.now() - start)
    }
  }
  await Promise.all(Array.from({ length: connections }, side))
  return times
}

const once = (agent: Agent, url: string, authorization: string) =>
  new Promise<void>((resolve, reject) => {
    request(url, { agent, headers: { authorization } }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${url} answered ${response.statusCode}`))
      response.resume().on("end", resolve)
    }).on("error", reject).end()
  })
