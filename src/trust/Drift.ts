/**
 * How far a session has moved from what it was asked for, over many results: each may be harmless, and all of them together
 * a course that somebody else set. Two things are watched, what the actor asks for against the words of its goal, and how
 * much of what it reads tells it what to do. What goes beyond the session's own beginning adds up; what comes back takes
 * it down again. Telemetry, like what it is made from: a low score permits nothing.
 *
 * Source: E. S. Page, Continuous Inspection Schemes, Biometrika 41 (1954), for the sum.
 */
import { Schema } from "effect"
import type * as Detect from "./Detect.ts"
import * as Plainly from "./Plainly.ts"

/** The course of one session so far: JSON, so that it can be kept with its state. */
export const Course = Schema.Struct({
  /** Content words of the goal, and of what was asked for while the beginning was measured. */
  known: Schema.Array(Schema.String),
  /** Content words of what was asked for since, that are not known. */
  lately: Schema.Array(Schema.String),
  /** Steps so far, since the beginning or since it was accepted. */
  steps: Schema.Natural,
  /** What a step of the beginning came to, from 0 to 2. */
  usual: Schema.Finite,
  /** The sum, from 0 on. */
  score: Schema.Finite
})
export type Course = typeof Course.Type

/** One step: what the actor asked for, and what it was given. */
export interface Step {
  readonly asked: string
  /** What detectors found in what it was given. */
  readonly read: ReadonlyArray<Pick<Detect.Finding, "strength">>
}

/** Score from which people should look. */
export const threshold = 1.5

/** The beginning of a session with a goal. */
export const begin = (goal: string): Course => ({
  known: contentOf(goal),
  lately: [],
  steps: 0,
  usual: 0,
  score: 0
})

/** The same course once a person has looked at it: what it came to belongs to the goal, and its beginning is ahead. */
export const accept = (course: Course): Course => ({
  known: [...new Set([...course.lately, ...course.known])].slice(0, maxKnown),
  lately: [],
  steps: 0,
  usual: 0,
  score: 0
})

/** The course after one more step. */
export const next = (course: Course, step: Step): Course => {
  const asked = contentOf(step.asked)
  const known = new Set(course.known)
  const distance = asked.length === 0 ? 0 : asked.filter((word) => !known.has(word)).length / asked.length
  const here = distance + pressureOf(step.read)
  const steps = course.steps + 1
  if (steps <= beginning) {
    const usual = course.usual + (Math.min(here, 1) - course.usual) / steps
    // What the beginning asks for belongs to the goal; what it reads does not: that may be the attack.
    const words = [...new Set([...course.known, ...asked])].slice(0, maxKnown)
    return { known: words, lately: course.lately, steps, usual, score: 0 }
  }
  const lately = [...new Set([...course.lately, ...asked.filter((word) => !known.has(word))])].slice(-maxKnown)
  return { ...course, lately, steps, score: Math.max(0, course.score + here - course.usual - slack) }
}

/** Whether people should look before the session goes on. */
export const isBeyond = (course: Course): boolean => course.score >= threshold

// internal

/** Steps that say what is usual in a session. */
const beginning = 3
/** What a step may be above the usual without adding to the sum. */
const slack = 0.25
/** Words of a goal that are kept. */
const maxKnown = 512
/** Letters from which a word says what a text is about. */
const minContent = 4

const contentOf = (text: string): ReadonlyArray<string> =>
  [...new Set(Plainly.read(text).words.map((word) => word.text).filter(({ length }) => length >= minContent))]
    .slice(0, maxKnown)

/** How much a text instructs, from 0 to 1. */
const pressureOf = (found: Step["read"]): number =>
  Math.min(1, found.reduce((sum, { strength }) => sum + (strength === "strong" ? 0.5 : 0.125), 0))
