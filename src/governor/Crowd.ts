/** How many sessions there are below others: what bounds the starting of one more. */
import type { Log } from "../audit/index.ts"
import type { Claims } from "../capability/index.ts"

/** Counts by session. A store that loaded none has none that are of use. */
export interface Crowd {
  /** Children that a session has ever had. */
  readonly children: Map<string, number>
  /** Sessions of a tree that have not ended, its root not counted. */
  readonly live: Map<string, number>
}

/** A session changed, or was opened if there was none before. */
export const count = (
  crowd: Crowd,
  root: string,
  { after, before }: { readonly before: Log.Summary | undefined; readonly after: Log.Summary }
): void => {
  if (after.parent === null) return
  if (before === undefined) crowd.children.set(after.parent, (crowd.children.get(after.parent) ?? 0) + 1)
  const change = Number(isLive(after)) - Number(isLive(before))
  crowd.live.set(root, (crowd.live.get(root) ?? 0) + change)
}

/** Why the parent may have no further child, if it may not. */
export const full = (
  crowd: Crowd,
  { parent, root }: { readonly parent: string; readonly root: string },
  bounds: Claims.FanOut
): string | undefined => {
  const children = crowd.children.get(parent) ?? 0
  if (children >= bounds.children) return `session ${parent} has had ${children} children, and may have no more`
  const live = crowd.live.get(root) ?? 0
  if (live < bounds.descendants) return undefined
  return `${live} sessions below ${root} have not ended, and no more may be started`
}

// internal

const isLive = (session: Log.Summary | undefined): boolean =>
  session?.status === "running" || session?.status === "waiting" || session?.status === "paused"
