/** What the kernel's text means, on text written here. */
import { assert, describe, it } from "@effect/vitest"
import * as Mounts from "../../../layers/host/Mounts.ts"
import * as Proc from "../../../layers/host/Proc.ts"

describe("memory", () => {
  it("reads kibibytes as bytes", () => {
    const text = "MemTotal:  1000 kB\nMemFree: 10 kB\nMemAvailable:   400 kB\nSwapTotal: 200 kB\nSwapFree: 50 kB\n"
    assert.deepStrictEqual(Proc.memory(text), {
      total: 1_024_000,
      available: 409_600,
      swapTotal: 204_800,
      swapFree: 51_200
    })
  })
  it("says when an old kernel has no available memory", () => {
    assert.deepStrictEqual(Proc.memory("MemTotal: 1000 kB\nMemFree: 10 kB\n"), {
      total: 1_024_000,
      available: undefined,
      swapTotal: 0,
      swapFree: 0
    })
  })
  it("refuses anything else", () => {
    for (const text of ["", "MemTotal: many kB", "<html>", "MemTotal: 0 kB"]) assert.isUndefined(Proc.memory(text))
  })
})

describe("loads and cpu", () => {
  it("reads the three averages", () => {
    assert.deepStrictEqual(Proc.loads("0.50 1.25 2.00 3/700 12345\n"), [0.5, 1.25, 2])
    assert.isUndefined(Proc.loads("high 1 2"))
    assert.isUndefined(Proc.loads("0.50"))
  })
  it("counts neither idle nor disk wait as busy, and guests once", () => {
    const text = "cpu  100 20 30 400 50 6 7 8 90 10\ncpu0 1 1 1 1 1 1 1 1 0 0\ncpu1 1 1 1 1 1 1 1 1 0 0\nctxt 5\n"
    assert.deepStrictEqual(Proc.cpu(text), { busy: 171, total: 621, cores: 2 })
  })
  it("refuses a table without cores or with a word in it", () => {
    assert.isUndefined(Proc.cpu("cpu  100 20 30 400 50 6 7 8 90 10\n"))
    assert.isUndefined(Proc.cpu("cpu  100 20 x 400 50 6 7 8\ncpu0 1 1 1 1 1 1 1 1\n"))
  })
})

describe("pressure and file handles", () => {
  it("reads percentages as ratios", () => {
    const text = "some avg10=25.00 avg60=1.50 avg300=0.00 total=99\nfull avg10=100.00 avg60=0.00 avg300=0.00 total=1\n"
    const all = Proc.pressure(text)
    assert.strictEqual(all.length, 6)
    assert.deepStrictEqual(all[0], { kind: "some", seconds: 10, ratio: 0.25 })
    assert.deepStrictEqual(all[3], { kind: "full", seconds: 10, ratio: 1 })
  })
  it("leaves out what it does not know", () => {
    assert.deepStrictEqual(Proc.pressure("most avg10=1.00\nsome avg10=x"), [])
  })
  it("reads open and possible handles", () => {
    assert.deepStrictEqual(Proc.fileHandles("1024\t0\t2466183\n"), { open: 1024, max: 2466183 })
    assert.isUndefined(Proc.fileHandles("1024 0 0"))
    assert.isUndefined(Proc.fileHandles(""))
  })
})

const row = (name: string, reads = 5) => `   8  0 ${name} ${reads} 0 16 40 7 0 32 70 2 300 900 0 0 0 0`

describe("disks", () => {
  it("reads counters in bytes and milliseconds", () => {
    assert.deepStrictEqual(Proc.disks(row("sda")), [{
      name: "sda",
      reads: 5,
      readBytes: 8192,
      readMs: 40,
      writes: 7,
      writeBytes: 16_384,
      writeMs: 70,
      busyMs: 300,
      queuedMs: 900
    }])
  })
  it("keeps whole disks only", () => {
    const names = [
      "sda",
      "sda1",
      "nvme0n1",
      "nvme0n1p2",
      "dm-1",
      "dm-10",
      "loop0",
      "zram0",
      "md127",
      "mmcblk0",
      "mmcblk0p1"
    ]
    const kept = Proc.disks(names.map((name) => row(name)).join("\n")).map(({ name }) => name)
    assert.deepStrictEqual(kept, ["sda", "nvme0n1", "dm-1", "dm-10", "md127", "mmcblk0"])
  })
  it("leaves out disks that never did anything, and broken lines", () => {
    assert.deepStrictEqual(Proc.disks("8 0 sdb 0 0 0 0 0 0 0 0 0 0 0\n8 0 sdc five 0 0 0 0 0 0 0 0 0 0\nshort"), [])
  })
})

describe("networks", () => {
  it("reads bytes in and out, with or without a space after the colon", () => {
    const text = [
      "Inter-|   Receive                |  Transmit",
      " face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs",
      "    lo: 5 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0",
      "  eth0:100 1 0 0 0 0 0 0 200 1 0 0 0 0 0 0",
      "wlan0: 7 1 0 0 0 0 0 0 8 1 0 0 0 0 0 0",
      "bad0: 7"
    ].join("\n")
    assert.deepStrictEqual(Proc.networks(text), [
      { name: "eth0", inBytes: 100, outBytes: 200 },
      { name: "wlan0", inBytes: 7, outBytes: 8 }
    ])
  })
})

const stat = (name: string) =>
  `42 (${name}) S 1 42 42 0 -1 4194304 100 0 0 0 30 12 0 0 20 0 1 0 8888 1000000 250 18446744073709551615 1 1`

describe("process", () => {
  it("reads ticks, start and resident pages", () => {
    assert.deepStrictEqual(Proc.process(stat("node")), {
      pid: 42,
      name: "node",
      state: "S",
      ticks: 42,
      started: 8888,
      pages: 250
    })
  })
  it("lets a name hold parentheses and spaces, and neutralises control characters", () => {
    assert.strictEqual(Proc.process(stat("a) R 1 (b"))?.name, "a) R 1 (b")
    assert.strictEqual(Proc.process(stat("a\n\u001b[31mb"))?.name, "a??[31mb")
  })
  it("refuses what is cut short", () => {
    for (const text of ["", "42 (node", "42 (node) S 1 2 3", "x (node) S"]) assert.isUndefined(Proc.process(text))
  })
})

const line = (device: string, point: string, type: string, own = "rw", options = "rw") =>
  `36 35 ${device} / ${point} ${own},relatime shared:1 - ${type} /dev/x ${options}`
const points = (...lines: ReadonlyArray<string>) => Mounts.real(Proc.mounts(lines.join("\n"))).map(({ point }) => point)

describe("mounts", () => {
  it("reads device, path, type and whether it is read-only", () => {
    assert.deepStrictEqual(Proc.mounts(`${line("8:1", "/my\\040disk", "ext4", "ro")}\ngarbage\n`), [{
      device: "8:1",
      point: "/my disk",
      type: "ext4",
      source: "/dev/x",
      readOnly: true,
      options: "rw"
    }])
    assert.isTrue(Proc.mounts(line("8:1", "/", "ext4", "rw", "ro,errors=remount-ro"))[0]?.readOnly)
  })
  it("leaves out views of the kernel and images", () => {
    assert.deepStrictEqual(
      points(
        line("0:1", "/proc", "proc"),
        line("0:2", "/sys/fs/cgroup", "tmpfs"),
        line("0:3", "/dev", "devtmpfs"),
        line("7:1", "/snap/core", "squashfs", "ro"),
        line("0:4", "/run/secrets", "tmpfs", "ro"),
        line("0:5", "/var/lib/docker/overlay2/x/merged", "overlay"),
        line("0:6", "/dev/shm", "tmpfs"),
        line("8:1", "/processed", "ext4")
      ),
      ["/dev/shm", "/processed"]
    )
  })
  it("keeps the overlay a container is made of", () => {
    assert.deepStrictEqual(points(line("0:5", "/", "overlay")), ["/"])
  })
  it("measures a file system once, at its shortest path", () => {
    assert.deepStrictEqual(
      points(line("8:1", "/etc/hosts", "ext4"), line("8:1", "/", "ext4"), line("8:1", "/srv/jail", "ext4")),
      ["/"]
    )
  })
  it("sees only the last of two mounts on one path", () => {
    const mounts = Mounts.real(Proc.mounts([line("8:1", "/data", "ext4"), line("8:2", "/data", "xfs")].join("\n")))
    assert.deepStrictEqual(mounts.map(({ device }) => device), ["8:2"])
  })
})

describe("usage", () => {
  const blocks = { unit: 4096, blocks: 1000, free: 300, available: 200, inodes: 100, inodesFree: 25 }
  it("counts as df does: the reserve of root is neither used nor free", () => {
    assert.deepStrictEqual(Mounts.usage(blocks), {
      size: 4_096_000,
      free: 819_200,
      usedRatio: 700 / 900,
      inodeRatio: 0.75
    })
  })
  it("calls a disk full when only root may still write", () => {
    assert.strictEqual(Mounts.usage({ ...blocks, available: 0 })?.usedRatio, 1)
  })
  it("has no inode ratio where inodes are made on demand, and nothing without blocks", () => {
    assert.isUndefined(Mounts.usage({ ...blocks, inodes: 0, inodesFree: 0 })?.inodeRatio)
    assert.isUndefined(Mounts.usage({ ...blocks, blocks: 0, free: 0, available: 0 }))
  })
})
