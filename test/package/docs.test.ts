/** What the pages say of the code is the code: every TypeScript block stands in an example, every link leads somewhere. */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"

const home = join(import.meta.dirname, "../..")
const read = (file: string) => readFileSync(join(home, file), "utf8")
const below = (folder: string, ending: string) =>
  readdirSync(join(home, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .map((name) => `${folder}/${name}`)

const pages = ["README.md", "CHANGELOG.md", ...below("docs", ".md")]
const examples = below("examples", ".ts").map(read)

/** Without indentation and empty lines: a block may stand deeper in its example. */
const plain = (code: string) => code.split("\n").map((line) => line.trim()).filter((line) => line !== "").join("\n")

const blocks = (page: string, language: string) =>
  [...read(page).matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, code = ""]) => code)

describe("the pages", () => {
  it("README embeds the example to the letter", () => {
    assert.deepStrictEqual(blocks("README.md", "ts"), [read("examples/embed.ts")])
  })

  for (const page of pages) {
    it(`${page}: each TypeScript block stands in an example`, () => {
      for (const code of blocks(page, "ts")) {
        assert.isTrue(examples.some((example) => `\n${plain(example)}\n`.includes(`\n${plain(code)}\n`)), code)
      }
    })

    it(`${page}: each link leads somewhere`, () => {
      const links = [...read(page).matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link = ""]) => link)
      assert.deepStrictEqual(links.filter((link) => !existsSync(join(home, dirname(page), link))), [])
    })
  }
})
