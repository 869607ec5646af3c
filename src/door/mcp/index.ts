/** The MCP server: what coding assistants and programs may do here, each in the name of its caller. */
export * as Following from "./Following.ts"
export * as McpHttp from "./Http.ts"
export * as Lines from "./Lines.ts"
export * as News from "./News.ts"
export * as Offer from "./Offer.ts"
export * as Sessions from "./Sessions.ts"
export * as McpStdio from "./Stdio.ts"
export * as Work from "./Work.ts"
