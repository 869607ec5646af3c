/**
 * What a server says it has, tool by tool: each stands for itself, so that one which cannot be governed is left out with
 * its reason and takes no other with it. Nothing is said here about what an operator thinks of it.
 */
import { Option, Result, type Schema } from "effect"
import type { Digest } from "../audit/index.ts"
import type { Check, Checker } from "./Checker.ts"
import * as Definition from "./Definition.ts"
import * as Names from "./Names.ts"

/** A tool that can be governed. */
export interface Fit {
  readonly _tag: "Fit"
  /** As the server names it. */
  readonly tool: string
  /** The name as it stands in a capability. */
  readonly resource: string
  /** What models call it by. */
  readonly name: string
  readonly pinnable: Definition.Pinnable
  readonly checks: Checks
}
/** One that cannot. */
export interface Unfit {
  readonly _tag: "Unfit"
  readonly tool: string
  readonly detail: string
}
export type Entry = Fit | Unfit

/** A listing that was read. */
export interface Shelf {
  /** In the order of the listing. */
  readonly entries: ReadonlyArray<Entry>
  /** By the names that the server gives; one that it gives several times stands for none of them, and is unfit. */
  readonly byTool: ReadonlyMap<string, Entry>
}

/** The checks of one definition. */
export interface Checks {
  readonly input: Check
  /** `undefined` when it promises nothing about what it answers. */
  readonly output: Check | undefined
}

/** What is needed to read listings. */
export interface Parts {
  readonly digest: Digest.Digest["Service"]
  readonly checker: Checker["Service"]
}

/** Reads listings, each once; checks are made once a definition. */
export const make = ({ checker, digest }: Parts) => {
  const made = new Map<Digest.Hash, Result.Result<Checks, string>>()
  const slow = new Map<string, number>()
  const shelves = new WeakMap<ReadonlyArray<Schema.Json>, Shelf>()

  const checksOf = (server: string, { definition, hash }: Definition.Pinnable): Result.Result<Checks, string> => {
    const known = made.get(hash)
    if (known !== undefined) return known
    if ((slow.get(server) ?? 0) >= maxSlow) return Result.fail("schemas of this server take too long to be looked at")
    const { inputSchema, outputSchema } = definition
    const compile = (what: string, schema: Schema.Json) =>
      Result.mapError(checker.compile(schema), ({ detail, isSlow }) => {
        if (isSlow) slow.set(server, (slow.get(server) ?? 0) + 1)
        return `its ${what} schema cannot be checked: ${detail}`
      })
    const fresh = Result.flatMap(
      compile("input", inputSchema),
      (input): Result.Result<Checks, string> =>
        outputSchema === undefined
          ? Result.succeed({ input, output: undefined })
          : Result.map(compile("output", outputSchema), (output) => ({ input, output }))
    )
    if (made.size >= maxChecks) made.clear()
    made.set(hash, fresh)
    return fresh
  }

  const entryOf = (server: string, json: Schema.Json): Entry => {
    const tool = Definition.nameIn(json) ?? ""
    const unfit = (detail: string): Unfit => ({ _tag: "Unfit", tool, detail })
    const pinnable = Definition.read(digest, json)
    if (Result.isFailure(pinnable)) return unfit(pinnable.failure)
    if (Definition.needsTask(pinnable.success.definition)) return unfit("it can only be called as a task")
    const resource = Names.encode(tool)
    if (Option.isNone(resource)) return unfit("its name cannot be written as a capability")
    const checks = checksOf(server, pinnable.success)
    if (Result.isFailure(checks)) return unfit(checks.failure)
    return {
      _tag: "Fit",
      tool,
      resource: resource.value,
      name: Names.nameOf(digest, server, tool),
      pinnable: pinnable.success,
      checks: checks.success
    }
  }

  const shelfOf = (server: string, tools: ReadonlyArray<Schema.Json>): Shelf => {
    const entries = tools.map((json) => entryOf(server, json))
    const times = Map.groupBy(entries, ({ tool }) => tool)
    const names = Map.groupBy(entries.filter((entry) => entry._tag === "Fit"), ({ name }) => name)
    const told = entries.map((entry): Entry => {
      if ((times.get(entry.tool)?.length ?? 0) > 1) {
        return { _tag: "Unfit", tool: entry.tool, detail: "the server has several tools of that name" }
      }
      if (entry._tag === "Fit" && (names.get(entry.name)?.length ?? 0) > 1) {
        return { _tag: "Unfit", tool: entry.tool, detail: `models would call two tools ${entry.name}` }
      }
      return entry
    })
    return { entries: told, byTool: new Map(told.map((entry) => [entry.tool, entry])) }
  }

  /** What a listing says; the same listing, which nobody changes, is read once. */
  const read = (server: string, tools: ReadonlyArray<Schema.Json>): Shelf => {
    const known = shelves.get(tools)
    if (known !== undefined) return known
    const fresh = shelfOf(server, tools)
    shelves.set(tools, fresh)
    return fresh
  }

  return { read }
}

// internal

/** Definitions whose checks are remembered. */
const maxChecks = 2000
/** Schemas of one server that may take all their time. */
const maxSlow = 3
