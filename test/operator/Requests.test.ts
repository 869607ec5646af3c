import { MemoryRequests } from "../../layers/memory/index.ts"
import { suite } from "./RequestsSuite.ts"

suite("requests in memory", MemoryRequests.layer)
