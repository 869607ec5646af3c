/** A proposal: what it claims must stand in what was recorded, and another model is asked before it is accepted. */
import { Actor, Agent, Dispatch, Evidence, Grant, Log, Proposal, Scripted, Tool } from "aosiq"
import { Memory } from "aosiq/layers/presets"
import { Effect, Layer, Schema } from "effect"

const Disks = Tool.make("disks", {
  description: "How full the disks are",
  capabilities: ["tool:disks"],
  params: Schema.Struct({}),
  success: Schema.Array(Schema.Struct({ name: Schema.String, used: Schema.Finite }))
})

const Watch = Agent.make("Watch", {
  description: "Says which disk is filling up",
  input: Schema.String,
  output: Schema.Struct(Proposal.base),
  tools: [Disks],
  backends: ["scripted"],
  instructions: "Look at the disks before you conclude, and cite what you saw.",
  task: (host) => host,
  bounds: { minEvidence: 1, maxRejections: 2 },
  secondOpinion: { backends: ["offline"] }
})

/** A script in the place of a model: it reads the stamp that it was shown, and says what it is told to. */
const concluding = (prompt: unknown, number: number) => {
  const [stamp = ""] = JSON.stringify(prompt).match(/ses_\w+\/\d+/) ?? []
  const text = `the disk /data is at ${number}%`
  const evidence = [{ stamp, path: "/0/name", equals: "/data" }, { stamp, path: "/0/used", number, unit: "%" }]
  const params = { title: "/data fills up", summary: text, severity: "high", confidence: 0.9, risks: [] }
  return { calls: [{ name: "conclude", params: { ...params, claims: [{ text, evidence }] } }] }
}

const program = Effect.gen(function*() {
  const model = yield* Scripted.fromFunction(({ prompt }, turn) =>
    turn === 0 ? { calls: [{ name: "disks", params: {} }] } : concluding(prompt, turn === 1 ? 39 : 93)
  )
  const reviewer = yield* Scripted.make({ name: "offline", model: "reviewer", notice: null }, () => ({
    calls: [{ name: "opinion", params: { verdict: "agree", reasons: ["the number is what was recorded"] } }]
  }))
  const watch = yield* Agent.on(Watch, model, reviewer)
  const disks = Tool.layer(Disks, () => Effect.succeed([{ name: "/data", used: 0.93 }]))
  const ended = yield* Effect.gen(function*() {
    const dispatch = yield* Dispatch.Dispatch
    const grant = Grant.make(["tool:disks", "backend:scripted", "backend:offline"], { budgetMicroUsd: 100_000 })
    return yield* dispatch.start(watch, "host 7", { grant, caller: "ada" })
  }).pipe(Effect.provide(Layer.provide(Actor.layer(watch), disks)))

  const log = yield* Log.Log
  const acts = (yield* log.rows(ended.session)).flatMap(({ body }) => body.kind === "outcome" ? [body.act] : [])
  console.log(acts.join(", "))
  if (ended._tag !== "Succeeded") return console.log(ended._tag)
  const evidence = yield* Evidence.Evidence
  for (const { cited, claim, objections } of yield* evidence.examine(ended.session, ended.output.claims)) {
    console.log(`${objections.length === 0 ? "holds" : "does not hold"}: ${claim.text}`)
    for (const { extract, source } of cited) console.log(`  ${source?.act}: ${extract}`)
  }
})

await Effect.runPromise(Effect.provide(program, Memory.layer()))
