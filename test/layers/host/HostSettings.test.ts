/** Kernel parameters of this machine, of a machine made of files, and of none. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { defaultLogPaths, layerSettings } from "../../../layers/host/index.ts"
import { Settings } from "../../../src/agents/advisor/Source.ts"

const read = Effect.flatMap(Settings, (settings) => settings.read)

describe("HostSettings", () => {
  it.live.skipIf(process.platform !== "linux")("reads this kernel", () =>
    Effect.gen(function*() {
      const { settings } = yield* Effect.provide(read, layerSettings())
      const pids = settings.find(({ key }) => key === "kernel.pid_max")
      assert.isAtLeast(Number(pids?.actual), 300)
      assert.isTrue(settings.every(({ baseline, origin }) => baseline === null && origin.startsWith("/proc/sys/")))
    }))

  it.live("keeps the kernel's text, leaves out what the kernel lacks and reports what may not be read", () =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        const proc = mkdtempSync(join(tmpdir(), "proc-"))
        mkdirSync(join(proc, "sys/net/ipv4"), { recursive: true })
        mkdirSync(join(proc, "sys/vm/swappiness"), { recursive: true }) // a folder cannot be read as a file
        writeFileSync(join(proc, "sys/net/ipv4/ip_local_port_range"), "32768\t60999\n")
        return proc
      }),
      (proc) =>
        Effect.gen(function*() {
          const { gaps, settings } = yield* Effect.provide(read, layerSettings({ proc, platform: "linux" }))
          assert.deepStrictEqual(settings, [{
            key: "net.ipv4.ip_local_port_range",
            actual: "32768 60999",
            baseline: null,
            isDecided: false,
            origin: `${proc}/sys/net/ipv4/ip_local_port_range`
          }])
          assert.deepStrictEqual(gaps.map(({ source }) => source), [`host:${proc}/sys/vm/swappiness`])
        }),
      (proc) => Effect.sync(() => rmSync(proc, { recursive: true }))
    ))

  it.live("says so when there is nothing to read", () =>
    Effect.gen(function*() {
      const nowhere = yield* Effect.provide(read, layerSettings({ proc: "/no/such/proc", platform: "linux" }))
      assert.deepStrictEqual(nowhere.settings, [])
      assert.match(nowhere.gaps[0]?.remedy ?? "", /mount/)
      const elsewhere = yield* Effect.provide(read, layerSettings({ platform: "darwin" }))
      assert.deepStrictEqual(elsewhere.settings, [])
      assert.match(elsewhere.gaps[0]?.detail ?? "", /darwin/)
    }))

  it("names the usual text logs", () => {
    assert.isAtLeast(defaultLogPaths.length, 3)
    assert.isTrue(defaultLogPaths.every((path) => path.startsWith("/var/log/")))
  })
})
