/**
 * Which MCP servers an operator lets in, how each is reached, and what the operator says of its tools. What a server says of
 * itself (`readOnlyHint` and the like) is a stranger's word and decides nothing. A tool that is not named here is not there.
 *
 * A tool that nothing is said of cannot be undone, sends something out, and returns a stranger's text.
 */
import { Context, Schema } from "effect"
import { Flow, Label } from "../trust/index.ts"
import * as Names from "./Names.ts"

/** A text as it stands, or the name of the variable of ours that holds it: secrets are written the second way. */
export const Value = Schema.Union([Schema.String, Schema.Struct({ from: Schema.NonEmptyString })])
export type Value = typeof Value.Type

const Values = Schema.Record(Schema.NonEmptyString, Value)
const Bounded = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 1, maximum }))

/** The longest that a call may take, milliseconds. */
export const maxTimeoutMs = 3_600_000

/** What an operator says of a tool. */
export const Marks = Schema.Struct({
  /** It changes nothing anywhere: it may be called without an approval, and again. */
  readOnly: Schema.optionalKey(Schema.Boolean),
  /** What it does can be undone: it may be called without an approval. */
  reversible: Schema.optionalKey(Schema.Boolean),
  /** Called again with the same arguments, it does nothing more: a lost call may be repeated. */
  idempotent: Schema.optionalKey(Schema.Boolean),
  /** What it does to the world; `outbound` unless set, and nothing for a program of this machine that only reads. */
  sinks: Schema.optionalKey(Schema.Array(Flow.Sink)),
  trust: Schema.optionalKey(Schema.Union([Schema.Literals(["trusted", "untrusted"]), Label.Fields])),
  /** Groups that its results are for, as a whole or field by field. */
  readers: Schema.optionalKey(Schema.Union([Schema.Array(Schema.NonEmptyString), Label.ReadersByField])),
  timeoutMs: Schema.optionalKey(Bounded(maxTimeoutMs))
})
export type Marks = typeof Marks.Type

const common = {
  /** Its tools by name; `*` stands for all that are not named. */
  tools: Schema.Record(Schema.NonEmptyString, Marks),
  /** Whether a definition that is seen for the first time waits for an operator, or is taken. A changed one always waits. */
  firstUse: Schema.optionalKey(Schema.Literals(["ask", "pin"])),
  timeoutMs: Schema.optionalKey(Bounded(maxTimeoutMs)),
  /** Calls at the same time. */
  maxCalls: Schema.optionalKey(Bounded(64)),
  /** Bytes of one message of the server; a longer one ends the connection. */
  maxMessageBytes: Schema.optionalKey(Bounded(67_108_864)),
  /** Bytes of a result's text; the rest is cut off, and said to be. */
  maxResultBytes: Schema.optionalKey(Bounded(4_194_304)),
  /** Bytes of an image, a sound or a file that are kept, as base64; of larger ones only size and hash are. */
  keepBytes: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_048_576 }))),
  /** Folders or URIs that the server is told of as its roots; it is told of none unless set. */
  roots: Schema.optionalKey(Schema.Array(Schema.NonEmptyString))
}

/** A program of this machine, spoken to over its standard input and output. */
export const Local = Schema.Struct({
  command: Schema.NonEmptyString,
  args: Schema.optionalKey(Schema.Array(Schema.String)),
  cwd: Schema.optionalKey(Schema.NonEmptyString),
  /** Its environment, which has nothing else in it but what is inherited. */
  env: Schema.optionalKey(Values),
  /** Names of variables that it has from us. */
  inherit: Schema.optionalKey(Schema.Array(Schema.NonEmptyString)),
  ...common
})
/** A server at the other end of a network, spoken to over streamable HTTP. */
export const Remote = Schema.Struct({
  url: Schema.String.check(Schema.isPattern(/^https?:\/\/[^\s@]+$/)),
  headers: Schema.optionalKey(Values),
  ...common
})
export const ServerSettings = Schema.Union([Local, Remote])
export type ServerSettings = typeof ServerSettings.Type

export const Settings = Schema.Struct({
  version: Schema.Literal(1),
  servers: Schema.Record(Names.Server, ServerSettings)
})
export type Settings = typeof Settings.Type

/** No servers. */
export const none: Settings = { version: 1, servers: {} }

/** The settings in force; none unless a layer says otherwise. Read once, where the bridge is built. */
export const Current = Context.Reference<Settings>("aosiq/mcp/Settings/Current", { defaultValue: () => none })

/** What is inherited unless the settings say otherwise: where programs are found, and where they may keep files. */
export const inherited: ReadonlyArray<string> = ["PATH", "HOME", "LANG", "TMPDIR"]

/** The settings of a server, with what is not said. */
export const of = (server: ServerSettings) => ({
  firstUse: server.firstUse ?? "ask",
  timeoutMs: server.timeoutMs ?? 60_000,
  maxCalls: server.maxCalls ?? 8,
  maxMessageBytes: server.maxMessageBytes ?? 8_388_608,
  maxResultBytes: server.maxResultBytes ?? 262_144,
  keepBytes: server.keepBytes ?? 0,
  roots: server.roots ?? []
})

/** What is said of a tool; `undefined` when it is not let in. */
export const marksOf = ({ tools }: ServerSettings, tool: string): Marks | undefined =>
  Object.hasOwn(tools, tool) ? tools[tool] : tools["*"]

/** Whether a tool can be undone. */
export const isReversible = ({ readOnly, reversible }: Marks): boolean => reversible ?? readOnly ?? false

/** What a tool does to the world. */
export const sinksOf = (server: ServerSettings, { readOnly, sinks }: Marks): ReadonlyArray<Flow.Sink> =>
  sinks ?? (readOnly === true && "command" in server ? [] : ["outbound"])
