/** The HTTP door, listening. */
export * as HttpDoor from "./HttpServer.ts"
