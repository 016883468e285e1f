// Writes src/operations.ts: the routes and types of the API, from its document. `node generate.mjs --check` only compares.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const document = JSON.parse(readFileSync(join(here, "../../docs/reference/openapi.json"), "utf8"));
const target = join(here, "src/operations.ts");

const word = (name) => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));

function type(schema) {
  if (schema === undefined || Object.keys(schema).length === 0) return "unknown";
  if (schema.$ref) return schema.$ref.split("/").at(-1);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  if (schema.anyOf) return schema.anyOf.map(type).join(" | ");
  const kinds = [schema.type].flat();
  return kinds.map((kind) => one(kind, schema)).join(" | ");
}

function one(kind, schema) {
  switch (kind) {
    case "string": return "string";
    case "integer": case "number": return "number";
    case "boolean": return "boolean";
    case "null": return "null";
    case "array": return `Array<${type(schema.items)}>`;
    case "object": return object(schema);
    default: throw new Error(`unknown type ${kind}`);
  }
}

function object(schema) {
  if (!schema.properties) {
    const more = typeof schema.additionalProperties === "object" ? type(schema.additionalProperties) : "unknown";
    return `Record<string, ${more}>`;
  }
  const needed = new Set(schema.required ?? []);
  const members = Object.entries(schema.properties).map(
    ([name, inner]) => `${word(name)}${needed.has(name) ? "" : "?"}: ${type(inner)}`,
  );
  return `{ ${members.join("; ")} }`;
}

const lines = [
  "// Made of docs/reference/openapi.json by generate.mjs; changes here are lost.",
  "/* eslint-disable */",
  "",
];
for (const [name, schema] of Object.entries(document.components.schemas)) {
  if (schema.description) lines.push(`/** ${schema.description}. */`);
  lines.push(`export type ${name} = ${type(schema)};`);
}
const table = [];
lines.push("", "/** What each operation takes and gives. */", "export interface Operations {");
for (const [path, methods] of Object.entries(document.paths)) {
  for (const [method, route] of Object.entries(methods)) {
    if (route.responses[302]) continue; // for browsers
    // These clients keep no bodies, so nothing is asked for that is there already.
    const parameters = (route.parameters ?? []).filter((one) => !(method === "get" && one.name === "If-None-Match"));
    const body = route.requestBody?.content["application/json"].schema;
    const members = parameters.map((one) => `${word(one.name)}${one.required ? "" : "?"}: ${type(one.schema)}`);
    const needed = new Set(body?.required ?? []);
    for (const [name, schema] of Object.entries(body?.properties ?? {})) {
      members.push(`${word(name)}${needed.has(name) ? "" : "?"}: ${type(schema)}`);
    }
    const [, reply] = Object.entries(route.responses).find(([status]) => status !== "default");
    const [kind, content] = Object.entries(reply.content ?? {})[0] ?? [];
    const gives = kind === "application/json" ? type(content.schema) : kind ? "string" : "void";
    const takes = members.length ? `{ ${members.join("; ")} }` : "Record<string, never>";
    lines.push(`  /** ${route.summary}. */`, `  ${route.operationId}: { takes: ${takes}; gives: ${gives} };`);
    const named = (place) => parameters.filter((one) => one.in === place).map((one) => one.name);
    const row = { method: method.toUpperCase(), path, query: named("query"), head: named("header") };
    table.push(`  ${route.operationId}: ${JSON.stringify(row)},`);
  }
}
lines.push("}", "", "/** Where each operation is. */", "export const OPERATIONS: {");
lines.push("  readonly [name in keyof Operations]: { method: string; path: string; query: string[]; head: string[] };", "} = {");
lines.push(...table, "};", "");
const text = lines.join("\n");
if (process.argv.includes("--check")) {
  if (readFileSync(target, "utf8") !== text) {
    console.error("clients/api-typescript/src/operations.ts is out of date; run `node generate.mjs` there");
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}
