/** Witnesses: to ask them, and to be one. */
export * as WitnessClient from "./WitnessClient.ts"
export * as WitnessConfig from "./WitnessConfig.ts"
export * as WitnessFile from "./WitnessFile.ts"
export * as WitnessServer from "./WitnessServer.ts"
