/**
 * How bad things are: how often each kind of fault happens, and how long things take. Each seed draws its own, with many
 * kinds switched off, so that a fault meets calm surroundings in one seed and all the others in the next.
 */
import type { Dice } from "./Dice.ts"

/** Rates from 0 to 1; durations in milliseconds. */
export interface Weather {
  /** At each boundary of a process. */
  readonly dies: number
  readonly freezes: number
  /** How long a dead process stays away, and a frozen one asleep, at the most. */
  readonly awayMs: number
  readonly asleepMs: number
  /** A commit that the database takes back and says so. */
  readonly refused: number
  /** A commit whose answer is lost, that was taken. */
  readonly answerLost: number
  /** A commit whose answer is lost, that was not taken. */
  readonly requestLost: number
  /** A commit that is taken after its answer was lost. */
  readonly late: number
  /** A commit that takes seconds. */
  readonly slow: number
  /** A look at the database that fails. */
  readonly unread: number
  /** One way to the database or to another process, at the most. */
  readonly latencyMs: number
  /** A message that cannot be sent; that is sent although its sender is told otherwise. */
  readonly unsent: number
  readonly sentAndDenied: number
  /** A message that is handled once more after it was. */
  readonly again: number
  /** A message that is held back for seconds. */
  readonly held: number
  /** A message whose answer was forgotten, so that it is a new one when it is sent again. */
  readonly forgotten: number
  /** A shard that two processes believe to have, each second. */
  readonly split: number
  /** A shard that moves without need, each second. */
  readonly moved: number
  /** A process that does not notice that a shard was taken from it. */
  readonly unnoticed: number
  /** By how much clocks are wrong at the most, and how often one is set, each second. */
  readonly skewMs: number
  readonly clockSet: number
  /** A handler that takes very long, that fails, that breaks down. */
  readonly toolSlow: number
  readonly toolFails: number
  readonly toolBreaks: number
}

/** Nothing goes wrong. */
export const calm: Weather = {
  dies: 0,
  freezes: 0,
  awayMs: 1000,
  asleepMs: 1000,
  refused: 0,
  answerLost: 0,
  requestLost: 0,
  late: 0,
  slow: 0,
  unread: 0,
  latencyMs: 5,
  unsent: 0,
  sentAndDenied: 0,
  again: 0,
  held: 0,
  forgotten: 0,
  split: 0,
  moved: 0,
  unnoticed: 0,
  skewMs: 0,
  clockSet: 0,
  toolSlow: 0,
  toolFails: 0,
  toolBreaks: 0
}

/** The weather of a seed. */
export const drawn = (dice: Dice): Weather => {
  /** A few seeds have storms, in which rates are high; in the others small ones are likelier. */
  const power = dice.pick([0.5, 2, 2, 2])
  /** Off more often than not; else anything up to `most`. */
  const rate = (most: number) => dice.happens(0.55) ? 0 : most * dice.next() ** power
  return {
    dies: rate(0.03),
    freezes: rate(0.02),
    awayMs: dice.pick([500, 5000, 20_000]),
    asleepMs: dice.pick([2000, 10_000, 40_000]),
    refused: rate(0.1),
    answerLost: rate(0.05),
    requestLost: rate(0.05),
    late: rate(0.05),
    slow: rate(0.05),
    unread: rate(0.05),
    latencyMs: dice.pick([2, 10, 80, 400]),
    unsent: rate(0.1),
    sentAndDenied: rate(0.1),
    again: rate(0.3),
    held: rate(0.3),
    forgotten: rate(0.5),
    split: rate(0.2),
    moved: rate(0.1),
    unnoticed: dice.pick([0, 0.5, 1]),
    // Tokens tolerate clocks that differ by five seconds; in a few seeds they differ by more, and tokens are refused.
    skewMs: dice.happens(0.5) ? 0 : dice.happens(0.1) ? 60_000 : 2400,
    clockSet: rate(0.2),
    toolSlow: rate(0.2),
    toolFails: rate(0.2),
    toolBreaks: rate(0.05)
  }
}
