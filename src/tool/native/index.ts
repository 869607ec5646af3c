/** Tools of our own, one file each. */
export * as SaveTicketTool from "./SaveTicket.ts"
export { SaveTicket } from "./SaveTicket.ts"
