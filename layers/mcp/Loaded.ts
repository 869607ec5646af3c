/** What is loaded once there is a server. */
export * as AjvChecker from "./AjvChecker.ts"
export * as SdkPeers from "./SdkPeers.ts"
