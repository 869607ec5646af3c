/** What readers of the definition are told beside it: what each operation does, in a line, and how a token is shown. */
import { Predicate } from "effect"

/** By the id of the operation. */
export const summaries: { readonly [operation: string]: string } = {
  "system.health": "Says that the server is there",
  "system.ready": "Says whether the server can work: the log answers, and sessions run",
  "agents.list": "Lists the actors that can be dispatched, with the schema of what each takes",
  "sessions.list": "Lists sessions, the oldest first",
  "sessions.dispatch": "Starts a session of an actor",
  "sessions.status": "Shows how a session stands",
  "sessions.result": "Gives the result of a session that has succeeded",
  "sessions.rows": "Reads the rows of a session",
  "sessions.tape": "Cuts a tape of a session, to run it again from",
  "sessions.events": "Follows the rows of a session as they are written",
  "sessions.endorse": "Vouches for a stranger's source or value in a session",
  "sessions.fork": "Opens a session that goes on from a row of this one",
  "sessions.cancel": "Ends a session and all below it",
  "sessions.pause": "Stops a session and all below it between two acts",
  "sessions.resume": "Lets a paused session go on",
  "sessions.revoke": "Revokes the token of a session and every token below",
  "endorsements.list": "Lists what people vouch for in sessions",
  "endorsements.revoke": "Takes an endorsement back",
  "policy.coverage": "Lists which rules on labels cover each tool",
  "policy.compare": "Lists which rules of another policy would cover each tool",
  "proposals.list": "Lists proposals",
  "proposals.show": "Shows a proposal with its evidence",
  "approvals.list": "Lists tickets",
  "approvals.show": "Shows a ticket: what would be done, why, and on what evidence",
  "approvals.decide": "Approves or denies tickets, each under the binding that it was shown with",
  "rules.list": "Lists standing rules",
  "rules.make": "Makes a standing rule",
  "rules.approve": "Agrees to a standing rule",
  "rules.revoke": "Revokes a standing rule",
  "audit.query": "Reads rows of the record by kind, session or time",
  "audit.verify": "Anchors the record and verifies it",
  "audit.keys": "Gives the keys to verify bundles with",
  "audit.alerts": "Lists what keeps the record from being as safe as it was meant to be",
  "audit.export": "Exports the record as a bundle, which verifies without this server",
  "cost.accounts": "Lists accounts: ceilings, reserved, spent",
  "schedules.list": "Lists schedules",
  "schedules.add": "Makes a schedule",
  "schedules.pause": "Starts nothing by a schedule until it is resumed",
  "schedules.resume": "Lets a schedule go on",
  "schedules.remove": "Removes a schedule; what it started goes on",
  "schedules.run": "Starts what a schedule starts, now",
  "schedules.history": "Lists what a schedule came to",
  "deadLetters.list": "Lists dead letters",
  "deadLetters.show": "Shows a dead letter: what was set aside, and why",
  "deadLetters.replay": "Tries a dead letter again",
  "deadLetters.drop": "Drops a dead letter",
  "unknown.list": "Lists acts whose outcome was lost",
  "unknown.settle": "Says what became of such an act, or has it done again",
  "callers.self": "Says who asks, in which role and up to what",
  "callers.list": "Lists callers and what each is known by",
  "callers.add": "Lets a caller in",
  "callers.bind": "Has a caller known by one thing more",
  "callers.rotate": "Gives a caller one more token; those before end",
  "callers.revoke": "Revokes a caller, or one thing that it is known by",
  "mcp.servers": "Lists MCP servers and how they stand",
  "mcp.tools": "Asks an MCP server, which is started for it, for its tools",
  "mcp.approve": "Approves a definition of a tool, to the letter",
  "mcp.withdraw": "Takes the approval of a definition back"
}

/** The document with them. Pages that let a token be entered know its scheme in small letters alone. */
export const within = (document: Readonly<Record<string, unknown>>): Record<string, unknown> => ({
  ...document,
  paths: each(document.paths, (path) => each(path, summarised)),
  components: {
    ...Predicate.isObject(document.components) ? document.components : {},
    securitySchemes: { bearer: { type: "http", scheme: "bearer", description: "The token of a caller" } }
  }
})

// internal

const each = (object: unknown, f: (value: unknown) => unknown): unknown =>
  Predicate.isObject(object)
    ? Object.fromEntries(Object.entries(object).map(([name, value]) => [name, f(value)]))
    : object

const summarised = (operation: unknown): unknown =>
  Predicate.isObject(operation) && "operationId" in operation
    ? { ...operation, summary: summaries[String(operation.operationId)] }
    : operation
