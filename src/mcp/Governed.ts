/**
 * A tool of a server as a tool of this runtime. It is made of one definition and stays that: what it takes, what it is told to
 * models as and what it promises are that definition's, and what may be done with it is the operator's word.
 */
import { Effect, Schema } from "effect"
import type { Unready } from "../governor/index.ts"
import { Tool } from "../tool/index.ts"
import * as Content from "./Content.ts"
import type { Pinnable } from "./Definition.ts"
import { McpError, Unreachable } from "./McpError.ts"
import * as Failures from "./McpError.ts"
import * as Names from "./Names.ts"
import * as Settings from "./Settings.ts"
import type { Checks, Fit } from "./Shelf.ts"

/** Where a tool is from. */
export interface Origin {
  readonly server: string
  /** As the server names it. */
  readonly tool: string
  readonly pinnable: Pinnable
  readonly checks: Checks
}

/** A tool of a server, governed. It is gated as far as types go; marks of the operator are known at run time only. */
export interface Governed<out Name extends string, out Caps extends string>
  extends Tool.Tool<Name, Caps, boolean, typeof Schema.Json, typeof Content.Result, typeof McpError>
{
  readonly origin: Origin
}
/** A governed tool whose types were erased. */
export type AnyGoverned = Governed<string, string>

/** What it is made of. */
export interface Parts {
  readonly server: string
  readonly settings: Settings.ServerSettings
  readonly marks: Settings.Marks
  readonly entry: Fit
  /** Whether the tool of that origin is still what it was made of; fails with why not. */
  readonly ready: (origin: Origin) => Effect.Effect<unknown, McpError>
}

/** The tool. */
export const make = ({ entry, marks, ready, server, settings }: Parts): AnyGoverned => {
  const { checks, name, pinnable, resource, tool } = entry
  const { description, inputSchema, title } = pinnable.definition
  const { $schema: _, ...told } = inputSchema
  const timeoutMs = marks.timeoutMs ?? Settings.of(settings).timeoutMs
  const origin: Origin = { server, tool, pinnable, checks }
  const made = Tool.make(name, {
    description: description ?? title ?? tool,
    capabilities: [Names.capabilityOf(server, resource)],
    params: Schema.Json.check(
      Schema.makeFilter((value) => checks.input(value), { toJsonSchema: () => ({ ...told }) })
    ),
    success: Content.Result,
    failure: McpError,
    reversible: Settings.isReversible(marks),
    timeoutMs,
    trust: marks.trust ?? "untrusted",
    sinks: Settings.sinksOf(settings, marks),
    readers: marks.readers ?? [],
    idempotent: marks.idempotent ?? false,
    ready: ready(origin).pipe(
      Effect.timeoutOrElse({
        duration: timeoutMs,
        orElse: () => {
          const detail = `it did not say what it is within ${timeoutMs} ms`
          return Effect.fail(Failures.of(server, tool, new Unreachable({ detail })))
        }
      }),
      Effect.mapError(unready),
      Effect.asVoid
    )
  })
  return { ...made, origin }
}

// internal

const unready = (failed: McpError): Unready => {
  const { reason } = failed
  const remedy = "remedy" in reason ? reason.remedy : "ask again later, or go on without it"
  return { detail: failed.message.replace(`; ${remedy}`, ""), remedy }
}
