/** What the command line needs of the system underneath: a way to the operations, and a diagnosis to start. */
import { Context, type Effect, type Redacted, Schema, type Scope, type Stream } from "effect"
import type { RpcClient, RpcClientError, RpcGroup } from "effect/rpc"
import type { Log, Row } from "../../audit/index.ts"
import type { Check } from "../../backend/index.ts"
import type { Claims } from "../../capability/index.ts"
import type { Desk, Operations } from "../../operator/index.ts"
import type { Dispatch } from "../../session/index.ts"
import type { Case, Flow } from "../../trust/index.ts"

/** What was asked for was not done. */
export class RuntimeError extends Schema.TaggedError<RuntimeError>()("RuntimeError", {
  detail: Schema.String,
  remedy: Schema.String
}) {}

/** What was asked for contradicts itself; nothing was begun. */
export class UsageError extends Schema.TaggedError<UsageError>()("UsageError", {
  detail: Schema.String,
  remedy: Schema.String
}) {}

/** Whose operations are asked for. */
export type Where =
  | { readonly _tag: "Folder"; readonly folder: string }
  /** In the name of the token's caller. */
  | { readonly _tag: "Remote"; readonly url: string; readonly token: Redacted.Redacted }

/** A runtime elsewhere did not answer, let nobody in, or said what makes no sense here. */
export interface Unanswered {
  readonly _tag: "RemoteError"
  readonly detail: string
  readonly remedy: string
}

/** How an operation fails: it was not carried out, or whoever should have answered did not. */
export type Failure = Operations.OperationError | RpcClientError.RpcClientError | Unanswered

/** What a watcher of a session sees: its rows in order, each once, and its end. */
export type Watched =
  | { readonly event: "row"; readonly data: Row.Row }
  | { readonly event: "end"; readonly data: { readonly status: Log.Status } }

/** The operations, as the command line calls them, wherever they are carried out. */
export type Client = Desk.Shape<Failure, never> & {
  /** From a row on, until the session has ended. */
  readonly session_watch: (
    payload: { readonly session: Claims.SessionId; readonly from: number }
  ) => Stream.Stream<Watched, Failure>
  readonly health: Effect.Effect<Health, Failure>
}

/** The operations of a process on this machine, by message. */
export type Process = RpcClient.RpcClient<RpcGroup.Rpcs<typeof Operations.Operations>, RpcClientError.RpcClientError>

/** Whether a runtime is there, and can work. */
export type Health =
  | { readonly status: "ready" }
  | { readonly status: "not_ready"; readonly detail: string }

/** Who may reason: rules, or a model. */
export const backends = ["offline", "anthropic", "bedrock", "claude-code", "gemini", "ollama", "openai"] as const

/** A backend to go on with, on its usual model unless one is named. */
export interface Fallback {
  readonly backend: (typeof backends)[number]
  readonly model: string | undefined
}

/** What to diagnose, and with what. */
export interface Order {
  /** What was noticed, in words. */
  readonly symptom: string | undefined
  /** A recorded case instead of live sources. */
  readonly caseFolder: string | undefined
  readonly logs: ReadonlyArray<string>
  readonly config: string | undefined
  readonly baseline: string | undefined
  readonly prometheus: string | undefined
  readonly postgres: Redacted.Redacted | undefined
  readonly backend: (typeof backends)[number]
  readonly model: string | undefined
  /** Who reasons when that one cannot, in order. */
  readonly fallbacks: ReadonlyArray<Fallback>
  /** Where the ticket would be saved; `null` for no ticket. */
  readonly ticket: string | null
  readonly budgetMicroUsd: number
  /** A file of prices that goes before the price list. */
  readonly prices: string | undefined
}

/** Where other runners reach one, and where it listens for them. */
export interface Place {
  readonly host: string
  readonly port: number
  readonly listenHost: string | undefined
}

/** A runner to start. */
export interface RunnerOrder {
  /** That all runners share. */
  readonly database: Redacted.Redacted
  readonly place: Place
  /** Where it answers whether it can work; nowhere, when left out. */
  readonly health: { readonly host: string; readonly port: number } | undefined
}

/** Where callers are served by HTTP, and who reasons for what they dispatch. */
export interface ServeOrder extends Pick<Order, "backend" | "model" | "prices"> {
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
  /** Names under which others reach the MCP server, origins of pages that may ask it, and the version that it tells. */
  readonly mcp: {
    readonly hosts: ReadonlyArray<string>
    readonly origins: ReadonlyArray<string>
    readonly version: string
  }
  /** Files, PEM; without them nothing is encrypted. */
  readonly tls: TlsOrder | undefined
}

/** A server's certificate and key, the authority whose certificates callers may show, and what it took back. */
export interface TlsOrder {
  readonly cert: string
  readonly key: string
  readonly clientCa: string | undefined
  readonly clientCrls: ReadonlyArray<string>
}

/** A runtime in this process. */
export interface Running {
  readonly client: Client
  /** What it diagnoses, in words. */
  readonly subject: string
  /** Lets the sessions go on that an earlier process left behind; gives how each stands now. */
  readonly recover: Effect.Effect<ReadonlyArray<Omit<Operations.RunView, "result">>, RuntimeError>
  /** Runs the diagnosis until it ends or waits. */
  readonly diagnose: Effect.Effect<Dispatch.Ended<unknown>, RuntimeError>
}

/** Whom to believe of a bundle. Keys are `name+id+base64`. */
export interface Trust {
  /** Of the installation; none trusts the bundle's own. */
  readonly keys: ReadonlyArray<string>
  readonly witnesses: ReadonlyArray<string>
  /** Files that hold checkpoints which the bundle must lead to. */
  readonly seen: ReadonlyArray<string>
}

/** A witness to start. */
export interface WitnessOrder {
  readonly folder: string
  /** Wanted the first time. */
  readonly name: string | undefined
  /** Keys of the logs that it signs for, `name+id+base64`. */
  readonly logs: ReadonlyArray<string>
  readonly host: string
  readonly port: number
}

/** A witness that answers. */
export interface Witnessing {
  /** `name+id+base64`, to give to the logs and to auditors. */
  readonly key: string
  readonly url: string
}

/** What came of a replay. */
export interface Replayed {
  readonly actor: string
  /** Whose answers are on the tape, as `name/model`. */
  readonly models: ReadonlyArray<string>
  readonly calls: number
  readonly status: Operations.RunView["status"]
  /** What it waits for, or why it ended. */
  readonly detail: string
  /** Where the replay and the tape first differ; `null` when they do not. */
  readonly difference: string | null
}

/** What a file says of labels: a policy with its cases, or the first mistakes in it. */
export type Looked =
  | { readonly policy: Flow.Policy; readonly cases: ReadonlyArray<Case.Case>; readonly mistakes: readonly [] }
  | {
    readonly policy: null
    readonly mistakes: ReadonlyArray<{ readonly line: number; readonly detail: string; readonly remedy: string }>
  }

/** Which backends to look at. */
export interface BackendsOrder {
  /** None for all. */
  readonly backends: ReadonlyArray<(typeof backends)[number]>
  /** Of the one backend that is named; otherwise the model that each has by default. */
  readonly model: string | undefined
  /** Whether vendors may be asked. */
  readonly network: boolean
}

/** Reaches and starts the system. */
export class Runtime extends Context.Service<Runtime, {
  /** The operations of whoever holds the folder, or of a runtime in this process when nobody does; or those elsewhere. */
  readonly open: (where: Where) => Effect.Effect<Client, RuntimeError, Scope.Scope>
  /** Starts a runtime over the folder, ready to diagnose. */
  readonly start: (folder: string, order: Order) => Effect.Effect<Running, RuntimeError, Scope.Scope>
  /** Starts a runtime over the folder and serves callers by HTTP, until the scope closes. */
  readonly serve: (
    folder: string,
    order: ServeOrder
  ) => Effect.Effect<{ readonly url: string }, RuntimeError, Scope.Scope>
  /** The operations of whoever holds the folder; of a runtime in this process, which runs sessions, when nobody does. */
  readonly join: (
    folder: string,
    order: Pick<ServeOrder, "backend" | "model" | "prices">
  ) => Effect.Effect<Process, RuntimeError, Scope.Scope>
  /** Joins the runners over a database, and serves the operators of the folder; until the scope closes. */
  readonly runner: (
    folder: string,
    order: RunnerOrder
  ) => Effect.Effect<{ readonly health: string | null }, RuntimeError, Scope.Scope>
  /** Verifies a bundle, with no database. */
  readonly verifyBundle: (file: string, trust: Trust) => Effect.Effect<Operations.Report, RuntimeError>
  /** Runs what is on a tape again, in memory: no model is asked and nothing is done. */
  readonly replay: (tape: string) => Effect.Effect<Replayed, RuntimeError>
  /** Reads a file with a policy on labels. */
  readonly policy: (file: string) => Effect.Effect<Looked, RuntimeError>
  /** How the backends stand for a program that runs here; nothing is generated or paid for. */
  readonly backends: (order: BackendsOrder) => Effect.Effect<ReadonlyArray<Check.Standing>, RuntimeError>
  /** Starts a witness, which answers for as long as the scope is open. */
  readonly witness: (order: WitnessOrder) => Effect.Effect<Witnessing, RuntimeError, Scope.Scope>
}>()("aosiq/door/cli/Runtime") {}
