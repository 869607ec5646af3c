/** The log of the golden bundle. Append to it and the bundle changes: make another version instead. */
import { Claims } from "../../../src/capability/index.ts"
import { hashOf, Writer } from "../worlds.ts"

export const [backlog, child] = [Claims.SessionId.make("backlog-1"), Claims.SessionId.make("backlog-1/log-query")]

export const written = (): Writer => {
  const writer = new Writer()
  writer.open(backlog, null)
  const args = writer.payload({ path: "/var/log/größe.log", lines: 20, ratio: 1e-7 })
  writer.append(backlog, "main#0", {
    kind: "intent",
    act: "read_log",
    capabilities: ["tool:read_log@/var/log/*"],
    token: Claims.TokenId.make("jti-1"),
    schema: hashOf("read_log"),
    args,
    argsPreview: "{\"path\":\"/var/log/größe.log\"}",
    reservedMicroUsd: 120,
    ticket: null
  })
  writer.append(backlog, "main#0", {
    kind: "outcome",
    act: "read_log",
    intent: 2,
    status: "succeeded",
    result: writer.payload({ lines: ["queue depth 4711 €", "\u2028 \u0007 \ud83d\ude80"] }),
    resultPreview: "queue depth 4711 €",
    trust: "untrusted",
    costMicroUsd: 80,
    computeMs: 3,
    usage: { backend: "ollama", model: "small", input: 12, output: 34, cacheRead: 0, cacheWrite: 0 }
  })
  writer.anchor()
  writer.open(child, backlog)
  writer.append(child, "main#0", {
    kind: "refusal",
    act: "shell",
    layer: "token",
    reason: "tool:shell is not held",
    args: null,
    ran: false
  })
  writer.append(child, "main#1", {
    kind: "proposed",
    act: "restart",
    ticket: "t-1",
    binding: hashOf("binding"),
    shown: writer.payload({ tool: "restart", arguments: { unit: "worker" } }),
    args: writer.payload({ unit: "worker" })
  })
  writer.append(child, null, { kind: "decided", ticket: "t-1", decision: "denied", by: "ada", reason: "not now" })
  writer.append(child, null, { kind: "unknown", act: "restart", intent: 3 })
  writer.append(child, null, { kind: "noted", what: "revoked", by: "ada", detail: "jti-2" })
  const result = writer.payload("given up")
  writer.append(child, null, { kind: "ended", status: "abandoned", result, reason: "denied" })
  writer.anchor()
  writer.append(backlog, null, { kind: "ended", status: "succeeded", result: null, reason: "" })
  return writer
}
