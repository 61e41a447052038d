// Live updates: server-sent events where the service has them, else asking every
// few seconds. A hidden page asks for nothing.
import { signal } from "@preact/signals";
import { headers, refresh, token } from "./fetching";

export type Live = "on" | "off" | "paused";

export const live = signal<Live>("on");

const slowest = 15_000;
const interval = 5_000;

let reader: AbortController | null = null;

export function pause(): void {
  live.value = "paused";
  reader?.abort();
}

export function resume(): void {
  live.value = "on";
  refresh();
  void follow();
}

/** Follows the service until the page ends. Call once. */
export function begin(): void {
  void follow();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      reader?.abort();
    } else if (live.value !== "paused") {
      refresh();
      void follow();
    }
  });
  // The charts move on although nothing happens.
  setInterval(() => {
    if (!document.hidden && live.value !== "paused") refresh();
  }, slowest);
  let shown = token.value;
  token.subscribe((now) => {
    if (now === shown) return;
    shown = now;
    reader?.abort();
    void follow();
  });
}

// follow reads events with fetch, since EventSource can carry no token.
async function follow(): Promise<void> {
  if (reader && !reader.signal.aborted) return;
  const mine = new AbortController();
  reader = mine;
  let wait = 1_000;
  while (!mine.signal.aborted) {
    try {
      const response = await fetch("/monitoring/live", { headers: { Accept: "text/event-stream", ...headers() }, signal: mine.signal });
      if (!response.ok || !response.body) throw new Error(String(response.status));
      live.value = "on";
      wait = 1_000;
      const chunks = response.body.getReader();
      const text = new TextDecoder();
      let rest = "";
      for (;;) {
        const { done, value } = await chunks.read();
        if (done) break;
        rest += text.decode(value, { stream: true });
        const events = rest.split("\n\n");
        rest = events.pop() ?? "";
        if (events.some((e) => e.includes("data:"))) refreshSoon();
      }
    } catch {
      if (mine.signal.aborted) return;
    }
    if (live.value !== "paused") live.value = "off";
    await new Promise((done) => setTimeout(done, wait));
    wait = Math.min(wait * 2, interval);
    if (!mine.signal.aborted && !document.hidden) refresh();
  }
}

let soon: ReturnType<typeof setTimeout> | null = null;

function refreshSoon(): void {
  if (soon !== null) return;
  soon = setTimeout(() => {
    soon = null;
    if (live.value === "on" && !document.hidden) refresh();
  }, 250);
}
