/** Proposals: what agents end with, for people to decide about, and what other models say of them. */
export * as Opinion from "./Opinion.ts"
export * as Proposal from "./Proposal.ts"
