/**
 * Kernel limits of this machine that explain incidents: memory, files, connections, processes.
 *
 * The machine has no list of what they should be, so the baseline of each is `null`. Values are the kernel's own text.
 */
import { NodeFileSystem } from "@effect/platform-node"
import { Effect, FileSystem, Layer } from "effect"
import { type Gap, type Setting, Settings } from "../../src/agents/advisor/Source.ts"
import { gap } from "./Part.ts"

/** How the settings are read; see the options of the metrics. */
export interface Options {
  readonly proc?: string
  readonly platform?: NodeJS.Platform
}

/** The kernel parameters read; one that this kernel does not have is left out. */
export const keys = [
  "fs.aio-max-nr",
  "fs.file-max",
  "fs.inotify.max_user_instances",
  "fs.inotify.max_user_watches",
  "fs.nr_open",
  "kernel.hung_task_timeout_secs",
  "kernel.panic",
  "kernel.pid_max",
  "kernel.threads-max",
  "net.core.netdev_max_backlog",
  "net.core.somaxconn",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_max_syn_backlog",
  "net.ipv4.tcp_tw_reuse",
  "net.netfilter.nf_conntrack_max",
  "vm.dirty_background_ratio",
  "vm.dirty_ratio",
  "vm.max_map_count",
  "vm.min_free_kbytes",
  "vm.nr_hugepages",
  "vm.overcommit_memory",
  "vm.overcommit_ratio",
  "vm.panic_on_oom",
  "vm.swappiness"
] as const

/** `Settings` of this machine; a parameter that may not be read is a gap, and so is every system but Linux. */
export const layerSettings = (options: Options = {}): Layer.Layer<Settings> =>
  Layer.effect(
    Settings,
    Effect.gen(function*() {
      const files = yield* FileSystem.FileSystem
      const { platform = process.platform, proc = "/proc" } = options
      if (platform !== "linux") return Settings.of({ read: Effect.succeed({ settings: [], gaps: [unread(platform)] }) })

      const readOne = (key: string): Effect.Effect<Setting | Gap | undefined> => {
        const path = `${proc}/sys/${key.replaceAll(".", "/")}`
        return files.readFileString(path).pipe(
          Effect.map((text): Setting => ({
            key,
            actual: text.trim().replaceAll(/\s+/g, " "),
            baseline: null,
            isDecided: false,
            origin: path
          })),
          Effect.catch((error) =>
            Effect.succeed(
              error.reason._tag === "NotFound"
                ? undefined
                : gap(path, `could not be read (${error.reason._tag})`, `run as a user who may read ${path}`)
            )
          )
        )
      }
      const read = Effect.gen(function*() {
        const found = yield* Effect.forEach(keys, readOne)
        const settings = found.flatMap((one) => (one !== undefined && "key" in one ? [one] : []))
        const gaps = found.flatMap((one) => (one !== undefined && "detail" in one ? [one] : []))
        return settings.length + gaps.length === 0
          ? { settings, gaps: [gap(`${proc}/sys`, "holds none of the known parameters", "mount the proc file system")] }
          : { settings, gaps }
      })
      return Settings.of({ read })
    })
  ).pipe(Layer.provide(NodeFileSystem.layer))

// internal

const unread = (platform: string): Gap =>
  gap("settings", `kernel parameters are not read on ${platform}`, "run on Linux")
