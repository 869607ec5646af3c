/** Claude Code keeps the contract of backends. */
import { BackendSuite } from "../../backend/BackendSuite.ts"
import { wire } from "./wire.ts"

BackendSuite(wire)
