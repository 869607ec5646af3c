/**
 * Every command, on the data of this process and over real HTTP: the same orders in the same order print the same JSON, and
 * what only looks prints the very same for the very same state.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Stream } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { open } from "../../../layers/cli/Elsewhere.ts"
import { type Client, over } from "../../../src/door/cli/index.ts"
import { Asker, Desk, Permits } from "../../../src/operator/index.ts"
import { address, ceiling, letIn, served } from "../http/world.ts"
import { aosiq, type Ran } from "./commands.ts"

const holds = ceiling("tool:refund", "tool:look")
const who: Asker.Identity = { name: "grace", role: "admin", ceiling: holds }

/** What earlier commands printed, by a name. */
interface Seen {
  readonly of: (name: string) => string
  readonly ticket: () => string
  readonly folder: string
}
type Step = readonly [name: string, kind: "looks" | "acts", args: (seen: Seen) => ReadonlyArray<string>]

const looks = (name: string, ...args: ReadonlyArray<string>): Step => [name, "looks", () => args]
const acts = (name: string, ...args: ReadonlyArray<string>): Step => [name, "acts", () => args]
const dispatch = (name: string, actor: string) =>
  acts(name, "sessions", "dispatch", actor, "--input", `{"order":"${name}"}`, "--watch")
const about = (session: string, kind: Step[1], ...args: ReadonlyArray<string>): Step => [
  `${args.join(" ")} ${session}`,
  kind,
  ({ of }) => [...args, of(session)]
]
const terms = (until: string) => ["--for", "refund", "--until", until, "--value", "a@b.example"]
/** A day from now. */
const soon = new Date(Date.now() + 86_400_000).toISOString()

const ruling = "approvals rules add --act refund --capability tool:refund --uses 2 --for 2h"
  .split(" ").map((word) => word === "2h" ? "2 hours" : word)
const later = "schedules add later --actor Clerk --input {\"order\":\"later\"} --at 2090-01-01T00:00Z --grant tool:look"
  .split(" ")

/** Commands in an order in which each finds something, and what is not there too. */
const script: ReadonlyArray<Step> = [
  looks("health", "health"),
  looks("self", "callers", "self"),
  looks("agents", "agents"),
  looks("nothing", "proposal", "list"),
  dispatch("s1", "Clerk"),
  dispatch("s2", "Shop"),
  looks("sessions", "sessions"),
  looks("waiting", "sessions", "list", "--status", "waiting", "--since", "1 hour"),
  about("s1", "looks", "sessions", "show"),
  about("s1", "looks", "sessions", "rows"),
  about("s1", "looks", "sessions", "rows", "--from", "2"),
  about("s1", "looks", "sessions", "result"),
  about("s1", "looks", "sessions", "watch"),
  looks("missing", "sessions", "show", "ses_nobody"),
  about("s1", "looks", "proposal", "show"),
  looks("tickets", "approvals", "list"),
  ["ticket", "looks", ({ ticket }) => ["approvals", "show", ticket()]],
  about("s2", "acts", "endorse", ...terms("2090-01-01T00:00Z"), "--reason", "known"),
  ["approve", "acts", ({ ticket }) => ["approvals", "approve", ticket(), "--reason", "fine"]],
  ["again", "acts", ({ ticket }) => ["approvals", "approve", ticket()]],
  about("s2", "looks", "sessions", "result"),
  dispatch("s3", "Shop"),
  ["vouch", "acts", ({ of }) => ["endorse", ...terms(soon), of("s3")]],
  looks("vouched", "endorsements", "list"),
  ["take back", "acts", ({ of }) => ["endorsements", "revoke", of("s3"), of("vouch"), "--reason", "enough"]],
  looks("coverage", "policy", "coverage"),
  looks("coverage of a file", "policy", "coverage", "policy.yaml"),
  looks("shadow", "policy", "shadow"),
  about("s3", "acts", "sessions", "pause"),
  about("s3", "acts", "sessions", "cancel"),
  about("s3", "acts", "sessions", "revoke"),
  looks("unknown", "unknown", "list"),
  ["settle", "acts", ({ of }) => ["unknown", "done", `${of("s1")}/3`, "--reason", "seen"]],
  ["rule", "acts", () => ruling],
  looks("rules", "approvals", "rules", "list"),
  ["rule show", "looks", ({ of }) => ["approvals", "rules", "show", of("rule")]],
  ["rule approve", "acts", ({ of }) => ["approvals", "rules", "approve", of("rule")]],
  ["rule revoke", "acts", ({ of }) => ["approvals", "rules", "revoke", of("rule"), "--reason", "enough"]],
  ["schedule", "acts", () => later],
  looks("schedules", "schedules", "list"),
  looks("history", "schedules", "history", "later"),
  acts("schedule pause", "schedules", "pause", "later"),
  acts("schedule resume", "schedules", "resume", "later"),
  looks("letters", "dead-letters", "list", "--all"),
  looks("letter", "dead-letters", "show", "dl_nobody"),
  acts("replay", "dead-letters", "replay", "dl_nobody"),
  acts("drop", "dead-letters", "drop", "dl_nobody"),
  looks("servers", "mcp", "list"),
  looks("tools", "mcp", "tools", "files"),
  acts("pin", "mcp", "approve", "files", "write"),
  acts("withdraw", "mcp", "withdraw", "files", "write"),
  looks("alerts", "audit", "alerts"),
  looks("keys", "audit", "keys"),
  looks("findings", "audit", "findings"),
  ["query", "looks", ({ of }) => ["audit", "query", "--session", of("s1"), "--caller", "grace", "--kind", "ended"]],
  acts("verify", "audit", "verify"),
  ["export", "acts", ({ folder }) => ["audit", "export", join(folder, "bundle")]],
  ["record", "acts", ({ folder, of }) => ["record", of("s1"), "--out", join(folder, "tape")]],
  looks("cost", "cost"),
  acts("let in", "callers", "add", "ci", "--role", "operator", "--actor", "Clerk", "--budget", "0.5"),
  acts("bind", "callers", "bind", "ci", "--certificate", "uri:spiffe://example/ci"),
  acts("rotate", "callers", "rotate", "ci", "--overlap", "2 hours"),
  acts("revoke", "callers", "revoke", "ci", "--reason", "over"),
  looks("callers", "callers", "list"),
  acts("nobody's ticket", "approvals", "deny", "T0"),
  // From here on sessions run by themselves, and nobody can say how far.
  dispatch("s4", "Shop"),
  about("s4", "acts", "sessions", "pause"),
  about("s4", "acts", "sessions", "resume"),
  about("s1", "acts", "sessions", "fork"),
  acts("schedule run", "schedules", "run", "later"),
  acts("schedule remove", "schedules", "remove", "later")
]

/** Names that are another each time, by the order in which they come; the times and the durations are no names. */
const names = () => {
  const known = new Map<string, string>()
  const named = (text: string) => known.get(text) ?? (known.set(text, `#${known.size}`), `#${known.size - 1}`)
  return (text: string) =>
    text
      .replaceAll(/"(computeMs)": ?\d+/g, "\"$1\": 0")
      .replaceAll(/\b1[789]\d{11}\b/g, "AT")
      .replaceAll(/\b20[23]\d-\d\d-\d\d \d\d:\d\d:\d\d\b/g, "AT")
      .replaceAll(/\baosiq_[0-9a-f]{12}_[\w-]{43}/g, "TOKEN")
      .replaceAll(/\/tmp\/[^"\s]+\//g, "FOLDER/")
      .replaceAll(
        /\bses_\w+|\b[0-9a-f]{64}\b|[0-9A-HJKMNP-TV-Z]{26}|\b[TR][0-9A-HJKMNP-TV-Z]{8}\b|\b[0-9a-f]{12}\b/g,
        named
      )
}

/** One value, or one a line; the order of the members of an object says nothing. */
const valueOf = (out: string): string => {
  const sorted = (text: string) =>
    JSON.stringify(
      JSON.parse(text),
      (_, value: unknown) =>
        typeof value === "object" && value !== null && !Array.isArray(value)
          ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => a < b ? -1 : 1))
          : value
    )
  return out === "" ? "" : out.startsWith("{\"") ? out.split("\n").map(sorted).join("\n") : sorted(out)
}

/** Both ways into one runtime, and which operations were asked for. */
const ways = Effect.gen(function*() {
  const desk = yield* Desk.Desk
  const url = yield* address
  const token = yield* letIn("grace", "admin", holds)
  const asked = new Set<string>()
  const here = new Proxy(desk, {
    get: (target, name) => (payload: never) => {
      asked.add(String(name))
      const found = Reflect.apply(Reflect.get(target, name), target, [payload]) as
        | Effect.Effect<unknown>
        | Stream.Stream<unknown>
      return Stream.isStream(found)
        ? Stream.provideService(found, Asker.Asker, who)
        : Effect.provideService(found, Asker.Asker, who)
    },
    ownKeys: (target) => Reflect.ownKeys(target)
  }) as unknown as Parameters<typeof over>[0]
  const there = yield* open({ _tag: "Remote", url, token: Redacted.make(token) })
  return { asked, here: over(here), there }
})

/** Plays the script one way in a runtime of its own; what looks is looked at the other way, too. */
const played = (way: "here" | "there") =>
  Effect.gen(function*() {
    const { asked, here, there } = yield* ways
    const folder = mkdtempSync(join(tmpdir(), "aosiq-remote-"))
    const printed = new Map<string, Ran>()
    const id = (name: string): string => {
      const found = JSON.parse(printed.get(name)?.out ?? "null")
      return found?.session?.id ?? found?.id ?? found?.terms
    }
    const seen: Seen = {
      of: id,
      ticket: () => JSON.parse(printed.get("tickets")?.out ?? "[]")[0].id,
      folder
    }
    const by = (client: Client, args: ReadonlyArray<string>) =>
      Effect.map(aosiq(() => Effect.succeed(client), ...args, "--json"), (ran) => ({ ...ran, out: valueOf(ran.out) }))
    for (const [name, kind, args] of script) {
      const line = args(seen)
      const ran = yield* by(way === "here" ? here : there, line)
      if (kind === "looks") {
        const other = yield* by(way === "here" ? there : here, line)
        assert.deepStrictEqual(other, ran, line.join(" "))
      }
      printed.set(name, ran)
    }
    rmSync(folder, { recursive: true })
    const clean = names()
    // The accounts come by their names, of which some are another each time.
    const ordered = (name: string, out: string) =>
      name === "cost" ? out.slice(1, -1).split(/(?<=\}),/).toSorted().join() : out
    return {
      asked,
      printed: [...printed].map(([name, { code, err, out }]) =>
        [name, code, ordered(name, clean(out)), clean(err)] as const
      )
    }
  }).pipe(Effect.scoped, Effect.provide(served({ perSecond: 10_000, burst: 10_000 })))

describe("aosiq --remote", () => {
  it.live("prints what it prints on this machine, for every operation", () =>
    Effect.gen(function*() {
      const here = yield* played("here")
      const there = yield* played("there")
      assert.deepStrictEqual(there.printed, here.printed)
      // Definitions are approved where a server has them: test/door/mcp.test.ts.
      const asked = new Set([...here.asked, "mcp_approve"])
      assert.deepStrictEqual([...asked].toSorted(), Object.keys(Permits.permits).toSorted())
      const failed = here.printed.filter(([, code]) => code !== 0).map(([name, code]) => `${name} ${code}`)
      // What is not there, or cannot be, is refused in the same words.
      assert.deepStrictEqual(failed, [
        "missing 1",
        "proposal show s1 1",
        "endorse --for refund --until 2090-01-01T00:00Z --value a@b.example --reason known s2 1",
        "again 1",
        "settle 1",
        "rule approve 1",
        "letter 1",
        "replay 1",
        "drop 1",
        "tools 1",
        "pin 1",
        "withdraw 1",
        "nobody's ticket 1"
      ])
    }), 120_000)
})
