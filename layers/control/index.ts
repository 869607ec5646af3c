/** The operations over a socket. */
export * as Control from "./Control.ts"
