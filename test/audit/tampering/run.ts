/** Many tamperings, each judged: what the everyday tests do a little of, and the long ones at length. */
import { Effect, Layer, Option } from "effect"
import { Anchor, Anchoring, Cosigning, type Finding, Log, Note, Verify, Witness } from "../../../src/audit/index.ts"
import { layerTools } from "../logs.ts"
import { cosign, living, witnessOf } from "../witnesses.ts"
import { dice, grow, hashOf, keys, tools, type World } from "../worlds.ts"
import {
  type Case,
  type Expect,
  type Kind,
  newest,
  stored,
  type Tampered,
  type Tampering,
  tamperings
} from "./index.ts"
import { type Attack, attack, type Watched } from "./witnessed.ts"

/** What became of many tamperings. */
export interface Outcome {
  /** Those of which the verifier did not say what it must. */
  readonly wrong: ReadonlyArray<string>
  /** Kinds of damage that it found. */
  readonly kinds: ReadonlySet<Kind>
  /** Tamperings that nobody could see, and that it admitted. */
  readonly unseen: number
}

/** Logs that are tampered with, each many times. */
const pool = (total: number) => Math.min(250, Math.ceil(total / 10))

const told = (name: string, problem: string, details: ReadonlyArray<unknown>): string =>
  [`${name}: ${problem}`, ...details.map((value) => JSON.stringify(value))].join("\n")

// --- by somebody who holds the database, or a bundle, and perhaps the key ---------

const judge = (world: World, tampered: Case): Finding.Report => {
  const { anchors, held, payloads, seen } = tampered.log
  return Verify.all(tools, {
    sessions: [...held.values()],
    rows: stored(tampered),
    payloads,
    anchors,
    keys,
    witnesses: tampered.witnesses ?? [],
    seen: seen ? newest(world) : []
  })
}

/** What is wrong with a report; `undefined` when it says what it must. */
const complaint = (report: Finding.Report, expect: Expect): string | undefined => {
  if (expect._tag === "Unseen") {
    if (!report.ok) return "found something where nothing can be seen"
    return report.unchecked.some(({ count, kind }) => kind === expect.gap && count !== null && count >= expect.count)
      ? undefined
      : `does not admit ${expect.gap}`
  }
  const { also = [], kinds, rows, session } = expect
  const hit = report.findings.find((finding) => finding.session === session && kinds.includes(finding.kind))
  if (hit === undefined || report.ok) return "not found"
  if (rows !== undefined && (hit.seq === null || hit.seq < rows[0] || hit.seq > rows[1])) return "found elsewhere"
  const stray = report.findings.find((finding) => finding !== hit && !also.includes(finding.kind))
  return stray === undefined ? undefined : `also found ${stray.kind}`
}

const next = (tampering: Tampering, seed: number, worlds: ReadonlyArray<World>) => {
  const d = dice(seed)
  for (let attempt = 0; attempt < 100; attempt++) {
    const world = d.pick(worlds)
    const tampered = tampering(d, world)
    if (tampered !== undefined) return { world, tampered }
  }
  throw new Error("this tampering never applies")
}

/** Judges `total` tamperings with logs and bundles, from the evidence alone. */
export const fromEvidence = (total: number): Outcome => {
  const worlds = Array.from({ length: pool(total) }, (_, i) => grow(5000 + i))
  const wrong: Array<string> = []
  const kinds = new Set<Kind>()
  let unseen = 0
  for (let seed = 0; seed < total; seed++) {
    const [name, tampering] = dice(seed).pick(tamperings)
    const { tampered, world } = next(tampering, seed, worlds)
    const report = judge(world, tampered)
    for (const { kind } of report.findings) kinds.add(kind)
    if (report.ok) unseen++
    const problem = complaint(report, tampered.expect)
    if (problem !== undefined) {
      wrong.push(told(`${name} (seed ${seed})`, problem, [tampered.expect, report.findings, report.unchecked]))
    }
  }
  return { wrong, kinds, unseen }
}

// --- by somebody who holds database and anchors, while one witness is alive --------

const by = Effect.runSync(witnessOf("witness.example/w1"))

/** A log of which a witness signed every anchor up to one of the last. */
const watch = (seed: number): Watched => {
  const world = grow(seed)
  const d = dice(seed)
  const signed = world.checked.length - 1 - (d.roll(3) === 0 ? d.roll(world.checked.length) : 0)
  const anchors = world.anchors.map((one, i) => {
    const checkpoint = world.checked[i]?.checkpoint
    // A witness that was away signed only the newest when it came back.
    const isSigned = checkpoint !== undefined && i <= signed && (i === signed || d.roll(5) > 0)
    const line = isSigned ? [Effect.runSync(cosign(by, Note.formatCheckpoint(checkpoint), 1_767_225_600 + i))] : []
    return { ...one, cosignatures: line }
  })
  return { world, signed, anchors }
}

/** The witness as it stands after it signed that. */
const peerOf = ({ signed, world }: Watched): Effect.Effect<Cosigning.Peer> =>
  Effect.gen(function*() {
    const memory = Witness.makeMemory()
    const last = world.checked[signed]
    if (last !== undefined) {
      const { origin, root, size } = last.checkpoint
      yield* Effect.orDie(memory.remember({ origin, root, size, checkpoint: last.anchor.checkpoint }))
    }
    return Cosigning.peerOf(yield* living(by, memory))
  })

const summaryOf = (log: Tampered): ReadonlyArray<Log.Summary> =>
  [...log.held.values()].map(({ head, id, seq }) => ({
    id,
    actor: "LogQuery",
    parent: null,
    caller: "operator",
    accounts: [],
    status: "running",
    epoch: 1,
    seq,
    head,
    token: "token",
    input: hashOf("input"),
    result: null,
    startedAt: 0
  } as Log.Summary))

/** The database and the anchors as somebody left them. */
const left = (log: Tampered) => {
  const sessions = summaryOf(log)
  const anchors = [...log.anchors]
  const keep = (anchor: Anchor.Anchor) =>
    Effect.sync(() => {
      anchors.push({ name: Anchor.nameOf(anchor), text: Anchor.encode(anchor), cosignatures: [], keeping: null })
    })
  return Layer.mergeAll(
    Layer.succeed(Log.Log, {
      sessions: Effect.succeed(sessions),
      since: (at) => Effect.succeed(sessions.filter(({ id }) => Number(log.rows.get(id)?.at(-1)?.["at"] ?? 0) >= at)),
      session: (id) => Effect.succeed(Option.fromUndefinedOr(sessions.find((session) => session.id === id))),
      // Rows as somebody left them are only said to be rows.
      rows: (id) => Effect.succeed((log.rows.get(id) ?? []) as never),
      page: () => Effect.die("no pages here"),
      trail: () => Effect.die("no trail here"),
      payload: (hash) => Effect.succeed(Option.fromUndefinedOr(log.payloads.get(hash)))
    }),
    Layer.succeed(Anchor.Anchors, {
      append: keep,
      cosign: () => Effect.void,
      list: (from) => Effect.sync(() => Anchor.from(anchors, from)),
      names: Effect.sync(() => anchors.map(({ name }) => ({ name, keeping: null })))
    })
  )
}

/** What an operator is told who has the log anchored and then verified. */
const verified = (watched: Watched, log: Tampered): Effect.Effect<Finding.Report> =>
  Effect.gen(function*() {
    const peer = yield* peerOf(watched)
    return yield* Effect.gen(function*() {
      // Nothing is signed on top of anchors that do not hold.
      yield* Effect.ignore(Anchoring.take())
      return yield* Effect.orDie(Verify.online({ keys, sessions: "all" }))
    }).pipe(Effect.provide(Layer.mergeAll(left(log), layerTools, Cosigning.layer([peer]))))
  })

const grievance = (report: Finding.Report, expect: Attack): string | undefined => {
  const open = new Set(["after_last_anchor", "no_anchors", "not_cosigned"])
  const found = report.findings.map(({ kind }) => kind)
  if (expect.kinds.length > 0 && !found.some((kind) => expect.kinds.includes(kind))) return "not found"
  const stray = found.find((kind) => !expect.kinds.includes(kind) && !expect.also.includes(kind))
  if (stray !== undefined) return `also found ${stray}`
  if (!report.ok) return undefined
  if (expect.isWitnessed) return "unseen, though the witness signed for it"
  return report.unchecked.some(({ count, kind }) => open.has(kind) && (count ?? 0) >= expect.altered)
    ? undefined
    : "not admitted"
}

/** Judges `total` attacks, half of them by somebody with the key; and first the same logs as long as nobody touched them. */
export const besideWitness = (total: number): Outcome => {
  const logs = Array.from({ length: pool(total) }, (_, i) => watch(20_000 + i)).filter(({ signed }) => signed >= 0)
  const wrong: Array<string> = []
  const kinds = new Set<Kind>()
  let unseen = 0
  for (const watched of logs) {
    const { held, payloads, rows } = watched.world
    const log = { held: new Map(held), rows: new Map(rows), payloads: new Map(payloads), anchors: [...watched.anchors] }
    const report = Effect.runSync(verified(watched, { ...log, seen: false } as unknown as Tampered))
    if (!report.ok) wrong.push(told("nothing", "found something", [report.findings]))
  }
  for (let seed = 0, done = 0; done < total; seed++) {
    const d = dice(seed)
    const watched = d.pick(logs)
    const tried = attack(d, watched, seed % 2 === 0)
    if (tried === undefined) continue
    done++
    const [name, expect] = tried
    const report = Effect.runSync(verified(watched, expect.log))
    for (const { kind } of report.findings) kinds.add(kind)
    if (report.ok) unseen++
    const problem = grievance(report, expect)
    if (problem !== undefined) {
      const { also, altered, isWitnessed, kinds } = expect
      wrong.push(told(`${name} (seed ${seed})`, problem, [
        { also, altered, isWitnessed, kinds, signed: watched.signed },
        report.findings,
        report.unchecked
      ]))
    }
  }
  return { wrong, kinds, unseen }
}
