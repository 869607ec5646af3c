/** Logs as an installation leaves them: several sessions, their rows and payloads, and anchors taken in between. */
import { Effect, type Schema } from "effect"
import * as NodeEd25519 from "../../layers/node/Ed25519.ts"
import { NodeDigest } from "../../layers/node/index.ts"
import { Anchor, Chain, type Digest, Merkle, Note, Row, Signer } from "../../src/audit/index.ts"
import { Claims } from "../../src/capability/index.ts"

export const { digest } = NodeDigest
export const tools = { digest, verifier: NodeEd25519.verifier }

/** A source of numbers that gives the same ones for the same seed. */
export interface Dice {
  /** A number from 0 to below `sides`. */
  readonly roll: (sides: number) => number
  readonly pick: <A>(items: ReadonlyArray<A>) => A
}
export const dice = (seed: number): Dice => {
  let state = seed >>> 0
  // Mulberry32.
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const roll = (sides: number) => Math.floor(next() * sides)
  return {
    roll,
    pick: (items) => {
      const item = items[roll(items.length)]
      if (item === undefined) throw new Error("nothing to pick from")
      return item
    }
  }
}

/** A key pair of the tests; worthless elsewhere. */
export const jwk = {
  kty: "OKP",
  crv: "Ed25519",
  x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
  d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
} as const
const signerOf = (name: string, privateJwk: NodeEd25519.PrivateJwk) =>
  Effect.runSync(Effect.provide(Signer.Signer, NodeEd25519.layer({ name, privateJwk })))
export const signer = signerOf("aosiq/test", jwk)
export const keys: ReadonlyArray<Note.Key> = [{ name: signer.name, publicKey: signer.publicKey }]
/** Somebody else who calls himself the same. */
export const stranger = signerOf("aosiq/test", {
  kty: "OKP",
  crv: "Ed25519",
  x: "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw",
  d: "TM0Imyj_ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U-4pvs"
})

export interface Held {
  readonly id: Claims.SessionId
  readonly seq: number
  readonly head: Digest.Hash
}

/** A log; rows as they are stored, one table for all sessions. */
export interface World {
  readonly held: ReadonlyMap<Claims.SessionId, Held>
  readonly rows: ReadonlyMap<Claims.SessionId, ReadonlyArray<Row.Row>>
  readonly payloads: ReadonlyMap<string, string>
  readonly anchors: ReadonlyArray<Anchor.Stored>
  /** Anchors as they were checked, for what builds on them. */
  readonly checked: ReadonlyArray<Anchor.Checked>
  /** The longest length of each session that an anchor knows. */
  readonly covered: ReadonlyMap<Claims.SessionId, number>
  readonly parents: ReadonlySet<Claims.SessionId>
}

export const hashOf = (text: string) => digest.sha256(text)

/** An anchor over the heads of `held` that differ from `known`. */
export const anchorOf = (
  by: Signer.Signer["Service"],
  draft: { readonly sequence: number; readonly at: number; readonly before: Merkle.Frontier },
  leaves: Anchor.Anchor["leaves"]
): Anchor.Checked => {
  const { after, checkpoint } = Anchor.checkpointOf(digest, { origin: by.name, ...draft, leaves })
  const text = Note.formatCheckpoint(checkpoint)
  const note = Effect.runSync(Effect.provideService(Note.sign(text), Signer.Signer, by))
  const before = Anchor.frontierOf(draft.before)
  const { at, sequence } = draft
  const anchor: Anchor.Anchor = { v: Row.version, sequence, at, before, leaves, checkpoint: Note.encode(note) }
  return { anchor, checkpoint, before: draft.before, after }
}

export const storedOf = ({ anchor }: Anchor.Checked): Anchor.Stored => ({
  name: Anchor.nameOf(anchor),
  text: Anchor.encode(anchor),
  cosignatures: [],
  keeping: null
})

/** Writes a log row by row. */
export class Writer {
  readonly rows = new Map<Claims.SessionId, Array<Row.Row>>()
  readonly held = new Map<Claims.SessionId, Held>()
  readonly payloads = new Map<string, string>()
  readonly checked: Array<Anchor.Checked> = []
  readonly parents = new Set<Claims.SessionId>()
  private now = 1_767_225_600_000

  payload(value: Schema.Json): Digest.Hash {
    const text = digest.canonical(value)
    this.payloads.set(hashOf(text), text)
    return hashOf(text)
  }

  append(id: Claims.SessionId, key: string | null, body: Row.Body): void {
    const own = this.rows.get(id) ?? []
    const last = own.at(-1)
    this.now += 7
    const head = last === undefined ? Chain.empty : Chain.after(last)
    const row = Chain.seal(digest, head, { session: id, at: this.now }, { key, body })
    this.rows.set(id, [...own, row])
    this.held.set(id, { id, seq: row.seq + 1, head: row.hash })
  }

  open(id: Claims.SessionId, parent: Claims.SessionId | null): void {
    if (parent !== null) this.parents.add(parent)
    this.append(id, null, {
      kind: "genesis",
      actor: "LogQuery",
      token: Claims.TokenId.make(`jti-${id}`),
      parent,
      caller: "operator",
      mode: "enforced",
      input: this.payload({ question: `why is ${id} slow?` }),
      definition: hashOf("LogQuery")
    })
    this.append(id, null, { kind: "started", epoch: 1 })
  }

  anchor(): void {
    const last = this.checked.at(-1)
    const known = new Map(
      this.checked.flatMap(({ anchor }) =>
        anchor.leaves.flatMap((leaf) => typeof leaf === "string" ? [] : [[leaf.session, leaf.hash] as const])
      )
    )
    const moved = [...this.held.values()].filter(({ head, id }) => known.get(id) !== head)
    const [first, ...rest] = moved.map(({ head, id, seq }) => ({ session: id, seq, hash: head }))
    if (first === undefined) return
    this.now += 1
    const draft = { sequence: this.checked.length, at: this.now, before: last?.after ?? Merkle.empty }
    this.checked.push(anchorOf(signer, draft, [first, ...rest]))
  }

  world(): World {
    const covered = new Map<Claims.SessionId, number>()
    for (const leaf of this.checked.flatMap(({ anchor }) => anchor.leaves)) {
      if (typeof leaf !== "string") covered.set(leaf.session, Math.max(leaf.seq, covered.get(leaf.session) ?? 0))
    }
    const { checked, held, parents, payloads, rows } = this
    return { held, rows, payloads, checked, covered, parents, anchors: checked.map(storedOf) }
  }
}

/** The next thing that a session does: one or two rows. */
const act = (writer: Writer, { pick, roll }: Dice, id: Claims.SessionId, ordinal: number) => {
  const key = `main#${ordinal}`
  const seq = writer.held.get(id)?.seq ?? 0
  const args = writer.payload({ path: `/var/log/${pick(["syslog", "größe.log", "nginx.log"])}`, line: roll(1000), id })
  switch (roll(8)) {
    case 0:
      return writer.append(id, key, {
        kind: "refusal",
        act: "shell",
        layer: "token",
        reason: "not held",
        args,
        ran: false
      })
    case 1: {
      const shown = writer.payload({ tool: "restart", why: `it hangs since ${roll(60)} min`, id, ordinal })
      const ticket = `t-${id}-${ordinal}`
      writer.append(id, key, { kind: "proposed", act: "restart", ticket, binding: hashOf(ticket), shown, args })
      return writer.append(id, null, { kind: "decided", ticket, decision: "denied", by: "ada", reason: "not now" })
    }
    case 2:
      return writer.append(id, null, { kind: "noted", what: "mode", by: "ada", detail: `enforced ${roll(9)}` })
    case 3:
      return writer.append(id, null, { kind: "started", epoch: 2 + roll(5) })
  }
  writer.append(id, key, {
    kind: "intent",
    act: "read_log",
    capabilities: ["tool:read_log"],
    token: Claims.TokenId.make(`jti-${id}`),
    schema: hashOf("read_log"),
    args,
    argsPreview: "path, line",
    reservedMicroUsd: roll(900),
    ticket: null
  })
  const usage = { backend: "ollama", model: "small", input: roll(999), output: roll(99), cacheRead: 0, cacheWrite: 0 }
  return writer.append(id, key, {
    kind: "outcome",
    act: "read_log",
    intent: seq,
    status: pick(["succeeded", "failed", "timed_out"]),
    result: writer.payload({ lines: [`<${roll(1_000_000)}> connection reset — ☃`], id, ordinal }),
    resultPreview: "1 line",
    trust: "untrusted",
    costMicroUsd: roll(900),
    computeMs: roll(40),
    ...roll(2) === 0 ? { usage } : {}
  })
}

/** A log of 2 or 3 sessions with 5 to 60 rows each, most of them short, and up to a dozen anchors. */
export const grow = (seed: number): World => {
  const d = dice(seed)
  const writer = new Writer()
  const ids = Array.from({ length: 2 + d.roll(2) }, (_, i) => Claims.SessionId.make(`s${i}-${seed.toString(36)}`))
  const lengths = new Map(ids.map((id) => [id, 5 + Math.min(d.roll(56), d.roll(56), d.roll(56))]))
  for (const [i, id] of ids.entries()) writer.open(id, i > 0 && d.roll(3) === 0 ? d.pick(ids.slice(0, i)) : null)
  const total = [...lengths.values()].reduce((sum, length) => sum + length, 0)
  // Every eighth log has no anchors at all.
  const pace = d.roll(8) === 0 ? Number.POSITIVE_INFINITY : Math.ceil(total / (1 + d.roll(6)))
  const until = Math.ceil(total * (0.3 + d.roll(10) / 5))
  for (let step = 1; step < total * 4; step++) {
    const id = d.pick(ids)
    if ((writer.held.get(id)?.seq ?? 0) < (lengths.get(id) ?? 0)) act(writer, d, id, step)
    if (step % pace === 0 && step <= until) writer.anchor()
  }
  return writer.world()
}
