/** The HTTP door, listening. */
export * as HttpDoor from "./HttpServer.ts"
export { NotServed } from "./NotServed.ts"
export type { Tls } from "./Tls.ts"
