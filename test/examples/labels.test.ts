/** The example of a policy's test, run as one. */
export * from "../../examples/labels.ts"
