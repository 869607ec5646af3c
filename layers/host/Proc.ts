/**
 * What the Linux kernel says in the text files below /proc, as values.
 *
 * Every function here is pure and takes the whole text of one file. It answers `undefined` (or leaves a line out) where
 * the text is not what the kernel documents, so that a caller reports a gap instead of a wrong number. Names come from
 * other programs and are untrusted: control characters are replaced.
 */

/** Bytes; `available` is absent on kernels before 3.14. */
export interface Memory {
  readonly total: number
  readonly available: number | undefined
  readonly swapTotal: number
  readonly swapFree: number
}

/** Clock ticks of all cores since boot; `busy` leaves out idle and waiting for a disk. */
export interface Cpu {
  readonly busy: number
  readonly total: number
  readonly cores: number
}

/** The share of time in which some, or all, tasks waited for a resource, averaged over `seconds`. */
export interface Pressure {
  readonly kind: "some" | "full"
  readonly seconds: 10 | 60 | 300
  readonly ratio: number
}

/** Counters of one whole disk since boot: operations, bytes, and milliseconds. */
export interface Disk {
  readonly name: string
  readonly reads: number
  readonly readBytes: number
  readonly readMs: number
  readonly writes: number
  readonly writeBytes: number
  readonly writeMs: number
  /** Milliseconds in which at least one request was in flight. */
  readonly busyMs: number
  /** The same, times the number of requests in flight. */
  readonly queuedMs: number
}

/** Bytes of one network interface since boot. */
export interface Network {
  readonly name: string
  readonly inBytes: number
  readonly outBytes: number
}

/** One process; `ticks` of cpu since `started` (ticks after boot), resident memory in pages. */
export interface Process {
  readonly pid: number
  readonly name: string
  readonly state: string
  readonly ticks: number
  readonly started: number
  readonly pages: number
}

/** One mount of this process' view of the file system. */
export interface Mount {
  /** `major:minor` of the file system, the same for its bind mounts. */
  readonly device: string
  readonly point: string
  readonly type: string
  readonly source: string
  readonly readOnly: boolean
  /** Options of the file system itself, comma separated. */
  readonly options: string
}

const number = (text: string | undefined): number | undefined => {
  const value = text === undefined || text === "" ? Number.NaN : Number(text)
  return Number.isFinite(value) && value >= 0 ? value : undefined
}
const lines = (text: string): ReadonlyArray<string> => text.split("\n").filter((line) => line.trim() !== "")
const words = (line: string): ReadonlyArray<string> => line.trim().split(/\s+/)
// oxlint-disable-next-line no-control-regex -- Control characters are exactly what is replaced.
const printable = (text: string): string => text.replaceAll(/[\u0000-\u001f\u007f]/g, "?")

/** Numbers at `indexes` of `fields`, or `undefined` when one of them is none. */
const numbersAt = (fields: ReadonlyArray<string>, indexes: ReadonlyArray<number>) => {
  const values = indexes.flatMap((index) => number(fields[index]) ?? [])
  return values.length === indexes.length ? values : undefined
}

/** The value of `key` in kibibyte tables such as meminfo and a process' status, in bytes. */
export const kibibytes = (text: string, key: string): number | undefined => {
  const line = lines(text).find((line) => line.startsWith(`${key}:`))
  const value = line === undefined ? undefined : number(words(line)[1])
  return value === undefined ? undefined : value * 1024
}

/** Reads `meminfo`. */
export const memory = (text: string): Memory | undefined => {
  const total = kibibytes(text, "MemTotal")
  if (total === undefined || total === 0) return undefined
  return {
    total,
    available: kibibytes(text, "MemAvailable"),
    swapTotal: kibibytes(text, "SwapTotal") ?? 0,
    swapFree: kibibytes(text, "SwapFree") ?? 0
  }
}

/** Reads `loadavg`: runnable and waiting tasks, averaged over 1, 5 and 15 minutes. */
export const loads = (text: string): ReadonlyArray<number> | undefined => numbersAt(words(text), [0, 1, 2])

/** Reads the processor lines of `stat`. */
export const cpu = (text: string): Cpu | undefined => {
  const all = lines(text)
  // user nice system idle iowait irq softirq steal; what guests used is already part of user.
  const ticks = numbersAt(words(all.find((line) => line.startsWith("cpu ")) ?? ""), [1, 2, 3, 4, 5, 6, 7, 8])
  const cores = all.filter((line) => /^cpu\d+ /.test(line)).length
  if (ticks === undefined || cores === 0) return undefined
  const total = ticks.reduce((sum, value) => sum + value, 0)
  const [, , , idle = 0, waiting = 0] = ticks
  return { busy: total - idle - waiting, total, cores }
}

/** Reads one of the files below `pressure/`. */
export const pressure = (text: string): ReadonlyArray<Pressure> =>
  lines(text).flatMap((line) => {
    const kind = /^(some|full) /.exec(line)?.[1]
    if (kind !== "some" && kind !== "full") return []
    return ([10, 60, 300] as const).flatMap((seconds) => {
      const percent = number(new RegExp(`avg${seconds}=(\\S+)`).exec(line)?.[1])
      return percent === undefined ? [] : { kind, seconds, ratio: Math.min(1, percent / 100) }
    })
  })

/** Reads `sys/fs/file-nr`: open file handles and how many there may be. */
export const fileHandles = (text: string): { readonly open: number; readonly max: number } | undefined => {
  const [open, max] = numbersAt(words(text), [0, 2]) ?? []
  return open === undefined || max === undefined || max === 0 ? undefined : { open, max }
}

// `sda1` is a part of `sda`, `nvme0n1p1` of `nvme0n1`; `dm-10` is no part of `dm-1`.
const isPartition = (name: string, names: ReadonlySet<string>): boolean => {
  const whole = /^(?:(.*\d)p\d+|(.*[^\d])\d+)$/.exec(name)
  return whole !== null && names.has(whole[1] ?? whole[2] ?? "")
}

/** Reads `diskstats`: whole disks that did something; partitions, loop and memory devices are left out. */
export const disks = (text: string): ReadonlyArray<Disk> => {
  const rows = lines(text).map(words).filter((row) => numbersAt(row, [3, 5, 6, 7, 9, 10, 12, 13]) !== undefined)
  const names = new Set(rows.flatMap((row) => row[2] ?? []))
  return rows.flatMap((row) => {
    const name = printable(row[2] ?? "")
    const count = (index: number): number => Number(row[index])
    if (/^(?:loop|ram|zram|sr|fd)\d/.test(name) || isPartition(name, names) || count(3) + count(7) === 0) return []
    return {
      name,
      reads: count(3),
      // The kernel counts sectors of 512 bytes whatever the disk's own are. Source: Documentation/block/stat.rst.
      readBytes: count(5) * 512,
      readMs: count(6),
      writes: count(7),
      writeBytes: count(9) * 512,
      writeMs: count(10),
      busyMs: count(12),
      queuedMs: count(13)
    }
  })
}

/** Reads `net/dev`: interfaces other than the loopback. */
export const networks = (text: string): ReadonlyArray<Network> =>
  lines(text).flatMap((line) => {
    const [, name, counters] = /^\s*([^:|]+):(.*)$/.exec(line) ?? []
    const [inBytes, outBytes] = numbersAt(words(counters ?? ""), [0, 8]) ?? []
    if (name === undefined || name === "lo" || inBytes === undefined || outBytes === undefined) return []
    return { name: printable(name), inBytes, outBytes }
  })

/** Reads the `stat` of one process. Its name may hold spaces and parentheses, so the last parenthesis ends it. */
export const process = (text: string): Process | undefined => {
  const open = text.indexOf("(")
  const close = text.lastIndexOf(")")
  const pid = number(text.slice(0, Math.max(0, open)).trim())
  const fields = words(text.slice(close + 1))
  const [user, system, started, pages] = numbersAt(fields, [11, 12, 19, 21]) ?? []
  if (pid === undefined || close < open || user === undefined || system === undefined) return undefined
  if (started === undefined || pages === undefined) return undefined
  return {
    pid,
    name: printable(text.slice(open + 1, close)),
    state: fields[0] ?? "?",
    ticks: user + system,
    started,
    pages
  }
}

// The kernel writes space, tab, newline and backslash in these fields as octal escapes.
const unescape = (text: string): string =>
  printable(text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8))))

/** Reads `mountinfo`, in the order of mounting. */
export const mounts = (text: string): ReadonlyArray<Mount> =>
  lines(text).flatMap((line) => {
    const [before = "", after = ""] = line.split(" - ", 2)
    const [, , device, , point, own = ""] = before.split(" ")
    const [type, source, options = ""] = after.split(" ")
    if (device === undefined || point === undefined || type === undefined || source === undefined) return []
    const readOnly = [...own.split(","), ...options.split(",")].includes("ro")
    return { device, point: unescape(point), type, source: unescape(source), readOnly, options }
  })
