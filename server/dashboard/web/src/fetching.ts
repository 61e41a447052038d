// Getting documents: with the token of this tab, once for all who ask at the same
// time, and again when something happened.
import { signal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { t } from "./locale";

const tokenName = "treq.token";

export const token = signal(read());
/** Which answers asked for a token. */
export const refused = signal(false);

function read(): string {
  try {
    return sessionStorage.getItem(tokenName) ?? "";
  } catch {
    return "";
  }
}

export function setToken(value: string): void {
  token.value = value;
  refused.value = false;
  try {
    sessionStorage.setItem(tokenName, value);
  } catch {
    // Then for this page only.
  }
  refresh();
}

/** What went wrong, in words for the reader. */
export class Problem extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

export function headers(): Record<string, string> {
  return token.value ? { Authorization: `Bearer ${token.value}` } : {};
}

async function get(path: string, left: AbortSignal): Promise<string> {
  let response: Response;
  try {
    response = await fetch(path, {
      headers: { Accept: "application/json", ...headers() },
      credentials: "same-origin",
      signal: left,
    });
  } catch (e) {
    if (left.aborted) throw e;
    throw new Problem(0, t("error.network"));
  }
  if (!response.ok) throw await problemOf(response);
  return response.text();
}

export async function post<T>(path: string, body: unknown): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", ...headers() },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Problem(0, t("error.network"));
  }
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as T;
}

async function problemOf(response: Response): Promise<Problem> {
  let detail = `${response.status} ${response.statusText}`;
  try {
    const body = (await response.json()) as { detail?: unknown; error?: unknown };
    const said = body.detail ?? body.error;
    if (typeof said === "string") detail = said;
    else if (Array.isArray(said)) detail = said.map((d: { msg?: string }) => d.msg ?? "").join("; ");
  } catch {
    // The status says enough.
  }
  if (response.status === 401 || response.status === 403) refused.value = true;
  return new Problem(response.status, detail);
}

export interface Loaded<T> {
  value: T | null;
  error: Problem | null;
  loading: boolean;
}

interface Entry {
  state: Signal<Loaded<unknown>>;
  /** What the value was read from. */
  text: string;
  users: number;
  running: AbortController | null;
  stale: boolean;
}

const entries = new Map<string, Entry>();

// What comes again as it was renders nothing.
async function load(path: string, entry: Entry): Promise<void> {
  if (entry.running) {
    entry.stale = true;
    return;
  }
  const abort = new AbortController();
  entry.running = abort;
  entry.stale = false;
  try {
    const came = await get(path, abort.signal);
    const { value, error, loading } = entry.state.value;
    if (came !== entry.text) {
      entry.state.value = { value: JSON.parse(came) as unknown, error: null, loading: false };
      entry.text = came;
    } else if (error || loading) {
      entry.state.value = { value, error: null, loading: false };
    }
  } catch (e) {
    if (!abort.signal.aborted) {
      const error = e instanceof Problem ? e : new Problem(0, String(e));
      const gone = error.status === 404;
      if (gone) entry.text = "";
      entry.state.value = { value: gone ? null : entry.state.value.value, error, loading: false };
    }
  } finally {
    entry.running = null;
  }
  if (entry.stale && entry.users > 0) void load(path, entry);
}

/** Asks again for every document that is on the page. */
export function refresh(): void {
  for (const [path, entry] of entries) if (entry.users > 0) void load(path, entry);
}

/** A document, kept current while it is shown. null as path asks for nothing. */
export function useDocument<T>(path: string | null): Loaded<T> {
  const key = path ?? "";
  let entry = entries.get(key);
  if (!entry) {
    entry = { state: signalOf(path !== null), text: "", users: 0, running: null, stale: false };
    entries.set(key, entry);
  }
  const present = entry;
  useEffect(() => {
    if (path === null) return;
    // Who showed it before may have gone, and it with them, since this was rendered.
    if (!entries.has(path)) entries.set(path, present);
    present.users++;
    void load(path, present);
    return () => {
      present.users--;
      setTimeout(() => leave(path, present), lingering);
    };
  }, [path]);
  return present.state.value as Loaded<T>;
}

// A page that is left for another often shares documents with it: they stay until it
// is sure that nobody shows them.
const lingering = 1_000;

function leave(path: string, entry: Entry): void {
  if (entry.users > 0) return;
  entry.running?.abort();
  if (entries.get(path) === entry) entries.delete(path);
}

function signalOf(loading: boolean): Signal<Loaded<unknown>> {
  return signal<Loaded<unknown>>({ value: null, error: null, loading });
}
