import "../../examples/testing.ts"
