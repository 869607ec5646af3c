/** A `Writer` read as a log. */
import { Effect, Layer, Option } from "effect"
import * as NodeEd25519 from "../../layers/node/Ed25519.ts"
import { NodeDigest } from "../../layers/node/index.ts"
import { Anchor, Cosigning, type Digest, Log } from "../../src/audit/index.ts"
import { hashOf, type Held, jwk, signer, type Writer } from "./worlds.ts"

const summaryOf = ({ head, id, seq }: Held): Log.Summary => ({
  id,
  actor: "LogQuery",
  parent: null,
  caller: "operator",
  accounts: [],
  status: "running",
  epoch: 1,
  seq,
  head,
  token: "a.secret.token",
  input: hashOf("input"),
  result: null,
  startedAt: 0
})

/** The log as it stands whenever it is read. */
export const logOf = (writer: Writer): Log.Log["Service"] => ({
  sessions: Effect.sync(() => [...writer.held.values()].map(summaryOf)),
  since: (at) =>
    Effect.sync(() =>
      [...writer.held.values()].map(summaryOf).filter(({ id }) => (writer.rows.get(id)?.at(-1)?.at ?? 0) >= at)
    ),
  session: (id) => Effect.sync(() => Option.map(Option.fromUndefinedOr(writer.held.get(id)), summaryOf)),
  page: () => Effect.die("no pages here"),
  rows: (id, from = 0, limit = Infinity) => Effect.sync(() => (writer.rows.get(id) ?? []).slice(from, from + limit)),
  trail: () => Effect.die("no trail here"),
  payload: (hash: Digest.Hash) => Effect.sync(() => Option.fromUndefinedOr(writer.payloads.get(hash)))
})

export const layerLog = (writer: Writer) => Layer.succeed(Log.Log, logOf(writer))

/** Anchors that hold `kept`, whoever put it there. */
export const layerHolding = (kept: ReadonlyArray<Anchor.Stored>) =>
  Layer.effect(
    Anchor.Anchors,
    Effect.map(Anchor.Anchors, (anchors) => ({
      ...anchors,
      list: (from: number) => Effect.succeed(Anchor.from(kept, from)),
      names: Effect.succeed(kept.map(({ name }) => ({ name, keeping: null })))
    }))
  ).pipe(Layer.provide(Anchor.layerMemory))

/** Digest, signer and verifier of the tests, and no witness. */
export const layerTools = Layer.mergeAll(
  NodeDigest.layer,
  Layer.orDie(NodeEd25519.layer({ name: signer.name, privateJwk: jwk })),
  Cosigning.layerNone
)
