/** The example of a test, run as one. */
export * from "../../examples/testing.ts"
