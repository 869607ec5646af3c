/**
 * The promises that the compiler keeps. Each `// @ts-expect-error TEXT` in `test/types` is turned off in a copy, the
 * compiler runs once over all of them, and its message for the next line must contain TEXT: it must fail, and say why.
 */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const here = import.meta.dirname
const directive = /\/\/ @ts-expect-error (.+)$/

const sources = readdirSync(join(here, "types")).map((file) => {
  const lines = readFileSync(join(here, "types", file), "utf8").split("\n")
  const promises = lines.flatMap((line, index) => {
    const text = directive.exec(line)?.[1]
    return text === undefined ? [] : [{ at: `${file}:${index + 2}`, text }]
  })
  return { file, promises, withoutDirectives: lines.map((line) => line.replace(directive, "//")).join("\n") }
})

/** What the compiler says about each line of the copies, by `file:line`. */
const compile = (): ReadonlyMap<string, string> => {
  // Beside the originals, so that their relative imports mean the same; hidden, so that no other run picks it up.
  const scratch = mkdtempSync(join(here, ".types-"))
  try {
    for (const { file, withoutDirectives } of sources) writeFileSync(join(scratch, file), withoutDirectives)
    const compilerOptions = { plugins: [], noUnusedLocals: false }
    writeFileSync(
      join(scratch, "tsconfig.json"),
      JSON.stringify({ extends: "../../tsconfig.json", compilerOptions, include: ["*.ts"] })
    )
    const tsc = join(here, "../node_modules/typescript/bin/tsc")
    const { stdout } = spawnSync(process.execPath, [tsc, "--pretty", "false", "-p", "."], {
      cwd: scratch,
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024
    })
    const said = new Map<string, string>()
    let at = ""
    for (const line of stdout.split("\n")) {
      const place = /^([^(\s]+)\((\d+),\d+\): error /.exec(line)
      if (place !== null) at = `${place[1]}:${place[2]}`
      said.set(at, `${said.get(at) ?? ""}${line}\n`)
    }
    return said
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

describe("what must not compile", () => {
  let said: ReadonlyMap<string, string>
  beforeAll(() => {
    said = compile()
  })

  for (const { at, text } of sources.flatMap(({ promises }) => promises)) {
    it(`${at} ${text}`, () => {
      assert.include(said.get(at) ?? "it compiled", text)
    })
  }

  it("everything else compiles", () => {
    const expected = new Set(sources.flatMap(({ promises }) => promises.map(({ at }) => at)))
    const files = new Set(sources.map(({ file }) => file))
    const unexpected = [...said].filter(([at]) => files.has(at.split(":")[0] ?? "") && !expected.has(at))
    assert.deepStrictEqual(unexpected, [])
  })
})
