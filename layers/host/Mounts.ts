/**
 * Which mounts of a Linux machine can run full, and how full one is.
 *
 * Space is counted as `df` counts it: what only root may use is neither used nor free. Sizes are bytes, ratios 0 to 1.
 */
import { Effect } from "effect"
import type { StatsFs } from "node:fs"
import { statfs } from "node:fs/promises"
import type { Mount } from "./Proc.ts"

/** Room left on one file system; `inodeRatio` is absent where inodes are made on demand. */
export interface Usage {
  readonly size: number
  readonly free: number
  readonly usedRatio: number
  readonly inodeRatio: number | undefined
}

// Views of the kernel, and images that are full by nature.
const withoutRoom = new Set([
  ..."autofs binfmt_misc bpf cgroup cgroup2 configfs debugfs devpts devtmpfs efivarfs fusectl fuse.gvfsd-fuse".split(
    " "
  ),
  ..."fuse.lxcfs fuse.portal hugetlbfs mqueue nsfs proc pstore ramfs rpc_pipefs securityfs selinuxfs sysfs".split(" "),
  ..."tracefs cramfs erofs iso9660 romfs squashfs udf".split(" ")
])

const hasRoom = (mount: Mount): boolean => {
  if (withoutRoom.has(mount.type) || /^\/(?:proc|sys)(?:\/|$)/.test(mount.point)) return false
  // The overlays of containers show the disk below them once more; only inside a container is one the root.
  if (mount.type === "overlay") return mount.point === "/"
  return !(mount.type === "tmpfs" && mount.readOnly)
}

/**
 * The mounts that can run full, one for each file system: of bind mounts the shortest path, and of mounts on one path
 * the last, which hides the others.
 */
export const real = (mounts: ReadonlyArray<Mount>): ReadonlyArray<Mount> => {
  const visible = new Map(mounts.map((mount) => [mount.point, mount]))
  const byDevice = new Map<string, Mount>()
  for (const mount of visible.values()) {
    const known = byDevice.get(mount.device)
    if (hasRoom(mount) && (known === undefined || mount.point.length < known.point.length)) {
      byDevice.set(mount.device, mount)
    }
  }
  return [...byDevice.values()]
}

/** The numbers of `statfs(2)`: blocks, the unit they count in, and inodes. */
export interface Blocks {
  readonly unit: number
  readonly blocks: number
  readonly free: number
  /** Free for those who are not root. */
  readonly available: number
  readonly inodes: number
  readonly inodesFree: number
}

/** `undefined` for a file system that has no blocks at all. */
export const usage = (stats: Blocks): Usage | undefined => {
  const used = stats.blocks - stats.free
  const usable = used + stats.available
  if (stats.blocks <= 0 || usable <= 0) return undefined
  return {
    size: stats.blocks * stats.unit,
    free: stats.available * stats.unit,
    usedRatio: used / usable,
    inodeRatio: stats.inodes > 0 ? (stats.inodes - stats.inodesFree) / stats.inodes : undefined
  }
}

/** Asks the kernel about the file system at `path`; fails with the kernel's own word (`EACCES`, `ESTALE`). */
export const measure = (path: string): Effect.Effect<Usage | undefined, string> =>
  Effect.map(
    Effect.tryPromise({
      try: () => statfs(path),
      catch: (error) => error instanceof Error && "code" in error ? String(error.code) : String(error)
    }),
    // Older releases of Node have no `frsize`; it differs from `bsize` on some FUSE file systems only.
    ({ bsize, frsize, ...stats }: Omit<StatsFs, "frsize"> & { readonly frsize?: number }) =>
      usage({
        unit: frsize ?? bsize,
        blocks: stats.blocks,
        free: stats.bfree,
        available: stats.bavail,
        inodes: stats.files,
        inodesFree: stats.ffree
      })
  )
