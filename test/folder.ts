/**
 * One folder for all that a run of the tests puts into the system's temporary folder. It goes with the run, whatever was
 * killed in it; the folder of a run that was itself killed goes with the next.
 */
import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export default (): () => void => {
  const system = tmpdir()
  for (const name of readdirSync(system)) {
    const [, pid] = /^aosiq-run-(\d+)-/.exec(name) ?? []
    if (pid !== undefined && isDead(Number(pid))) rmSync(join(system, name), { recursive: true, force: true })
  }
  const folder = mkdtempSync(join(system, `aosiq-run-${process.pid}-`))
  // Some tests run programs as somebody else.
  chmodSync(folder, 0o1777)
  process.env["TMPDIR"] = folder
  return () => {
    process.env["TMPDIR"] = system
    const left = readdirSync(folder)
    if (left.length > 0) process.stderr.write(`tests left in their temporary folder: ${left.join(", ")}\n`)
    rmSync(folder, { recursive: true, force: true })
  }
}

// internal

const isDead = (pid: number): boolean => {
  try {
    return !process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ESRCH"
  }
}
