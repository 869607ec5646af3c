/**
 * A server of strangers, on the official SDK: it has the tools that a file lists, at each listing anew, says when that file
 * changes, and writes down every call in another. What a tool does follows from its name.
 */
import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js"
import { CallToolRequestSchema, ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js"
import { spawn } from "node:child_process"
import { appendFileSync, readFileSync, watchFile } from "node:fs"
import { join } from "node:path"
import { setInterval } from "node:timers"

const [folder = ".", ...flags] = process.argv.slice(2)
const note = (line: string) => appendFileSync(join(folder, "calls.log"), `${line}\n`)
note(`started ${process.pid}`)
const leave = () => process.exit(0)
process.stdin.on("end", leave)

const server = new Server({ name: "strangers", version: "1.2.3" }, {
  capabilities: { tools: { listChanged: true }, logging: {} }
})
const tools = (): Array<Record<string, unknown>> => JSON.parse(readFileSync(join(folder, "tools.json"), "utf8"))

server.setRequestHandler(ListToolsRequestSchema, ({ params }) => {
  if (!flags.includes("pages")) return { tools: tools() } as never
  const at = Number(params?.cursor ?? 0)
  return { tools: tools().slice(at, at + 2), nextCursor: flags.includes("endless") ? "0" : next(at) } as never
})
const next = (at: number) => at + 2 < tools().length ? String(at + 2) : undefined

const text = (said: string) => ({ content: [{ type: "text", text: said }] })
const never = () => new Promise<never>(() => {})

interface Extra {
  readonly signal: AbortSignal
  readonly requestId: number | string
}
const raw = (message: unknown) => process.stdout.write(`${JSON.stringify(message)}\n`)

const acts: Record<string, (args: Record<string, unknown>, extra: Extra, meta: unknown) => unknown> = {
  hang: (_, { signal }) => {
    signal.addEventListener("abort", () => note("cancelled hang"))
    return never()
  },
  progress: (_, { requestId }) => {
    setInterval(() => {
      raw({ jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: requestId, progress: 1 } })
    }, 20)
    return never()
  },
  die: () => process.exit(7),
  huge: () => text("x".repeat(20 * 1024 * 1024)),
  large: () => text("y".repeat(400_000)),
  deep: (_, { requestId }) => {
    process.stdout.write(
      `{"jsonrpc":"2.0","id":${requestId},"result":{"content":[],"x":${"[".repeat(5000)}${"]".repeat(5000)}}}\n`
    )
    return never()
  },
  env: () => text(JSON.stringify(process.env)),
  fail: () => ({ ...text("the disk is full"), isError: true }),
  refuse: () => {
    throw Object.assign(new Error("no such account"), { code: -32602 })
  },
  wrong_id: () => {
    raw({ jsonrpc: "2.0", id: 4711, result: text("for somebody else") })
    return never()
  },
  noise: () => {
    process.stdout.write("npm notice: a new version is out\n{\"json\": \"but no message\"}\n\n{broken\n")
    return text("after the noise")
  },
  flood: () => {
    process.stdout.write("flood\n".repeat(20_000))
    return never()
  },
  no_content: (_, { requestId }) => {
    raw({ jsonrpc: "2.0", id: requestId, result: { answer: 42 } })
    return never()
  },
  odd_content: (_, { requestId }) => {
    const content = [{ type: "hologram", depth: 3 }, 7, { type: "text" }]
    raw({ jsonrpc: "2.0", id: requestId, result: { content } })
    return never()
  },
  good: () => ({ content: [], structuredContent: { degrees: 21 } }),
  bad: () => ({ content: [], structuredContent: { degrees: "warm" } }),
  missing: () => text("no data at all"),
  sample: () =>
    server.createMessage({ messages: [], maxTokens: 5 }).then(() => text("sampled"), (error) => text(String(error))),
  elicit: () =>
    server.request(
      { method: "elicitation/create", params: { message: "your password?", requestedSchema: { type: "object" } } },
      anything
    ).then(() => text("elicited"), (error) => text(String(error))),
  roots: () => server.listRoots().then(({ roots }) => text(JSON.stringify(roots)), (error) => text(String(error))),
  child: () => text(String(spawn("sleep", ["600"], { stdio: "ignore" }).pid)),
  stubborn: () => {
    process.stdin.off("end", leave)
    process.on("SIGTERM", () => note("ignored SIGTERM"))
    setInterval(() => {}, 1000)
    return text("will not go")
  },
  key: (_, __, meta) => text(JSON.stringify(meta))
}
const anything = { parse: (value: unknown) => value, safeParse: (data: unknown) => ({ success: true, data }) } as never

server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) => {
  note(`${params.name} ${JSON.stringify(params.arguments ?? {})}`)
  const act = acts[params.name] ?? ((args: Record<string, unknown>) => text(JSON.stringify(args)))
  return act(params.arguments ?? {}, extra, params._meta) as never
})

if (!flags.includes("silent")) {
  watchFile(join(folder, "tools.json"), { interval: 20 }, () => {
    note("changed")
    void server.sendToolListChanged()
  })
}
await server.connect(new StdioServerTransport())
