/** Delegation only shrinks: in every claim, on every step of every chain, whatever is asked for. */
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { type Capability, Claims } from "../../src/capability/index.ts"
import { concretes, grants, patterns } from "./model.ts"

/** Random numbers in [0, 1) that are the same in every run. */
const generator = (seed: number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const random = generator(20_260_714)
const below = (bound: number) => Math.floor(random() * bound)
const oneOf = <A>(all: ReadonlyArray<A>): A => {
  const one = all[below(all.length)]
  return one ?? assert.fail("there is none to choose")
}
const someOf = <A>(all: ReadonlyArray<A>, most: number) =>
  Array.from({ length: all.length === 0 ? 0 : below(most + 1) }, () => oneOf(all))
const maybe = <A>(make: () => A): A | undefined => random() < 0.4 ? undefined : make()

const backends = ["ollama", "anthropic", "openai", "bedrock", "gemini"]
/** Numbers that an honest caller would not ask for. */
const strange = [NaN, Infinity, -Infinity, -1, -0, 0, 0.5, 1e300, Number.MAX_SAFE_INTEGER, -1e300, 2 ** 53]
const number = (most: number) => random() < 0.2 ? oneOf(strange) : below(most)
/** Names that type-check and are none. */
const forged: ReadonlyArray<Capability.Name> = [
  "memory:x@a/../b",
  "memory:x@..",
  "tool:x@*a*",
  "tool:x@a@b",
  "tool:x@",
  "tool:*",
  "tool:x\n"
]
const anyName = () => random() < 0.1 ? oneOf(forged) : oneOf(patterns)

const limitNames = ["cpuMs", "memoryMiB", "outputBytes", "wallMs"] as const
/** A token that leaves them out has the standard ones. */
const fanOutNames = ["children", "descendants"] as const
let tokens = 0
const nextId = () => Claims.TokenId.make(`token-${tokens++}`)

const fanOut = () => Object.fromEntries(fanOutNames.flatMap((name) => random() < 0.3 ? [] : [[name, below(400)]]))

const root = (): Claims.Claims => ({
  iss: "aosiq",
  aud: "aosiq",
  sub: "Root",
  sid: Claims.SessionId.make("session"),
  jti: nextId(),
  anc: [],
  iat: below(1000),
  exp: 1000 + below(10_000),
  depth: below(7),
  capabilities: someOf(patterns, 5),
  backends: someOf(backends, 4),
  budget: below(1_000_000),
  limits: { cpuMs: below(1000), memoryMiB: below(1000), outputBytes: below(1000), wallMs: below(1000), ...fanOut() }
})

const ask = (parent: Claims.Claims): Claims.Ask => ({
  sub: "Child",
  sid: Claims.SessionId.make(`session-${tokens}`),
  jti: nextId(),
  iat: below(2000),
  exp: maybe(() => number(20_000)),
  depth: maybe(() => number(10)),
  capabilities: maybe(() => [
    ...Array.from({ length: below(4) }, anyName),
    // What the parent holds, or a little more or less of it, so that the two often meet.
    ...someOf(parent.capabilities, 2),
    ...someOf(parent.capabilities, 2).map((name): Capability.Name => name.endsWith("*") ? name : `${name}*`)
  ]),
  backends: maybe(() => [...someOf([...backends, "", "*"], 4), ...someOf(parent.backends, 2)].filter(Boolean)),
  budget: maybe(() => number(2_000_000)),
  limits: maybe(() =>
    Object.fromEntries(
      [...limitNames, ...fanOutNames].flatMap((name) => random() < 0.5 ? [] : [[name, number(2000)]])
    )
  )
})

/** What a pattern grants, worked out once. */
const granted = new Map(patterns.map((held) => [held, new Set(concretes.filter((thing) => grants(held, thing)))]))
const samples = 8

/** The first claim with a ceiling, or a list, that is not within the parent's. */
const exceeded = (child: Claims.Claims, parent: Claims.Claims): string | undefined => {
  if (child.iss !== parent.iss || child.aud !== parent.aud || child.iat < parent.iat) return "identity"
  for (const ceiling of ["exp", "depth", "budget"] as const) if (!(child[ceiling] <= parent[ceiling])) return ceiling
  for (const ceiling of limitNames) if (!(child.limits[ceiling] <= parent.limits[ceiling])) return ceiling
  const [below, above] = [Claims.fanOut(child.limits), Claims.fanOut(parent.limits)]
  for (const name of fanOutNames) if (!(below[name] <= above[name])) return name
  if (!child.backends.every((name) => parent.backends.includes(name))) return "backends"
  return undefined
}

/** Why `child` may do what `parent` may not; `undefined` when it may not. */
const excess = (child: Claims.Claims, parent: Claims.Claims): string | undefined => {
  const ceiling = exceeded(child, parent)
  if (ceiling !== undefined) return ceiling
  if (!child.capabilities.every((name) => Claims.admits(parent, name))) return "capabilities"
  if (Claims.admits(child, oneOf(forged))) return "a name that is none"
  for (const thing of someOf(concretes, samples)) {
    if (!Claims.admits(child, thing)) continue
    const isGranted = parent.capabilities.some((held) => granted.get(held)?.has(thing))
    if (!isGranted || !Claims.admits(parent, thing)) return thing
  }
  return undefined
}

const isDecodable = (claims: Claims.Claims) =>
  Result.isSuccess(Schema.decodeUnknownResult(Claims.Claims, { onExcessProperty: "error" })(claims))

describe("any delegation", () => {
  it("never makes a child that is wider than its parent or its root: 100,000 delegations, in chains", () => {
    const seen = { children: 0, exhausted: 0, able: 0, deepest: 0 }
    while (seen.children < 100_000) {
      const top = root()
      let parent = top
      for (;;) {
        const asked = ask(parent)
        const made = Claims.narrow(parent, asked)
        if (Result.isFailure(made)) {
          assert.strictEqual(parent.depth, 0)
          assert.strictEqual(made.failure.parent, parent.jti)
          seen.exhausted++
          break
        }
        const child = made.success
        if (child.depth >= parent.depth) assert.fail("the depth did not shrink")
        if (child.anc.join() !== [...parent.anc, parent.jti].join()) {
          assert.fail("the ancestors are not the parent's and it")
        }
        if (child.sid !== asked.sid || child.jti !== asked.jti) assert.fail("the child is not the one asked for")
        for (const above of [parent, top]) {
          const wider = excess(child, above)
          if (wider !== undefined) assert.fail(`${wider}: ${JSON.stringify({ above, asked, child })}`)
        }
        if (seen.children % 20 === 0) {
          assert.isTrue(isDecodable(child), JSON.stringify(child))
          if (concretes.some((thing) => Claims.admits(child, thing))) seen.able++
        }
        seen.children++
        seen.deepest = Math.max(seen.deepest, child.anc.length)
        parent = child
      }
    }
    // The generator is of use only while many children may still do something: here, of the 5,000 that were looked at.
    assert.isAbove(seen.able, 1500)
    assert.isAbove(seen.exhausted, 1000)
    assert.isAtLeast(seen.deepest, 5)
  }, 120_000)
})

describe("narrow", () => {
  const parent: Claims.Claims = {
    ...root(),
    iat: 1000,
    exp: 5000,
    depth: 3,
    capabilities: ["memory:read@notes/*", "tool:query"],
    backends: ["ollama", "openai"],
    budget: 100,
    limits: { cpuMs: 10, memoryMiB: 20, outputBytes: 30, wallMs: 40, children: 5, descendants: 50 }
  }
  const asking = (more: Partial<Claims.Ask>) =>
    Result.getOrThrow(Claims.narrow(parent, {
      sub: "Child",
      sid: Claims.SessionId.make("child"),
      jti: nextId(),
      iat: 2000,
      ...more
    }))

  it("gives all of the parent to a child that asks for nothing in particular, but one step of depth", () => {
    const child = asking({})
    assert.deepStrictEqual(
      { ...child, sub: parent.sub, sid: parent.sid, jti: parent.jti, anc: parent.anc, iat: parent.iat },
      { ...parent, depth: 2 }
    )
    assert.strictEqual(child.iat, 2000)
    assert.strictEqual(asking({ iat: 1 }).iat, 1000)
  })

  it("gives what is asked for where the parent has it", () => {
    const child = asking({
      exp: 4000,
      depth: 1,
      capabilities: ["memory:read@notes/a", "memory:read@*", "tool:query@replica", "tool:other"],
      backends: ["openai", "bedrock"],
      budget: 7.9,
      limits: { cpuMs: 5, wallMs: 400, children: 9, descendants: 9 }
    })
    assert.deepStrictEqual(child.capabilities, ["memory:read@notes/a", "memory:read@notes/*", "tool:query@replica"])
    assert.deepStrictEqual(child.backends, ["openai"])
    assert.deepStrictEqual([child.exp, child.depth, child.budget], [4000, 1, 7])
    assert.deepStrictEqual(child.limits, {
      cpuMs: 5,
      memoryMiB: 20,
      outputBytes: 30,
      wallMs: 40,
      children: 5,
      descendants: 9
    })
  })

  it("gives nothing for a ceiling that is none", () => {
    for (const odd of [NaN, Infinity, -Infinity, -1]) {
      const child = asking({ exp: odd, depth: odd, budget: odd, limits: { cpuMs: odd } })
      assert.deepStrictEqual([child.exp, child.depth, child.budget, child.limits.cpuMs], [0, 0, 0, 0])
    }
  })

  it("gives no name that is none, though the parent's pattern would match it", () => {
    assert.deepStrictEqual(
      asking({ capabilities: ["memory:read@notes/../secrets", "tool:query@a b"] }).capabilities,
      []
    )
  })

  it("makes no child of a parent that may not delegate", () => {
    const last = { ...parent, depth: 0 }
    const made = Claims.narrow(last, { sub: "Child", sid: parent.sid, jti: nextId(), iat: 2000 })
    assert.isTrue(Result.isFailure(made))
    if (Result.isFailure(made)) assert.strictEqual(made.failure.parent, last.jti)
  })
})

describe("admits", () => {
  it("asks whether any one capability covers what is wanted", () => {
    const claims = { ...root(), capabilities: ["tool:x@a*", "tool:x@b"] } as const
    assert.isTrue(Claims.admits(claims, "tool:x@ab"))
    assert.isTrue(Claims.admits(claims, "tool:x@b"))
    assert.isFalse(Claims.admits(claims, "tool:x@c"))
    assert.isFalse(Claims.admits(claims, "tool:x"))
    assert.isFalse(Claims.admits({ ...claims, capabilities: [] }, "tool:x@b"))
  })
})
