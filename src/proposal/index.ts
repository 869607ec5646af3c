/** Proposals: what agents end with, for people to decide about. */
export * as Proposal from "./Proposal.ts"
