/** What the verifier says of acts that name a consent: a chain may hold in itself and still tell of an act nobody allowed. */
import { assert, describe, it } from "@effect/vitest"
import { type Finding, Installation, type Row, Verify } from "../../src/audit/index.ts"
import { Claims } from "../../src/capability/index.ts"
import { hashOf, keys, tools, Writer } from "./worlds.ts"

const [one, two] = [Claims.SessionId.make("one"), Claims.SessionId.make("two")]

/** Two sessions and the installation's chain, as the runtime writes them. */
const log = () => {
  const writer = new Writer()
  for (const id of [one, two, Installation.id]) writer.open(id, null)
  const say = (id: Claims.SessionId, body: Row.Body) => writer.append(id, body.kind === "intent" ? "#0" : null, body)
  const filed = (id: Claims.SessionId, ticket: string) =>
    say(id, {
      kind: "proposed",
      act: "refund",
      ticket,
      binding: hashOf(ticket),
      shown: hashOf("shown"),
      args: hashOf("args")
    })
  const decided = (id: Claims.SessionId, ticket: string, decision: "approved" | "denied" | "expired", by = "ada") =>
    say(id, { kind: "decided", ticket, decision, by, reason: "" })
  const acted = (id: Claims.SessionId, consent: { readonly ticket?: string; readonly rule?: [string, number] }) => {
    say(id, {
      kind: "intent",
      act: "refund",
      capabilities: [],
      token: Claims.TokenId.make("tok"),
      schema: hashOf("schema"),
      args: hashOf("args"),
      argsPreview: "",
      reservedMicroUsd: 0,
      ticket: consent.ticket ?? null,
      ...(consent.rule === undefined ? {} : { rule: { id: consent.rule[0], use: consent.rule[1] } })
    })
    return (writer.held.get(id)?.seq ?? 0) - 1
  }
  const ruled = (rule: string, what: "made" | "approved" | "revoked", uses: number, expiresAt = 9_000_000_000_000) =>
    say(Installation.id, {
      kind: "ruled",
      rule,
      what,
      by: "ada",
      reason: "",
      terms: hashOf("terms"),
      maxUses: 2,
      expiresAt,
      uses
    })
  return { writer, filed, decided, acted, ruled }
}

const findings = (writer: Writer, terms: Partial<Verify.Terms> = {}): ReadonlyArray<Finding.Finding> => {
  const world = writer.world()
  return Verify.all(tools, { ...world, payloads: null, sessions: [...world.held.values()], keys, ...terms }).findings
}

const told = (writer: Writer, terms: Partial<Verify.Terms> = {}) =>
  findings(writer, terms).map(({ kind, seq, session }) => [kind, session, seq])

describe("the consent of an act", () => {
  it("holds where people gave it", () => {
    const { acted, decided, filed, ruled, writer } = log()
    filed(one, "T1")
    decided(one, "T1", "approved")
    decided(one, "T1", "approved", "grace")
    acted(one, { ticket: "T1" })
    ruled("R1", "made", 0)
    ruled("R1", "approved", 0)
    acted(one, { rule: ["R1", 1] })
    acted(two, { rule: ["R1", 2] })
    ruled("R1", "revoked", 2)
    acted(two, {})
    assert.deepStrictEqual(findings(writer), [])
  })

  for (
    const [name, decisions] of Object.entries<ReadonlyArray<"approved" | "denied" | "expired">>({
      "nobody decided about": [],
      "was denied": ["denied"],
      "was approved and then denied": ["approved", "denied"],
      "ran out of time": ["approved", "expired"]
    })
  ) {
    it(`does not hold by a ticket that ${name}`, () => {
      const { acted, decided, filed, writer } = log()
      filed(one, "T1")
      for (const decision of decisions) decided(one, "T1", decision)
      const seq = acted(one, { ticket: "T1" })
      assert.deepStrictEqual(told(writer), [["unauthorised", one, seq]])
    })
  }

  it("does not hold by a ticket that was used, or of another session", () => {
    const { acted, decided, filed, writer } = log()
    filed(one, "T1")
    decided(one, "T1", "approved")
    acted(one, { ticket: "T1" })
    const again = acted(one, { ticket: "T1" })
    const elsewhere = acted(two, { ticket: "T1" })
    assert.deepStrictEqual(told(writer), [["unauthorised", one, again], ["unauthorised", two, elsewhere]])
  })

  it("holds for one more try of a lost attempt, and for no more", () => {
    const { acted, decided, filed, writer } = log()
    filed(one, "T1")
    decided(one, "T1", "approved")
    const lost = acted(one, { ticket: "T1" })
    writer.append(one, "#0", {
      kind: "settled",
      act: "refund",
      intent: lost,
      choice: "retry",
      from: "operator",
      by: "ada",
      reason: "nothing arrived",
      args: hashOf("args"),
      result: null,
      costMicroUsd: 0
    })
    acted(one, { ticket: "T1" })
    assert.deepStrictEqual(findings(writer), [])
    const third = acted(one, { ticket: "T1" })
    assert.deepStrictEqual(told(writer), [["unauthorised", one, third]])
  })

  it("does not hold by a rule that nobody made, or that another chain made up", () => {
    const { acted, writer } = log()
    const body = { kind: "ruled", rule: "R1", what: "made", by: "mallory", reason: "", terms: hashOf("") } as const
    writer.append(one, null, { ...body, maxUses: 9, expiresAt: 9_000_000_000_000, uses: 0 })
    const seq = acted(one, { rule: ["R1", 1] })
    assert.deepStrictEqual(told(writer), [["unauthorised", one, seq]])
  })

  it("does not hold by a use too many, by one use twice, nor after a revocation", () => {
    const { acted, ruled, writer } = log()
    for (const rule of ["R1", "R2", "R3"]) ruled(rule, "made", 0)
    acted(one, { rule: ["R1", 1] })
    const twice = acted(two, { rule: ["R1", 1] })
    assert.deepStrictEqual(told(writer), [["unauthorised", two, twice]])

    const many = log()
    many.ruled("R1", "made", 0)
    const third = many.acted(one, { rule: ["R1", 3] })
    assert.deepStrictEqual(told(many.writer), [["unauthorised", one, third]])

    const late = log()
    late.ruled("R1", "made", 0)
    late.acted(one, { rule: ["R1", 1] })
    late.ruled("R1", "revoked", 1)
    const revoked = late.acted(two, { rule: ["R1", 2] })
    assert.deepStrictEqual(told(late.writer), [["unauthorised", two, revoked]])
  })

  it("does not hold by a rule that was out of time", () => {
    const { acted, ruled, writer } = log()
    ruled("R1", "made", 0, 1)
    const seq = acted(one, { rule: ["R1", 1] })
    assert.deepStrictEqual(told(writer), [["unauthorised", one, seq]])
  })

  it("is looked for where the installation's chain is there, or should be", () => {
    const { acted, writer } = log()
    acted(one, { rule: ["R1", 1] })
    for (const all of [writer.rows, writer.held]) all.delete(Installation.id)
    assert.lengthOf(told(writer), 1)
    // In a bundle of chosen sessions it may have been left out, as the report says.
    assert.deepStrictEqual(told(writer, { isComplete: false }), [])
  })
})
