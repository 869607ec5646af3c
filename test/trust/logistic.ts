/** A line between two kinds of texts: logistic regression with a square penalty, by L-BFGS. No chance is in it. */

/** The features of a text, each there or not, what their sum is multiplied by, and how much the text counts. */
export interface Example {
  readonly features: Int32Array
  readonly factor: number
  readonly isAttack: boolean
  readonly count: number
}

/** Weights by feature, the last the bias. `scales` says how far a weight may go for the same penalty. */
export const fit = (
  examples: ReadonlyArray<Example>,
  scales: Float64Array,
  { penalty, rounds }: { readonly penalty: number; readonly rounds: number }
): Float64Array => {
  const size = scales.length
  const loss = (x: Float64Array, gradient: Float64Array): number => {
    gradient.fill(0)
    let sum = 0
    for (const { count, factor, features, isAttack } of examples) {
      let score = 0
      for (const one of features) score += (x[one] ?? 0) * (scales[one] ?? 0)
      score = score * factor + (x[size] ?? 0)
      const wrong = isAttack ? -score : score
      sum += count * (wrong > 30 ? wrong : Math.log1p(Math.exp(wrong)))
      const slope = count * (1 / (1 + Math.exp(-score)) - (isAttack ? 1 : 0))
      gradient[size] = (gradient[size] ?? 0) + slope
      for (const one of features) gradient[one] = (gradient[one] ?? 0) + slope * factor * (scales[one] ?? 0)
    }
    for (let one = 0; one < size; one++) {
      const weight = x[one] ?? 0
      sum += penalty / 2 * weight * weight
      gradient[one] = (gradient[one] ?? 0) + penalty * weight
    }
    return sum
  }
  const x = descend(new Float64Array(size + 1), loss, rounds)
  return x.map((weight, one) => one === size ? weight : weight * (scales[one] ?? 0))
}

// internal

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0)
const plus = (a: Float64Array, factor: number, b: Float64Array) => a.map((value, at) => value + factor * (b[at] ?? 0))
/** Steps that are remembered. */
const memory = 8

/** Source: J. Nocedal, Updating Quasi-Newton Matrices with Limited Storage, Mathematics of Computation 35 (1980). */
const descend = (
  start: Float64Array,
  loss: (x: Float64Array, gradient: Float64Array) => number,
  rounds: number
): Float64Array => {
  let x = start
  let gradient = new Float64Array(x.length)
  let value = loss(x, gradient)
  const past: Array<{ readonly step: Float64Array; readonly turn: Float64Array; readonly product: number }> = []
  for (let round = 0; round < rounds; round++) {
    const direction = toward(gradient, past)
    const slope = dot(gradient, direction)
    let length = round === 0 ? 1 / Math.sqrt(Math.max(1e-12, dot(gradient, gradient))) : 1
    let next = x
    let there = new Float64Array(x.length)
    let reached = value
    for (let tries = 0; tries < 20; tries++, length /= 2) {
      next = plus(x, -length, direction)
      reached = loss(next, there)
      if (reached <= value - 1e-4 * length * slope) break
    }
    const step = plus(next, -1, x)
    const turn = plus(there, -1, gradient)
    const product = dot(step, turn)
    if (product > 1e-12) past.push({ step, turn, product })
    if (past.length > memory) past.shift()
    const isDone = Math.abs(value - reached) < 1e-6 * Math.abs(value)
    x = next
    gradient = there
    there = new Float64Array(x.length)
    value = reached
    if (isDone) break
  }
  return x
}
const toward = (
  gradient: Float64Array,
  past: ReadonlyArray<{ readonly step: Float64Array; readonly turn: Float64Array; readonly product: number }>
): Float64Array => {
  let direction = Float64Array.from(gradient)
  const parts = past.toReversed().map((one) => {
    const part = dot(one.step, direction) / one.product
    direction = plus(direction, -part, one.turn)
    return part
  }).toReversed()
  const last = past.at(-1)
  if (last !== undefined) {
    const scale = last.product / dot(last.turn, last.turn)
    direction = direction.map((value) => value * scale)
  }
  for (const [at, one] of past.entries()) {
    direction = plus(direction, (parts[at] ?? 0) - dot(one.turn, direction) / one.product, one.step)
  }
  return direction
}
