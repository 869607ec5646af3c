/** What a clock on the wall shows, minute by minute, worked out without any cron: the oracle of the tests of schedules. */

const minute = 60_000

/** Local time as if it were UTC, epoch milliseconds. */
type Wall = number

/** A span of time in a zone, and what the clock shows in each of its minutes. */
export interface Almanac {
  readonly zone: string
  readonly from: number
  readonly until: number
  readonly wallOf: (instant: number) => Wall
}

/** From `from` to `until`, both whole minutes. */
export const almanac = (zone: string, from: string, until: string): Almanac => {
  const start = Date.parse(from)
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" })
  const read = (instant: number): Wall => Date.parse(`${format.format(instant).replace(" ", "T")}Z`)
  const walls: Array<Wall> = []
  for (let at = start; at <= Date.parse(until); at += minute) walls.push(read(at))
  return { zone, from: start, until: Date.parse(until), wallOf: (at) => walls[(at - start) / minute] ?? read(at) }
}

/** Which local times are meant; an empty list is all. */
export interface Fields {
  readonly minutes: ReadonlyArray<number>
  readonly hours: ReadonlyArray<number>
  readonly weekdays: ReadonlyArray<number>
}
export const expression = ({ hours, minutes, weekdays }: Fields): string =>
  [minutes, hours, [], [], weekdays].map((field) => field.length === 0 ? "*" : field.join(",")).join(" ")

const matches = (fields: Fields, wall: Wall): boolean => {
  const date = new Date(wall)
  const isIn = (field: ReadonlyArray<number>, value: number) => field.length === 0 || field.includes(value)
  return isIn(fields.minutes, date.getUTCMinutes()) && isIn(fields.hours, date.getUTCHours()) &&
    isIn(fields.weekdays, date.getUTCDay())
}

/** Every instant of the span that the fields mean. */
export const instants = (
  { from, until, wallOf }: Almanac,
  fields: Fields,
  repeated: "earlier" | "later" | "both"
): ReadonlyArray<number> => {
  const byWall = new Map<Wall, Array<number>>()
  const found = new Set<number>()
  for (let at = from; at <= until; at += minute) {
    const wall = wallOf(at)
    byWall.set(wall, [...byWall.get(wall) ?? [], at])
    // Local times that the clock jumped over are meant as if it had not.
    for (let gone = wallOf(at - minute) + minute, shift = 0; gone < wall; gone += minute, shift += minute) {
      if (matches(fields, gone)) found.add(at + shift)
    }
  }
  for (const [wall, both] of byWall) {
    if (!matches(fields, wall)) continue
    const chosen = repeated === "both" ? both : [repeated === "earlier" ? both[0] : both.at(-1)]
    for (const at of chosen) if (at !== undefined) found.add(at)
  }
  return [...found].filter((at) => at > from && at <= until).toSorted((a, b) => a - b)
}
