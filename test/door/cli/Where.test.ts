/** Where a command goes, and that it goes nowhere else: nothing is opened, and no token sent, where it is not clear. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Redacted } from "effect"
import { TerminalCapabilities } from "effect/cli"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { codes } from "../../../layers/cli/Exits.ts"
import { over, paint, type Where } from "../../../src/door/cli/index.ts"
import { aosiq } from "./commands.ts"

const nobody = "aosiq_0123456789ab_secretsecretsecret"

/** One session, whoever asks; every place that is opened is noted. */
const run = (settings: Readonly<Record<string, string>>, ...args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const opened: Array<Where> = []
    const one = {
      sessions_list: () => Effect.succeed([]),
      caller_self: () => Effect.succeed({ name: "grace", role: "admin", ceiling: null }),
      dead_letter_decide: () => Effect.succeed({ id: "dl_1", state: "dropped" })
    } as unknown as Parameters<typeof over>[0] // What these commands ask for, and nothing else.
    const ran = yield* aosiq((where) => {
      opened.push(where)
      return Effect.succeed(over(one))
    }, ...args).pipe(Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(settings))))
    const places = opened.map((where) =>
      where._tag === "Folder" ? where.folder : `${where.url} as ${Redacted.value(where.token)}`
    )
    return { ...ran, places }
  }).pipe(Effect.provide(NodeServices.layer))

const token = { AOSIQ_TOKEN: nobody }

describe("where a command goes", () => {
  it.effect("is the folder that is named, or set, or .aosiq", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* run({}, "sessions")).places, [".aosiq"])
      assert.deepStrictEqual((yield* run({ AOSIQ_DATA: "/set" }, "sessions")).places, ["/set"])
      assert.deepStrictEqual((yield* run({ AOSIQ_DATA: "/set" }, "sessions", "--data", "/named")).places, ["/named"])
    }))

  it.effect("is elsewhere by the flag or the setting; a folder that is named goes before the setting", () =>
    Effect.gen(function*() {
      const url = "https://aosiq.example"
      const there = [`${url} as ${nobody}`]
      assert.deepStrictEqual((yield* run(token, "sessions", "--remote", `${url}/`)).places, there)
      assert.deepStrictEqual((yield* run({ ...token, AOSIQ_URL: url, AOSIQ_DATA: "/set" }, "sessions")).places, there)
      assert.deepStrictEqual(
        (yield* run({ ...token, AOSIQ_URL: url }, "sessions", "--data", "/named")).places,
        ["/named"]
      )
      const both = yield* run(token, "sessions", "--remote", url, "--data", "/named")
      assert.deepStrictEqual([both.code, both.places], [2, []])
      assert.include(both.err, "name two places")
    }))

  it.effect("is no address that holds a secret, or that shows one to a network", () =>
    Effect.gen(function*() {
      const refused = [
        ["ftp://aosiq.example", "no http or https URL"],
        ["aosiq.example", "no http or https URL"],
        [`https://grace:${nobody}@aosiq.example`, "more than an address"],
        [`https://aosiq.example?token=${nobody}`, "more than an address"],
        ["http://aosiq.example", "in the clear"],
        ["http://127.0.0.1.aosiq.example", "in the clear"],
        ["http://10.0.0.7:7070", "in the clear"]
      ] as const
      for (const [url, why] of refused) {
        const ran = yield* run(token, "sessions", "--remote", url)
        assert.deepStrictEqual([ran.code, ran.places], [2, []], url)
        assert.include(ran.err, why)
        assert.notInclude(ran.err, nobody)
      }
      for (const url of ["http://127.0.0.1:7070", "http://localhost:7070", "http://[::1]:7070", "https://a.example"]) {
        assert.lengthOf((yield* run(token, "sessions", "--remote", url)).places, 1, url)
      }
      assert.lengthOf((yield* run(token, "sessions", "--remote", "http://10.0.0.7", "--insecure")).places, 1)
    }))

  it.effect("needs a token, from a setting or a file, and shows it nowhere", () =>
    Effect.gen(function*() {
      const folder = mkdtempSync(join(tmpdir(), "aosiq-where-"))
      const file = join(folder, "token")
      writeFileSync(file, `${nobody}\n`)
      const url = "https://aosiq.example"
      const from = yield* run({}, "sessions", "--remote", url, "--token-file", file)
      assert.deepStrictEqual(from.places, [`${url} as ${nobody}`])
      const without = yield* run({}, "sessions", "--remote", url)
      assert.deepStrictEqual([without.code, without.places], [2, []])
      assert.include(without.err, "AOSIQ_TOKEN")
      writeFileSync(file, `${nobody}\r\nX-Other: 1`)
      const broken = yield* run({}, "sessions", "--remote", url, "--token-file", file)
      assert.deepStrictEqual([broken.code, broken.places], [2, []])
      assert.notInclude(broken.err, nobody)
      rmSync(folder, { recursive: true })
    }))

  it.effect("is not for what works on this machine alone", () =>
    Effect.gen(function*() {
      const local = [
        ["start"],
        ["serve"],
        ["runner", "--database", "postgres://nobody"],
        ["witness", "--log", "k"],
        ["verify", "bundle"],
        ["replay", "tape"],
        ["init", "somewhere"],
        ["backends", "check"],
        ["mcp", "serve"]
      ]
      for (const args of local) {
        const ran = yield* run(token, ...args, "--remote", "https://aosiq.example")
        assert.strictEqual(ran.code, 2, args.join(" "))
        assert.include(ran.err, "this machine alone")
        assert.include(ran.err, "without --remote")
      }
    }))

  it.effect("says who decides: there it is the token's caller, and nobody is believed to be another", () =>
    Effect.gen(function*() {
      const drop = ["dead-letters", "drop", "dl_1"]
      const url = "https://aosiq.example"
      const mine = yield* run({}, ...drop)
      assert.include(mine.out, "by local:ada", mine.err)
      assert.include((yield* run({}, ...drop, "--by", "bob")).out, "by bob")
      assert.include((yield* run(token, ...drop, "--remote", url)).out, "by grace")
      const other = yield* run(token, ...drop, "--remote", url, "--by", "bob")
      assert.strictEqual(other.code, 2)
      assert.strictEqual(other.out, "")
      assert.include(other.err, "not believed")
    }))
})

describe("what is printed", () => {
  it.effect("has colours where a terminal shows them, and the words are the same without", () =>
    Effect.gen(function*() {
      const text = "s  failed  what failed was  succeeded\nerror: failed\nCHAIN BROKEN: 1 finding"
      const coloured = paint(true, text)
      assert.strictEqual(coloured.split("\u001b[31m").length - 1, 3)
      assert.strictEqual(coloured.split("\u001b[32m").length - 1, 1)
      // oxlint-disable-next-line no-control-regex -- what is taken out are the colours
      assert.strictEqual(coloured.replaceAll(/\u001b\[\d+m/g, ""), text)
      assert.strictEqual(paint(false, text), text)
      const help = yield* run({}, "--help")
      assert.notInclude(help.out, "\u001b")
      const plain = { canColor: false, canAnimate: false, canPrompt: false }
      const ran = yield* run({}, "sessions").pipe(
        Effect.provide(Layer.succeed(TerminalCapabilities.TerminalCapabilities, plain))
      )
      assert.notInclude(ran.out, "\u001b")
    }))

  it.effect("is a completion script that its shell can read", () =>
    Effect.gen(function*() {
      const bash = (yield* run({}, "--completions", "bash")).out
      execFileSync("bash", ["-n"], { input: bash })
      // A shell that has the script completes by it.
      const words = execFileSync(
        "bash",
        [
          "--norc",
          "-c",
          `${bash}\nCOMP_WORDS=(aosiq sess); COMP_CWORD=1; COMP_LINE="aosiq sess"; COMP_POINT=10; ` +
          "$(complete -p aosiq | sed -E 's/.*-F ([^ ]+) .*/\\1/') aosiq sess aosiq; echo \"${COMPREPLY[*]}\""
        ],
        { encoding: "utf8" }
      )
      assert.include(words, "sessions")
      for (const shell of ["zsh", "fish"]) {
        const script = (yield* run({}, "--completions", shell)).out
        assert.include(script, "dead-letters", shell)
        assert.include(script, "remote", shell)
      }
    }))

  it("ends with the codes that the guide names", () => {
    const guide = readFileSync(join(import.meta.dirname, "../../../docs/guide/cli.md"), "utf8")
    const told = [...guide.matchAll(/^\| +(\d+) +\|/gm)].map(([, code]) => Number(code))
    assert.deepStrictEqual(told, Object.values(codes).toSorted((a, b) => a - b))
  })
})
