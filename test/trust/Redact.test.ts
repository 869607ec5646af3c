/** What redaction takes out and what it leaves, whatever the secret is wrapped in. Every secret here was made up. */
import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { Redact } from "../../src/trust/index.ts"

const pem = [
  "-----BEGIN RSA PRIVATE KEY-----",
  "Proc-Type: 4,ENCRYPTED",
  "DEK-Info: AES-256-CBC,5B01E932002D316A",
  "",
  "MIIEpAIBAAKCAQEAq3xVnJw0n5cMadeUpJjD",
  "Zk0mY29tcGxldGVseSBtYWRlIHVwIGtleQ==",
  "-----END RSA PRIVATE KEY-----"
].join("\n")

/** A secret of each kind, whole, and a part of it that must not survive. */
const secrets: ReadonlyArray<readonly [kind: string, secret: string, core: string]> = [
  ["private-key", pem, "Zk0mY29tcGxldGVseSBtYWRlIHVw"],
  ["private-key", pem.replaceAll("RSA ", "").replace(/Proc[^]*5A?316A\n\n/, ""), "MIIEpAIBAAKCAQEAq3xVnJw0n5c"],
  [
    "private-key",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOYBGJ4made4upKEY\n=mQ3v\n-----END PGP PRIVATE KEY BLOCK-----",
    "lQOYBGJ4made4upKEY"
  ],
  ["jwt", `eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJtYWRlLXVwIn0.${"kZ9-_".repeat(12)}`, "kZ9-_kZ9-_"],
  ["jwt", "eyJhbGciOiJkaXIifQ..SXZJdkl2SXY.Y2lwaGVydGV4dA.dGFn".replace("..", ".a2V5a2V5."), "Y2lwaGVydGV4dA"],
  ["connection-string", "postgres://app:Zq8vT2mL9x@db.internal:5432/shop", "Zq8vT2mL9x"],
  ["connection-string", "redis://:Zq8vT2mL9x@cache:6379/0", "Zq8vT2mL9x"],
  ["connection-string", "MONGODB+SRV://app:Zq8vT2mL9x@cluster0.example.net/x", "Zq8vT2mL9x"],
  ["api-key", "sk-ant-api03-Zq8vT2mL9xKp4Rw7Yc", "Zq8vT2mL9xKp4Rw7Yc"],
  ["api-key", "sk_live_4eC39HqLyjWDarjtT1zdp7dc", "4eC39HqLyjWDarjtT1zdp7dc"],
  ["github-token", "ghp_Zq8vT2mL9xKp4Rw7YcNd3Gh6Jt1Bs5Fv0Mz", "Zq8vT2mL9xKp4Rw7YcNd"],
  ["github-token", "github_pat_11AAAAAAA0Zq8vT2mL9xKp_Rw7YcNd3Gh6Jt", "Zq8vT2mL9xKp"],
  ["aws-key", "AKIAZQ8VT2ML9XKP4RW7", "ZQ8VT2ML9XKP4RW7"],
  ["slack-token", "xoxb-123456789012-Zq8vT2mL9xKp", "Zq8vT2mL9xKp"],
  ["google-key", "AIzaSyZq8vT2mL9xKp4Rw7YcNd3Gh6Jt1Bs5Fv0", "Zq8vT2mL9xKp4Rw7"],
  ["bearer", "Bearer Zq8vT2mL9xKp4Rw7YcNd", "Zq8vT2mL9xKp4Rw7YcNd"],
  ["authorization", "Authorization: Basic YXBwOlpxOHZUMm1MOXg=", "YXBwOlpxOHZUMm1MOXg"],
  ["authorization", "authorization=token onlyletterssecret", "onlyletterssecret"]
]

/** Names that announce a secret, as code, files and people write them. */
const names = [
  "password",
  "PASSWORD",
  "db_password",
  "dbPassword",
  "DB_PASSWD",
  "MYSQL_PWD",
  "passphrase",
  "secret",
  "client_secret",
  "CLIENT_SECRET",
  "clientSecret",
  "client-secret",
  "JWT_SECRET",
  "SECRET_KEY_BASE",
  "AWS_SECRET_ACCESS_KEY",
  "api_key",
  "apiKey",
  "X-Api-Key",
  "APIKEY",
  "AccountKey",
  "access_token",
  "refreshToken",
  "id_token",
  "X-Auth-Token",
  "NPM_TOKEN",
  "ENCRYPTION_KEY"
]
const value = "Zq8vT2mL9x"
const assignments = names.flatMap((name) => [
  `${name}=${value}`,
  `${name}: ${value}`,
  `${name} = "${value}"`,
  `"${name}": "${value}"`,
  `'${name}' => '${value}'`,
  `export ${name}='${value}'`
])

/** What a secret may be found in. */
const wrappings: ReadonlyArray<readonly [name: string, wrap: (secret: string) => string]> = [
  ["alone", (secret) => secret],
  ["in prose", (secret) => `it said (${secret}) and then stopped`],
  ["on a line of its own", (secret) => `before\n${secret}\nafter`],
  ["in JSON", (secret) => JSON.stringify({ text: secret, after: 1 })],
  ["in JSON in JSON", (secret) => JSON.stringify({ text: JSON.stringify({ text: secret, after: 1 }) })],
  ["in a list in JSON", (secret) => JSON.stringify([[secret], secret])]
]

describe("what is taken out", () => {
  for (const [kind, secret, core] of secrets) {
    for (const [name, wrap] of wrappings) {
      it(`${kind} ${name}: ${secret.slice(0, 24).replaceAll("\n", " ")}`, () => {
        const wrapped = wrap(secret)
        assert.isAtLeast(wrapped.split(core).length, 2, "the text has the secret in it")
        const clean = Redact.redact(wrapped)
        assert.notInclude(clean, core)
        assert.include(clean, `[redacted:${kind}]`)
      })
    }
  }

  /** The fewest characters that each rule knows a secret by. */
  const shortest: ReadonlyArray<string> = [
    "-----BEGIN PRIVATE KEY-----",
    "eyJ12345678.abcd",
    "ab://:x@h",
    "sk-1234567890123456",
    `ghp_${"a".repeat(20)}`,
    "AKIA1234567890ABCDEF",
    "xoxb-1234567890",
    `AIza${"a".repeat(30)}`,
    `gldt-${"a".repeat(20)}`,
    "authorization:a abcd",
    "bearer 1234567890123456",
    "_pwd:abcd"
  ]
  it("is found where it is as short as it can be, wherever it begins", () => {
    for (const secret of shortest) {
      for (let before = 0; before < 40; before++) {
        const filler = "a few words of no weight, said before it, ".slice(0, before)
        for (const text of [`${filler} ${secret}`, `${filler} ${secret} and after`]) {
          assert.notInclude(Redact.redact(text), secret, text)
        }
      }
    }
  })

  for (const [name, wrap] of wrappings) {
    it(`values of telling names ${name}`, () => {
      const survived = assignments.filter((assignment) => Redact.redact(wrap(assignment)).includes(value))
      assert.deepStrictEqual(survived, [])
    })
  }

  const whole: ReadonlyArray<readonly [string, string]> = [
    ["spaces in quotes", "password: \"correct horse battery\""],
    ["spaces in quotes, in JSON", JSON.stringify({ password: "correct horse battery" })],
    ["spaces and quotes, in JSON in JSON", JSON.stringify(JSON.stringify({ password: "correct \"horse\" battery" }))],
    ["a quote", JSON.stringify({ client_secret: "correct\"horse\\battery" })],
    ["a doubled quote", "passphrase: 'correct''horse battery'"],
    ["commas and semicolons", "PASSWORD=correct,horse;battery"],
    ["a backslash", String.raw`PASSWORD=correct\horse\battery`],
    ["a slash and a quote", "PASSWORD=correct/horse\"battery"],
    ["an ampersand in a URL", "https://example.com/login?user=a&api_key=correct-horse&next=battery"],
    ["a connection string of key and value", "Server=db;Uid=app;Pwd=correct-horse-battery;Timeout=5"]
  ]
  for (const [name, text] of whole) {
    it(`a value with ${name}, to its end`, () => {
      for (const part of ["correct", "horse", "battery"]) assert.notInclude(Redact.redact(text), part)
    })
  }

  it("an environment file keeps its names and its harmless lines", () => {
    const file = [
      "# database",
      "DATABASE_URL=postgres://app:Zq8vT2mL9x@db:5432/shop",
      "CLIENT_SECRET=Zq8vT2mL9x",
      "export STRIPE_SECRET_KEY=\"Zq8vT2mL9x\"",
      "LOG_LEVEL=debug",
      "PORT=8080"
    ].join("\n")
    assert.strictEqual(
      Redact.redact(file),
      [
        "# database",
        "DATABASE_URL=[redacted:connection-string]",
        "CLIENT_[redacted:password]",
        "export STRIPE_[redacted:password]\"",
        "LOG_LEVEL=debug",
        "PORT=8080"
      ].join("\n")
    )
  })

  it("stays out when redacted again", () => {
    for (const [, secret] of secrets) {
      const once = Redact.redact(`a ${secret} b`)
      assert.strictEqual(Redact.redact(once), once)
    }
  })
})

describe("what is left", () => {
  const harmless = [
    "123e4567-e89b-12d3-a456-426614174000",
    "commit 3b18e512dba79e4c8300dd08aeb37f8e728b8dad",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "/var/lib/postgresql/15/main/base/16384/2619",
    "C:\\Users\\ada\\AppData\\Local\\Temp\\a.log",
    "Forgot your password? Reset it here.",
    "The password must have at least twelve characters.",
    "password authentication failed for user \"app\"",
    "the secretary: John Smith",
    "It is a secret that nobody keeps.",
    "unexpected token: } at position 42",
    "error=\"invalid_token\", the access token expired",
    "max_tokens=4096 temperature=0.2",
    "next_page_token: CAUQAA0123456789",
    "bearer responsibilities and obligations",
    "sk-learn-contrib-feature-branch",
    "task-runner-with-a-very-long-name-0001",
    "https://example.com:8443/path?user=ada&page=2",
    "http://user@example.com/inbox",
    "git@github.com:owner/repository.git",
    "mail to ops@example.com, or call 555-0100",
    "2026-03-26T11:58:00.123Z INFO [worker-3] request 9 took 12 ms",
    "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ2VydA\n-----END CERTIFICATE-----",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG1hZGUtdXA ada@host",
    "\"password\": null, \"secret\": false",
    "PWD=/srv/app/project OLDPWD=/home/ada",
    "key_buffer_size = 16M",
    "monkey: banana, keyboard: qwerty",
    "token_endpoint: https://login.example.com/oauth2",
    "SELECT count(*) FROM sessions WHERE id = 'abc' -- 3 rows",
    "disk.used_ratio of /data (node_filesystem) went from 71% to 93%"
  ]
  for (const line of harmless) {
    it(line.slice(0, 60).replaceAll("\n", " "), () => assert.strictEqual(Redact.redact(line), line))
  }
})

describe("a preview", () => {
  it("is the text itself when it is short", () => {
    assert.strictEqual(Redact.preview("as it is"), "as it is")
    assert.strictEqual(Redact.preview("x".repeat(Redact.previewLength)), "x".repeat(Redact.previewLength))
  })

  it("is bounded, and says where it was cut", () => {
    const preview = Redact.preview("word ".repeat(10_000))
    assert.strictEqual(preview.length, Redact.previewLength)
    assert.isTrue(preview.endsWith("…"))
  })

  it("cuts no secret in half, wherever it stands and whatever stands before it", () => {
    const fillers = ["word ", `${secrets[3]?.[1]} `, "api_key=Zq8vT2mL9x ", "é😀 "]
    for (const filler of fillers) {
      for (const [kind, secret, core] of secrets) {
        for (let before = 0; before < 1300; before += 37) {
          const start = filler.repeat(Math.ceil(before / filler.length)).slice(0, before)
          const preview = Redact.preview(`${start} ${secret} ${"tail ".repeat(900)}`)
          for (let at = 0; at + 6 <= core.length; at++) {
            const piece = core.slice(at, at + 6)
            if (preview.includes(piece)) assert.fail(`${kind} after ${before} characters shows ${piece}`)
          }
        }
      }
    }
  })

  it("cuts no long secret in half either", () => {
    const long = [
      pem.replace("\nZk0m", `\n${"Zk0mQ3v8".repeat(400)}\nZk0m`),
      `eyJhbGciOiJFZERTQSJ9.${"Zk0mQ3v8".repeat(400)}.${"Zk0mQ3v8".repeat(10)}`,
      `password="${"Zk0mQ3v8".repeat(400)}"`,
      `api_key=${"Zk0mQ3v8".repeat(400)}`
    ]
    for (const secret of long) {
      for (let before = 0; before < 250; before += 10) {
        assert.notInclude(Redact.preview(`${"a ".repeat(before / 2)} ${secret} ${"tail ".repeat(900)}`), "Zk0mQ3v8")
      }
    }
  })

  it("cuts no character in half", () => {
    for (let before = 190; before < 204; before++) {
      assert.isTrue(Redact.preview(`${"x".repeat(before)}${"😀".repeat(50)}`).isWellFormed())
    }
  })

  it("shows nothing that the whole redacted text does not", () => {
    const piece = fc.oneof(
      fc.constantFrom(...secrets.map(([, secret]) => secret), ...assignments),
      fc.string({ maxLength: 80 }),
      fc.constantFrom("word ".repeat(60), "x".repeat(300), " ")
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const text = pieces.join(" ")
        const shown = Redact.preview(text).replace(/…$/, "")
        assert.isTrue(Redact.redact(text).startsWith(shown))
      }),
      { numRuns: 300, seed: 7 }
    )
  })
})

describe("the time it takes", () => {
  /** Beginnings of secrets that never become one, over and over, and secrets that never end. */
  const adversarial: ReadonlyArray<readonly [string, (length: number) => string]> = [
    ["one letter", (length) => "a".repeat(length)],
    ["spaces", (length) => "password".concat(" ".repeat(length))],
    ["headers of tokens", (length) => "eyJ-".repeat(length / 4)],
    ["tokens without a payload", (length) => "eyJaaaaaaaaa.".repeat(length / 13)],
    ["a payload without an end", (length) => `eyJaaaaaaaaa.${"eyJ-".repeat(length / 4)}`],
    ["keys without a digit", (length) => "sk-".repeat(length / 3)],
    ["schemes", (length) => "a://a:".repeat(length / 6)],
    ["a login without a host", (length) => `postgres://a:${"b".repeat(length)}`],
    ["users", (length) => "x://".concat("u".repeat(length))],
    ["names of secrets", (length) => "secret_".repeat(length / 7)],
    ["names of secrets and quotes", (length) => "password\\\"".repeat(length / 10)],
    ["a value without an end", (length) => `password="${"a\\\"".repeat(length / 3)}`],
    ["separators of values", (length) => `secret=${",;}".repeat(length / 3)}`],
    ["openings of keys", (length) => "-----BEGIN A PRIVATE KEY".repeat(length / 24)],
    ["a key without an end", (length) => `-----BEGIN PRIVATE KEY-----${"- ".repeat(length / 2)}`],
    ["bearers", (length) => "bearer ".repeat(length / 7)],
    ["authorizations", (length) => "authorization: a ".repeat(length / 17)],
    ["Slack", (length) => "xoxb-".repeat(length / 5)],
    ["GitHub", (length) => "ghp_github_pat_".repeat(length / 15)],
    ["Google", (length) => "AIza-".repeat(length / 5)],
    ["SendGrid", (length) => "SG.aaaaaaaaaaaaaaaa-".repeat(length / 20)],
    ["Grafana", (length) => "glsa_".concat("a".repeat(length))],
    ["vendors", (length) => "-glpat_npm_hf_gsk_dapi_tskey-a-ops_eyJ".repeat(length / 38)],
    ["secrets beside secrets", (length) => `${secrets[14]?.[1]} `.repeat(length / 21)]
  ]
  const least = (text: string, rounds: number) => {
    let best = Infinity
    for (let round = 0; round < rounds; round++) {
      // Time of this process, whoever else has the processor meanwhile.
      const begun = process.cpuUsage()
      Redact.redact(text)
      best = Math.min(best, process.cpuUsage(begun).user / 1000)
    }
    return best
  }
  for (const [name, make] of adversarial) {
    it(`grows with the text and no faster: ${name}`, () => {
      const small = least(make(100_000), 5)
      const large = least(make(1_000_000), 2)
      // Ten times the text; what is quadratic takes a hundred times as long.
      assert.isBelow(large, 60 * Math.max(small, 1))
    })
  }

  it("bounds a preview by what it shows, not by the text", () => {
    const text = "word ".repeat(2_000_000)
    const time = (length: number) => {
      const part = text.slice(0, length)
      const start = performance.now()
      for (let round = 0; round < 200; round++) Redact.preview(part)
      return performance.now() - start
    }
    time(10_000)
    assert.isBelow(time(10_000_000), 40 * Math.max(time(10_000), 1))
  })
})
