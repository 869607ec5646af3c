import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const program = join(import.meta.dirname, "../../layers/cli/bin.mjs")

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}
const aosiq = (cwd: string, ...args: ReadonlyArray<string>): Promise<Ran> =>
  new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { cwd, timeout: 60_000 }, (error, out, err) => {
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : 1, out, err })
    })
  })

describe("aosiq sessions revoke", () => {
  it("stops an act that was approved but has not run", { timeout: 120_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "aosiq-revoke-"))
    try {
      const started = await aosiq(folder, "start", "--once", "--json", "--ticket", "saved.md")
      assert.strictEqual(started.code, 0, started.err)
      const { approvals, session } = JSON.parse(started.out)
      const revoked = await aosiq(folder, "sessions", "revoke", session, "--by", "ada", "--reason", "stolen")
      assert.strictEqual(revoked.code, 0, revoked.err)
      const approved = await aosiq(folder, "approvals", "approve", approvals[0].id, "--by", "ben")
      assert.strictEqual(approved.code, 1)
      assert.include(approved.err, "is revoked")
      assert.isFalse(existsSync(join(folder, "saved.md")), "the act did not run")
      const verified = await aosiq(folder, "audit", "verify", "--json")
      assert.isTrue(JSON.parse(verified.out).ok)
      const unknown = await aosiq(folder, "sessions", "revoke", "ses_none")
      assert.strictEqual(unknown.code, 1)
      assert.include(unknown.err, "there is no session ses_none")
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
