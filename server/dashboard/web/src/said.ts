// What the service says, in the reader's language: by its code where it has one,
// else by the shape of its sentence. What it said itself stays within reach.
import type { Problem } from "./fetching";
import { bytes, language } from "./locale";
import { says, type Said } from "./says";

/** A text of the service's by its key, its {names} replaced. */
export function say(key: Said, values: Record<string, string> = {}): string {
  const text: string = says[key][language.value === "pt-BR" ? 1 : 0];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}

/** The word for a code of a kind of codes; the code itself where there is none. */
export function code(kind: string, name: string): string {
  const key = `${kind}.${name}`;
  return Object.hasOwn(says, key) ? say(key as Said) : name;
}

/** Why a span counted for what it did, by its disposition and reason; what the service said where both are new. */
export function why(e: { disposition: string; reason: string; why: string; chat_span_id?: string }): string {
  if (e.disposition === "not_genai") return say("why.not_genai");
  if (e.disposition === "duplicate" && e.reason === "") return say("why.duplicate");
  if (e.reason === "inside" && e.chat_span_id) return say("why.inside.chat");
  return e.reason === "" ? e.why : code("why", e.reason) === e.reason ? e.why : code("why", e.reason);
}

/** What became of spans for a reason, in a word: an event that was counted, or why none was. */
export function became(disposition: string, reason: string): string {
  if (disposition === "rejected") return code("rejected", reason);
  const event = reason === "tool" ? "tool_call" : reason;
  if (disposition === "recorded" && Object.hasOwn(says, `event.${event}`)) return code("event", event);
  return why({ disposition, reason, why: reason });
}

const sentences: [RegExp, Said, string?][] = [
  [/the journal is being replayed: (\d+) bytes to go/, "said.replay", "left"],
  [/data directory is being opened/, "said.opening"],
  [/counting has stopped/, "said.stopped"],
  [/the journal has no room/, "said.room"],
  [/sinks do not get on: \[(.*)\]/, "said.sinks", "sinks"],
  [/data directory lies in memory/, "said.memory"],
  [/data directory lies in a container's own layer/, "said.layer"],
  [/there is no history/, "said.history"],
];

/** A sentence of the service about itself. */
export function sentence(text: string): string {
  for (const [form, key, name] of sentences) {
    const found = form.exec(text);
    if (!found) continue;
    const value = found[1] ?? "";
    return say(key, name ? { [name]: name === "left" ? bytes(Number(value)) : value.split(" ").join(", ") } : {});
  }
  return say("said.other");
}

const faults: [RegExp, Said][] = [
  [/is a link-local, multicast or metadata address|is no address/, "fault.forbidden"],
  [/a file with a secret cannot be read/, "fault.secret"],
  [/the record cannot be read|holds other runs than were counted/, "fault.unreadable"],
  [/larger than the \d+ bytes of a request/, "fault.large"],
  [/the sink rejected/, "fault.partial"],
  [/the sink warns/, "fault.warns"],
  [/redirects are not followed|the URL is none|from is no address|not a URL/, "fault.address"],
  [/certificate|does not speak TLS|x509|tls:/i, "fault.certificate"],
  [/no such host|host's name|name cannot be resolved/, "fault.name"],
  [/timeout|no answer in time|deadline exceeded|DeadlineExceeded/i, "fault.slow"],
  [/Unauthenticated|PermissionDenied/, "fault.key"],
  [/ResourceExhausted/, "fault.busy"],
  [/Unimplemented/, "fault.address"],
  [/connection refused|connection was refused|connection was reset|connection reset|connection failed|connect:|EOF|broken pipe|no route|Unavailable/, "fault.unreachable"],
  [/InvalidArgument/, "fault.content"],
];

const statuses: [(status: number) => boolean, Said][] = [
  [(n) => n === 401 || n === 403 || n === 407, "fault.key"],
  [(n) => n === 404 || n === 405 || (n >= 300 && n < 400), "fault.address"],
  [(n) => n === 413, "fault.large"],
  [(n) => n === 408 || n === 504, "fault.slow"],
  [(n) => n === 429, "fault.busy"],
  [(n) => n >= 400 && n < 500, "fault.content"],
  [(n) => n >= 500, "fault.down"],
];

/** What hinders a delivery, by the status that a sink or a receiver answered, or by what failed on the way. */
export function fault(text: string): string {
  // A mail server's 4xx passes, its 5xx does not.
  const mail = /^the mail server answered (\d{3})/.exec(text)?.[1];
  if (mail) return say(mail === "535" ? "fault.key" : mail.startsWith("4") ? "fault.busy" : "fault.content");
  const status = Number(/^(?:HTTP )?(\d{3})\b/.exec(text)?.[1] ?? 0);
  for (const [is, key] of statuses) if (status > 0 && is(status)) return say(key);
  for (const [form, key] of faults) if (form.test(text)) return say(key);
  return say("fault.other");
}

/** What went wrong with a request of the page, by its status. */
export function problem(p: Problem): string {
  const key = `problem.${p.status}`;
  if (Object.hasOwn(says, key)) return say(key as Said);
  return p.status === 0 ? p.message : say(p.status >= 500 ? "problem.500" : "problem.400");
}
