/** What must be loaded before a commit is applied. */
import { Installation } from "../audit/index.ts"
import type { Claims } from "../capability/index.ts"
import * as State from "./State.ts"
import type { Commit, RecordKey } from "./Store.ts"
import { isOver, type Of, rootOf } from "./Workspace.ts"

/** What must be loaded, locked, before `apply`. */
export interface Reads extends State.Reads {
  readonly sessions: ReadonlyArray<string>
  readonly accounts: ReadonlyArray<string>
  readonly tickets: ReadonlyArray<string>
  readonly tokens: ReadonlyArray<string>
  /** Acts by key, with the accounts they draw on. */
  readonly acts: ReadonlyArray<{ readonly session: string; readonly key: string }>
  /** Sessions whose running acts are needed, with the tickets and accounts those name. */
  readonly whole: ReadonlyArray<string>
  /** Roots whose trees are needed: every session, with its open tickets. */
  readonly trees: ReadonlyArray<string>
  readonly records: ReadonlyArray<RecordKey>
  /** Sessions whose children are counted, and those of their trees that live. */
  readonly parents: ReadonlyArray<Claims.SessionId>
  /** Sessions whose denied tickets are needed. */
  readonly denied: ReadonlyArray<string>
  /** Roots of trees of sessions whose waiting tickets are needed. */
  readonly pending: ReadonlyArray<string>
  readonly rules: ReadonlyArray<string>
}

/** What `commit` needs to see. */
export const reads = (commit: Commit): Reads => {
  switch (commit._tag) {
    case "Open":
      // The root is held as well, so that no two sessions of a tree count what lives at the same moment.
      return {
        ...nothing,
        sessions: [
          commit.session.id,
          ...above(commit).flatMap((parent) => [parent, rootOf(parent)]),
          ...commit.origin === undefined ? [] : [commit.origin.session]
        ],
        parents: above(commit),
        accounts: commit.accounts.map((account) => account.id)
      }
    case "Claim":
      return { ...nothing, sessions: [commit.session], whole: [commit.session] }
    case "Begin":
      return {
        ...nothing,
        sessions: [commit.session],
        accounts: commit.accounts,
        tokens: commit.tokens,
        tickets: commit.ticket === null ? [] : [commit.ticket.id],
        denied: commit.ticket === null && commit.rule === undefined ? [] : [commit.session],
        rules: commit.rule === undefined ? [] : [commit.rule.id],
        acts: [commit.key, ...(commit.after === null ? [] : [commit.after])]
          .map((key) => ({ session: commit.session, key }))
      }
    case "Finish":
      return {
        ...nothing,
        ...State.reads(commit),
        sessions: [commit.session],
        acts: [{ session: commit.session, key: commit.key }]
      }
    case "Checkpoint":
      return { ...nothing, ...State.reads(commit), sessions: [commit.session] }
    case "Settle":
      return {
        ...nothing,
        sessions: [commit.session, rootOf(commit.session)],
        acts: [{ session: commit.session, key: commit.key }]
      }
    case "Append": {
      const { keep: records = [], session, status, wakeAt } = commit
      // Who ends ends all below; who waits has its root woken.
      if (status !== null && isOver(status)) {
        return { ...nothing, sessions: [session], trees: [rootOf(session)], records }
      }
      return { ...nothing, sessions: wakeAt === undefined ? [session] : [session, rootOf(session)], records }
    }
    case "Revoke":
      return { ...nothing, sessions: [commit.session] }
    case "Propose":
      // The root is held as well, so that no two sessions of a tree count what waits at the same moment.
      return {
        ...nothing,
        sessions: [commit.session, rootOf(commit.session)],
        tickets: [commit.ticket.id],
        denied: [commit.session],
        pending: [rootOf(commit.session)]
      }
    case "Decide":
    case "Expire":
      return { ...nothing, sessions: [commit.session, rootOf(commit.session)], tickets: [commit.ticket] }
    case "MakeRule":
    case "ApproveRule":
    case "RevokeRule":
      return { ...nothing, sessions: [Installation.id], rules: [commit.rule] }
    case "Control":
      return { ...nothing, sessions: [commit.session], trees: [rootOf(commit.session)] }
  }
}

// internal

const nothing: Reads = {
  ...State.nothing,
  sessions: [],
  accounts: [],
  tickets: [],
  tokens: [],
  acts: [],
  whole: [],
  trees: [],
  records: [],
  parents: [],
  denied: [],
  pending: [],
  rules: []
}

/** The session above the one to open. */
const above = ({ session: { parent } }: Of<"Open">): ReadonlyArray<Claims.SessionId> => parent === null ? [] : [parent]
