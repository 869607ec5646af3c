/** What lies in the repository, and what its files must not say. */
import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"

const home = join(import.meta.dirname, "../..")

/** Made by tools, and ignored by git. */
const made = new Set(["node_modules", "dist", ".git", ".aosiq", "aosiq-tickets"])

const top = [
  "CHANGELOG.md",
  "LICENSE",
  "README.md",
  "docs",
  "examples",
  "flake.nix",
  "layers",
  "migrations",
  "package-lock.json",
  "package.json",
  "src",
  "test",
  "tsconfig.json"
]

const walk = (folder: string): ReadonlyArray<string> =>
  readdirSync(join(home, folder)).flatMap((name) => {
    const path = folder === "" ? name : `${folder}/${name}`
    if (made.has(name) || path === ".ci/out") return []
    return statSync(join(home, path)).isDirectory() ? walk(path) : [path]
  })

/** What attackers write says what it likes. */
const isAttack = (file: string) => /^test\/trust\/(?:blind|final)\//.test(file)

const files = walk("").filter((file) => !isAttack(file)).map((file) => ({
  file,
  text: readFileSync(join(home, file), "utf8")
}))

/** Lines that match, as `file:line`. */
const saying = (pattern: RegExp, among: (file: string) => boolean = () => true) =>
  files.filter(({ file }) => among(file)).flatMap(({ file, text }) =>
    text.split("\n").flatMap((line, index) => pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])
  )

/** Spelt in parts, or this file would find itself. */
const word = (...parts: ReadonlyArray<string>) => new RegExp(parts.join(""))

describe("the repository", () => {
  it("has at its top what belongs there, and dotfiles", () => {
    const found = readdirSync(home).filter((name) =>
      !name.startsWith(".") && !made.has(name) && !/\.(?:log|tgz)$/.test(name)
    )
    assert.deepStrictEqual(found.toSorted(), top)
  })

  it("names no registry, no mirror and no path of one machine", () => {
    assert.isAbove(files.length, 200)
    assert.deepStrictEqual(saying(word("registry", "\\.[a-z]+\\.(?:org|com)|", "npm", "js\\.org")), [])
    assert.deepStrictEqual(saying(word("deb\\.", "debian\\.org")), [])
    assert.deepStrictEqual(saying(word("/wo", "rk/|/ho", "me/[a-z]+/|/Us", "ers/[a-z]+/")), [])
    assert.deepStrictEqual(saying(word("\"resol", "ved\": \"http"), (file) => file === "package-lock.json"), [])
  })

  it("speaks of itself, not of how it came about", () => {
    assert.deepStrictEqual(saying(word("\\b(?:SP", "EC|DES", "IGN|ST", "YLE|DE", "PS|BR", "IEF)\\.md")), [])
    assert.deepStrictEqual(
      saying(
        word(
          "\\b(?:CA",
          "P|AU",
          "D|AP",
          "P|COS",
          "T|GO",
          "V|AC",
          "T|DU",
          "R|BA",
          "K|EV",
          "I|TR",
          "U|SW",
          "M|K",
          "B|SB",
          "X|TOO",
          "L|MC",
          "P|OP",
          "S|D",
          "X)-\\d{1,2}\\b"
        )
      ),
      []
    )
    assert.deepStrictEqual(saying(word("\\b(?:issue|fixes|closes|resolves) #", "\\d")), [])
    assert.deepStrictEqual(saying(word("\\b(?:TO", "DO|FIX", "ME|X", "XX)\\b")), [])
  })

  it("reads data beside the repository in tests alone", () => {
    assert.deepStrictEqual(saying(word("\\.\\./sha", "red/"), (file) => !file.startsWith("test/")), [])
  })

  it("is not a text of the license but the license", () => {
    const license = files.find(({ file }) => file === "LICENSE")?.text ?? ""
    assert.include(license, "Version 2.0, January 2004")
    assert.include(license, "END OF TERMS AND CONDITIONS")
  })
})
