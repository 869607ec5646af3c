/** The HTTP door, listening. */
export * as HttpDoor from "./HttpServer.ts"
export { type Tls, TlsError } from "./Tls.ts"
