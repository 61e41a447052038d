// Content as messages. Every dialect says it otherwise: a list of messages, an
// object that holds one, parts of a message, or just text. What is not understood
// stays text.

export interface Message {
  role: string;
  text: string;
  /** The name of a tool that is called, its arguments in text. */
  call?: string;
}

const most = 500;

/** The messages that a text of content holds, null if it holds none. */
export function messagesOf(text: string): Message[] | null {
  const first = text.trimStart()[0];
  if (first !== "{" && first !== "[") return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const out: Message[] = [];
  walk(value, out, 0);
  return out.length > 0 ? out : null;
}

function walk(value: unknown, out: Message[], depth: number): void {
  if (depth > 6 || out.length >= most) return;
  if (Array.isArray(value)) {
    for (const v of value) walk(v, out, depth + 1);
    return;
  }
  if (!isObject(value)) return;
  const message = messageOf(value);
  if (message.length > 0) {
    out.push(...message);
    return;
  }
  for (const name of ["messages", "message", "input", "inputs", "output", "outputs", "choices", "generations"]) {
    if (name in value) walk(value[name], out, depth + 1);
  }
}

function messageOf(value: Record<string, unknown>): Message[] {
  const kwargs = isObject(value["kwargs"]) ? value["kwargs"] : value;
  const role = roleOf(value, kwargs);
  if (!role) return [];
  const out: Message[] = [];
  const body = kwargs["content"] ?? kwargs["parts"] ?? kwargs["text"];
  if (typeof body === "string") {
    if (body) out.push({ role, text: body });
  } else if (Array.isArray(body)) {
    for (const part of body) out.push(...partOf(role, part));
  }
  for (const call of Array.isArray(kwargs["tool_calls"]) ? kwargs["tool_calls"] : []) out.push(...callOf(role, call));
  return out;
}

const langchain: Record<string, string> = {
  HumanMessage: "user", AIMessage: "assistant", AIMessageChunk: "assistant", SystemMessage: "system", ToolMessage: "tool",
  human: "user", ai: "assistant", system: "system", tool: "tool", user: "user", assistant: "assistant", developer: "developer",
};

function roleOf(value: Record<string, unknown>, kwargs: Record<string, unknown>): string {
  if (typeof value["role"] === "string") return value["role"];
  const id = value["id"];
  if (Array.isArray(id)) {
    const last: unknown = id[id.length - 1];
    if (typeof last === "string" && langchain[last]) return langchain[last];
  }
  for (const type of [kwargs["type"], value["type"]]) if (typeof type === "string" && langchain[type]) return langchain[type];
  return "";
}

function partOf(role: string, part: unknown): Message[] {
  if (typeof part === "string") return [{ role, text: part }];
  if (!isObject(part)) return [];
  const type = part["type"];
  if (type === "tool_call" || type === "tool_use" || type === "function_call") return callOf(role, part);
  if (type === "tool_call_response" || type === "tool_result") return [{ role: "tool", text: textOf(part["response"] ?? part["result"] ?? part["content"]) }];
  if (type === "reasoning" || type === "thinking") return [{ role: "thinking", text: textOf(part["content"] ?? part["thinking"] ?? part["text"]) }];
  const text = part["text"] ?? part["content"];
  return [{ role, text: text === undefined ? textOf(part) : textOf(text) }];
}

function callOf(role: string, call: unknown): Message[] {
  if (!isObject(call)) return [];
  const inner = isObject(call["function"]) ? call["function"] : call;
  const name = inner["name"];
  return [{ role, text: textOf(inner["arguments"] ?? inner["args"] ?? inner["input"] ?? ""), call: typeof name === "string" ? name : "?" }];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2) ?? "";
}

export interface FoundDocument { id: string; text: string; score: number | null }

/** The documents that a text of content holds, null if it holds none. */
export function documentsOf(text: string): FoundDocument[] | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (isObject(value)) value = value["documents"] ?? value["output"] ?? value["results"];
  if (!Array.isArray(value) || value.length === 0) return null;
  const out: FoundDocument[] = [];
  for (const d of value.slice(0, most) as unknown[]) {
    if (!isObject(d)) return null;
    const meta = isObject(d["metadata"]) ? d["metadata"] : {};
    const score = d["score"] ?? d["similarity"] ?? d["relevance_score"] ?? meta["score"] ?? meta["similarity"];
    const content = d["content"] ?? d["page_content"] ?? d["text"] ?? "";
    const id = d["id"] ?? meta["id"] ?? meta["source"] ?? "";
    if (score === undefined && content === "" && id === "") return null;
    out.push({ id: String(id), text: textOf(content), score: typeof score === "number" ? score : null });
  }
  return out;
}

function isObject(v: unknown): v is Record<string, unknown> {
  return typeof v === "object" && v !== null && !Array.isArray(v);
}
