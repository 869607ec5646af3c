/** Models behind Amazon Bedrock as a backend. */
export * as Bedrock from "./Bedrock.ts"
export { subject } from "./Check.ts"
