/** Cases for a policy on labels: an act with what its session knows, and what the policy must say of it. They stand in files. */
import { Schema } from "effect"
import * as Flow from "./Flow.ts"
import { Fields, ReadersByField } from "./Label.ts"
import * as Trace from "./Trace.ts"

/** What a case says that becomes of the act. */
export const Expected = Schema.Literals(["allowed", "asks", "refused"])
export type Expected = typeof Expected.Type

/** Something that the session has read. */
export const Reading = Schema.Struct({
  tool: Schema.NonEmptyString,
  trust: Schema.Union([Schema.Literals(["trusted", "untrusted"]), Fields]),
  readers: Schema.optionalKey(Schema.Union([Schema.Array(Schema.NonEmptyString), ReadersByField])),
  result: Schema.Json
})

/** One case. */
export const Case = Schema.Struct({
  name: Schema.NonEmptyString,
  tool: Schema.NonEmptyString,
  sinks: Schema.NonEmptyArray(Flow.Sink),
  args: Schema.Json,
  /** What the session was asked for. */
  request: Schema.optionalKey(Schema.Json),
  /** In order. */
  read: Schema.optionalKey(Schema.Array(Reading)),
  /** Readers whom the act covers, where something leaves by it. */
  covers: Schema.optionalKey(Schema.Array(Schema.NonEmptyString)),
  /** When it is asked for; endorsements end. The beginning of 1970 unless set. */
  at: Schema.optionalKey(Schema.String),
  is: Expected
})
export type Case = typeof Case.Type

/** What became of a case. */
export interface Ran {
  readonly name: string
  readonly expected: Expected
  readonly found: Expected
  /** Why, one sentence each. */
  readonly because: ReadonlyArray<string>
}

/** Decides a case as the Governor would. */
export const run = (policy: Flow.Policy, one: Case): Ran => {
  const { args, at, covers = [], is, name, read = [], request = null, sinks, tool } = one
  const known = read.flatMap((reading, index) =>
    Trace.result({
      from: `reading ${index + 1}`,
      tool: reading.tool,
      declared: reading.trust,
      readers: reading.readers
    }, reading.result)
  )
  const asked: Flow.Asked = {
    tool,
    sinks,
    args,
    at: at === undefined ? 0 : Date.parse(at),
    covered: sinks.includes("outbound") ? covers : undefined
  }
  const { decision, findings } = Flow.decide(policy, asked, Trace.contextOf([...Trace.request(request), ...known]))
  return { name, expected: is, found: words[decision], because: findings.map(Flow.explain) }
}

// internal

const words: { readonly [D in Flow.Verdict["decision"]]: Expected } = {
  pass: "allowed",
  approve: "asks",
  refuse: "refused"
}
