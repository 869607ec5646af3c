/** MCP servers by the official client, checks of their schemas, and the file that lets them in. */
export * as McpServers from "./Servers.ts"
export * as McpFile from "./SettingsFile.ts"
