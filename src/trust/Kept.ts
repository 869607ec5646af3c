/**
 * Findings of one text, of which no more than so many are kept: of too many the strong ones, and of those that count as much
 * the first. However many are made, no more than four times as many as are kept are held at once.
 */

/** What is told apart of a finding: how much it counts, and where it stands. */
interface Placed {
  readonly strength: "weak" | "strong"
  readonly start: number
  readonly end: number
}

/** Takes findings in any order. Those that stand in the same place stay in the order in which they were added. */
export class Kept<Finding extends Placed> {
  readonly #most: number
  /** The first to be added: all there are, while there are not too many. */
  readonly #added: Array<Finding> = []
  readonly #strong: First<Finding>
  readonly #weak: First<Finding>
  #count = 0

  constructor(most: number) {
    this.#most = most
    this.#strong = new First(most)
    this.#weak = new First(most)
  }

  readonly add = (finding: Finding): void => {
    if (this.#count++ < this.#most) this.#added.push(finding)
    if (finding.strength === "strong") this.#strong.add(finding)
    else this.#weak.add(finding)
  }

  /** Those that are kept, in the order of their places. */
  all(): ReadonlyArray<Finding> {
    if (this.#count <= this.#most) return this.#added.toSorted(inOrder)
    return [...this.#strong.all(), ...this.#weak.all()].slice(0, this.#most).toSorted(inOrder)
  }
}

// internal

const inOrder = (a: Placed, b: Placed) => a.start - b.start || a.end - b.end

/** The first of what is added, by place. */
class First<Finding extends Placed> {
  readonly #most: number
  #held: Array<Finding> = []
  /** What comes after this is not among the first. */
  #last: Finding | undefined

  constructor(most: number) {
    this.#most = most
  }

  add(finding: Finding): void {
    if (this.#last !== undefined && inOrder(finding, this.#last) >= 0) return
    this.#held.push(finding)
    if (this.#held.length < 2 * this.#most) return
    this.#held = this.all()
    this.#last = this.#held.at(-1)
  }

  all(): Array<Finding> {
    return this.#held.toSorted(inOrder).slice(0, this.#most)
  }
}
