import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Flatten from "../../../layers/settings/Flatten.ts"
import { SettingFiles } from "../../../layers/settings/index.ts"
import * as Source from "../../../src/agents/advisor/Source.ts"
import * as Folder from "../logfiles/Folder.ts"

type Names = Pick<SettingFiles.Options, "formats"> & { readonly actual?: string; readonly baseline?: string }

/** Writes the files, then reads the settings of the first beside those of the second. */
const read = Effect.fn(function*(files: Readonly<Record<string, string>>, names: Names = {}) {
  const folder = yield* Folder.make(files)
  const [first = "none", second] = Object.keys(files)
  const baseline = names.baseline ?? second
  const layer = SettingFiles.layer({
    actual: `${folder}/${names.actual ?? first}`,
    ...(baseline === undefined ? {} : { baseline: `${folder}/${baseline}` }),
    ...(names.formats === undefined ? {} : { formats: names.formats })
  })
  return yield* Source.Settings.use((settings) => settings.read).pipe(Effect.provide(layer))
})

const pairs = (found: { readonly settings: ReadonlyArray<Source.Setting> }) =>
  found.settings.map(({ actual, baseline, key }) => [key, actual, baseline])

const values = (files: Readonly<Record<string, string>>, names?: Names) =>
  Effect.map(read(files, names), (found) => found.settings.map(({ actual, key }) => [key, actual]))

const detail = (error: Source.SourceError) => error.reason.detail
const url = (password: string, host: string) => `postgres://app:${password}@${host}:5432/shop?sslmode=require`

const refused = (files: Readonly<Record<string, string>>, names?: Names) => Effect.flip(read(files, names))

describe("settings", () => {
  it.effect("stand beside their baseline, whichever side has them", () =>
    Effect.gen(function*() {
      const found = yield* read({
        "now.yaml": "pool:\n  size: 10\n  names: [a, b]\nextra: {}\nlist: []\n",
        "then.json": `{"pool":{"size":100,"names":["a"]},"gone":null,"on":true}`
      })
      assert.deepStrictEqual(pairs(found), [
        ["extra", "{}", null],
        ["gone", null, "null"],
        ["list", "[]", null],
        ["on", null, "true"],
        ["pool.names.0", "a", "a"],
        ["pool.names.1", "b", null],
        ["pool.size", "10", "100"]
      ])
      assert.match(found.settings[0]?.origin ?? "", /now\.yaml$/)
      assert.match(found.settings[1]?.origin ?? "", /then\.json$/)
      assert.deepStrictEqual(found.gaps, [])
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("keep YAML as it is written, with merge keys and several documents", () =>
    Effect.gen(function*() {
      const yaml = "base: &base\n  version: 1.10\n  big: 12345678901234567890\nnext:\n  <<: *base\n  on: yes\n"
      assert.deepStrictEqual(yield* values({ "a.yml": yaml }), [
        ["base.big", "12345678901234567890"],
        ["base.version", "1.10"],
        ["next.big", "12345678901234567890"],
        ["next.on", "yes"],
        ["next.version", "1.10"]
      ])
      assert.deepStrictEqual(yield* values({ "a.yml": "kind: A\n---\nkind: B\n" }), [["0.kind", "A"], ["1.kind", "B"]])
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("are read from TOML, INI and .env", () =>
    Effect.gen(function*() {
      const toml = `title = "x"\nat = 2026-03-26T11:58:00Z\n[[server]]\nport = 80\n`
      assert.deepStrictEqual(yield* values({ "a.toml": toml }), [
        ["at", "2026-03-26T11:58:00.000Z"],
        ["server.0.port", "80"],
        ["title", "x"]
      ])
      const conf = "# tuned\nmax_connections = 500 # was 100\nshared_buffers = '128MB'\n[section.sub]\non = true\n"
      assert.deepStrictEqual(yield* values({ "postgresql.conf": conf }), [
        ["max_connections", "500"],
        ["section.sub.on", "true"],
        ["shared_buffers", "128MB"]
      ])
      const env = `# pool\nPOOL_SIZE=10\nexport MODE='fast' # quick\nTEXT="two\nlines"\nEMPTY=\n`
      const expected = [["EMPTY", ""], ["MODE", "fast"], ["POOL_SIZE", "10"], ["TEXT", "two\nlines"]]
      for (const name of [".env", ".env.production", "prod.env"]) {
        assert.deepStrictEqual(yield* values({ [name]: env }), expected)
      }
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("take a format that is named over the one of the file's name", () =>
    Effect.gen(function*() {
      const files = { "settings.txt": "a = 1\n", "settings.conf": "a: 2\n" }
      const found = yield* read(files, { formats: { actual: "ini", baseline: "yaml" } })
      assert.deepStrictEqual(pairs(found), [["a", "1", "2"]])
      const error = yield* refused(files)
      assert.strictEqual(error.reason._tag, "Unreadable")
      assert.match(error.reason.detail, /format of .*settings\.txt cannot be told/)
      assert.match(error.reason.remedy, /yaml, json, toml, ini or env/)
    }).pipe(Effect.provide(NodeServices.layer)))
})

describe("settings, odd files", () => {
  it.effect("of an empty file are none, and without a baseline there is none to compare", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(pairs(yield* read({ "a.yaml": "", "b.yaml": "x: 1" })), [["x", null, "1"]])
      assert.deepStrictEqual(pairs(yield* read({ "a.yaml": "x: 1" })), [["x", "1", null]])
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("report the lines that were passed over", () =>
    Effect.gen(function*() {
      const { gaps } = yield* read({ ".env": "A=1\nnot a setting\nB=2\n", "b.ini": "a = 1\n[broken\n" })
      assert.match(gaps[0]?.detail ?? "", /^1 line\(s\) that are not env were passed over, first line 2$/)
      assert.match(gaps[1]?.detail ?? "", /^1 line\(s\) that are not ini were passed over, first line 2$/)
    }).pipe(Effect.provide(NodeServices.layer)))
})

describe("broken settings", () => {
  const broken: ReadonlyArray<readonly [name: string, text: string, line: number]> = [
    ["a.yaml", "pool:\n  password: hunter2\n bad: x\n", 3],
    ["a.yaml", "a: 1\na: 2\n", 2],
    ["a.yaml", "a: 1\npassword: |hunter2\n", 2],
    ["a.json", `{\n "password": hunter2,\n "b": 2\n}`, 2],
    ["a.json", `{\n "password": "hunter2"\n "b": 2\n}`, 3],
    ["a.json", "", 1],
    ["a.toml", `a = 1\npassword = hunter2\n`, 2]
  ]
  for (const [name, text, line] of broken) {
    it.effect(`${name} ${JSON.stringify(text)} are refused with the line and without its text`, () =>
      Effect.gen(function*() {
        const error = yield* refused({ [name]: text })
        assert.strictEqual(error.reason._tag, "Unreadable")
        assert.match(error.source, new RegExp(`^settings:.*${name}$`))
        assert.include(error.reason.detail, `at line ${line}:`)
        assert.include(error.reason.remedy, `correct `)
        assert.notInclude(JSON.stringify(error), "hunter2")
      }).pipe(Effect.provide(NodeServices.layer)))
  }

  it.effect("are refused when they are no settings, too deep, or too many", () =>
    Effect.gen(function*() {
      assert.match(detail(yield* refused({ "a.yaml": "only words" })), /single value, not settings/)
      assert.match(detail(yield* refused({ "a.yaml": "a: &a\n  b: *a\n" })), /nested deeper than 64/)
      const nested = `${"[".repeat(Flatten.maxDepth + 2)}${"]".repeat(Flatten.maxDepth + 2)}`
      assert.match(detail(yield* refused({ "a.json": nested })), /nested deeper than 64/)
      const many = JSON.stringify(Array.from({ length: Flatten.maxSettings + 2 }, (_, i) => i))
      assert.match(detail(yield* refused({ "a.json": many })), /more than 20000 settings/)
      const large = `a: ${"x".repeat(SettingFiles.maxFileBytes)}`
      assert.match(detail(yield* refused({ "a.yaml": large })), /larger than 4194304 bytes/)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("alias bombs are refused", () =>
    Effect.gen(function*() {
      const levels = Array.from(
        { length: 9 },
        (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(", ")}]`
      )
      const error = yield* refused({ "a.yaml": ["l0: &l0 x", ...levels].join("\n") })
      assert.match(error.reason.detail, /too many aliases/)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("missing or no files are refused, on either side", () =>
    Effect.gen(function*() {
      const actual = yield* refused({ "b.yaml": "a: 1" }, { actual: "none.yaml" })
      assert.strictEqual(actual.reason._tag, "Unreachable")
      assert.match(actual.reason.detail, /none\.yaml does not exist/)
      const baseline = yield* refused({ "a.yaml": "a: 1" }, { baseline: "none.yaml" })
      assert.match(baseline.source, /none\.yaml$/)
      const folder = yield* refused({ "d.yaml/x": "" }, { actual: "d.yaml" })
      assert.match(folder.reason.detail, /is a Directory, not a file/)
    }).pipe(Effect.provide(NodeServices.layer)))
})

describe("secret settings", () => {
  const digest = /^redacted:[0-9a-f]{8}$/

  it.effect("arrive as a digest that still shows a difference", () =>
    Effect.gen(function*() {
      const found = yield* read({
        "a.yaml": "db:\n  password: hunter2\n  passwd: same\n",
        "b.yaml": "db:\n  password: hunter3\n  passwd: same\n"
      })
      const [same, password] = found.settings
      assert.match(password?.actual ?? "", digest)
      assert.notStrictEqual(password?.actual, password?.baseline)
      assert.strictEqual(same?.actual, same?.baseline)
      assert.strictEqual(password?.actual, "redacted:f52fbd32")
      assert.notInclude(JSON.stringify(found), "hunter")
    }).pipe(Effect.provide(NodeServices.layer)))

  const secret = [
    ["API_KEY", "abcdef"],
    ["apiKey", "abcdef"],
    ["ssl.key", "abcdef"],
    ["client_secret", "abcdef"],
    ["credentials.user", "abcdef"],
    ["auth.tokens.0", "abcdef"],
    ["accessToken", "abcdef"],
    ["db.passphrase", "12345"],
    ["dsn", "host=db user=app password=abcdef"],
    ["storage", "AccountName=a;AccountKey=abcdef=="],
    ["webhook", "https://example.com/hook?sig=abcdef"],
    ["note", "-----BEGIN RSA PRIVATE KEY-----\nabcdef"],
    ["aws", "AKIAABCDEFGHIJKLMNOP"]
  ] as const
  for (const [key, value] of secret) {
    it.effect(`${key}=${value.slice(0, 30)} is hidden`, () =>
      Effect.gen(function*() {
        const [found] = yield* values({ "a.json": JSON.stringify({ [key]: value }) })
        assert.match(found?.[1] ?? "", digest)
      }).pipe(Effect.provide(NodeServices.layer)))
  }

  const open = [
    ["max_tokens", "4096"],
    ["key_buffer_size", "16M"],
    ["keepalive", "on"],
    ["tokenizer", "bpe"],
    ["monkey", "yes"],
    ["password", ""],
    ["proxy", "http://proxy.example.com:8080/path"],
    ["mail", "ops@example.com"]
  ] as const
  for (const [key, value] of open) {
    it.effect(`${key}=${value} is shown`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* values({ "a.json": JSON.stringify({ [key]: value }) }), [[key, value]])
      }).pipe(Effect.provide(NodeServices.layer)))
  }

  it.effect("in a URL hide the login and leave the rest", () =>
    Effect.gen(function*() {
      const found = yield* read({ "a.yaml": `url: ${url("p@ss/w", "db1")}`, "b.yaml": `url: ${url("other", "db2")}` })
      const [setting] = found.settings
      assert.match(setting?.actual ?? "", /^postgres:\/\/redacted:[0-9a-f]{8}@db1:5432\/shop\?sslmode=require$/)
      assert.match(setting?.baseline ?? "", /^postgres:\/\/redacted:[0-9a-f]{8}@db2:5432\/shop\?sslmode=require$/)
    }).pipe(Effect.provide(NodeServices.layer)))
})
