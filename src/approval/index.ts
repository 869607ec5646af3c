/** Approvals: tickets for what cannot be undone, and the rules people decide by. */
export * as Gate from "./Gate.ts"
export * as Person from "./Person.ts"
export * as Policy from "./Policy.ts"
export * as Rule from "./Rule.ts"
export * as Ticket from "./Ticket.ts"
