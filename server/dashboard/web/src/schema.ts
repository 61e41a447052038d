// A JSON Schema in short, as one would write the type.

export interface Schema {
  $ref?: string; type?: string | string[]; format?: string; items?: Schema; anyOf?: Schema[];
  properties?: Record<string, Schema>; required?: string[]; additionalProperties?: Schema; minimum?: number; maximum?: number;
}

const deepest = 6;

/** The type that a schema describes, its parts by name in place; a part of itself only by name. */
export function describe(s: Schema, all: Record<string, Schema>, indent = "", within: string[] = []): string {
  if (s.$ref) {
    const name = s.$ref.slice(s.$ref.lastIndexOf("/") + 1);
    const meant = all[name];
    return !meant || within.includes(name) || within.length > deepest ? name : describe(meant, all, indent, [...within, name]);
  }
  if (s.anyOf) return s.anyOf.map((one) => describe(one, all, indent, within)).join(" | ");
  const types = Array.isArray(s.type) ? s.type : [s.type ?? "any"];
  return types.map((type) => {
    if (type === "array") return `${s.items ? describe(s.items, all, indent, within) : "any"}[]`;
    if (type !== "object") return s.format ? `${type} (${s.format})` : s.maximum !== undefined ? `${type} (${s.minimum ?? 0}…${s.maximum})` : type;
    if (s.additionalProperties) return `{ [name]: ${describe(s.additionalProperties, all, indent, within)} }`;
    const inner = indent + "  ";
    const fields = Object.entries(s.properties ?? {}).map(([name, of]) => `${inner}${name}${s.required?.includes(name) ? "" : "?"}: ${describe(of, all, inner, within)}`);
    return fields.length === 0 ? "{}" : `{\n${fields.join("\n")}\n${indent}}`;
  }).join(" | ");
}
