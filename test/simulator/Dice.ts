/**
 * The one source of chance of a simulation: everything that could have gone one way or another asks here, in an order that
 * depends on nothing else. The same seed gives the same answers.
 */

/** Chance, from a seed. */
export class Dice {
  #a: number
  #b: number
  #c: number
  #count = 1

  constructor(seed: number) {
    this.#a = 0
    this.#b = Math.floor(seed / 0x1_0000_0000) | 0
    this.#c = seed | 0
    // Neighbouring seeds are far apart after a few turns.
    for (let turn = 0; turn < 16; turn++) this.next()
  }

  /** From 0 up to, and without, 1. */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#count) | 0
    this.#count = (this.#count + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return (sum >>> 0) / 0x1_0000_0000
  }

  /** A whole number from 0 up to, and without, `count`. */
  below(count: number): number {
    return Math.floor(this.next() * count)
  }

  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  /** Whether something happens that happens this often, from 0 to 1. */
  happens(chance: number): boolean {
    // Nothing is drawn for what never happens: a fault that is switched off leaves no trace.
    return chance > 0 && this.next() < chance
  }

  /** One of them; there must be one. */
  pick<A>(list: ReadonlyArray<A>): A {
    return list[this.below(list.length)] as A // `below` stays within the list.
  }

  /** So many bytes. */
  bytes(size: number): Uint8Array {
    return Uint8Array.from({ length: size }, () => this.below(256))
  }
}
