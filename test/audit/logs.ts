/** A `Writer` read as a log. */
import { Effect, Layer, Option } from "effect"
import * as NodeEd25519 from "../../layers/node/Ed25519.ts"
import { NodeDigest } from "../../layers/node/index.ts"
import { type Digest, Log } from "../../src/audit/index.ts"
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
  session: (id) => Effect.sync(() => Option.map(Option.fromUndefinedOr(writer.held.get(id)), summaryOf)),
  rows: (id) => Effect.sync(() => [...(writer.rows.get(id) ?? [])]),
  payload: (hash: Digest.Hash) => Effect.sync(() => Option.fromUndefinedOr(writer.payloads.get(hash)))
})

export const layerLog = (writer: Writer) => Layer.succeed(Log.Log, logOf(writer))

/** Digest, signer and verifier of the tests. */
export const layerTools = Layer.merge(
  NodeDigest.layer,
  Layer.orDie(NodeEd25519.layer({ name: signer.name, privateJwk: jwk }))
)
