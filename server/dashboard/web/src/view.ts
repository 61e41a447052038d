// What the reader looks at: the page and its filters, all of it in the address, so
// that a shared link shows the same.
import { computed, signal } from "@preact/signals";

export const ranges = ["15m", "1h", "6h", "24h", "7d", "15d"] as const;
export type Range = (typeof ranges)[number];
export const pages = ["overview", "rag", "models", "runs", "pipeline", "start"] as const;
export type Page = (typeof pages)[number] | "run";

export interface View {
  page: Page;
  run: string;
  range: Range;
  service: string;
  model: string;
  /** The data source whose searches are drawn, "" all. */
  source: string;
  /** Filters of the list of runs, and the span that is open in a run. */
  query: string;
  outcome: string;
  feedback: string;
  span: string;
  /** The order of the list of runs, "" for last heard of first. */
  sort: string;
  /** Which page of the list, and the service's cursor of it: "3~CURSOR"; "" is the first. */
  at: string;
}

const start: View = {
  page: "overview", run: "", range: "1h", service: "", model: "", source: "", query: "", outcome: "", feedback: "", span: "", sort: "", at: "",
};

const names: [keyof View, string][] = [
  ["range", "range"], ["service", "service"], ["model", "model"], ["source", "source"],
  ["query", "q"], ["outcome", "outcome"], ["feedback", "feedback"], ["span", "span"],
  ["sort", "sort"], ["at", "at"],
];

// What is listed changes with these, and a page of another list means nothing.
const questions: (keyof View)[] = ["service", "model", "query", "outcome", "feedback", "sort"];

/** Reads a view from the part of an address behind its #; what is not known is left at its default. */
export function parse(hash: string): View {
  const [path = "", query = ""] = hash.replace(/^#?\/?/, "").split("?", 2);
  const view = { ...start };
  const [page = "", rest = ""] = path.split("/", 2);
  if (page === "runs" && rest) {
    view.page = "run";
    view.run = decode(rest);
  } else if ((pages as readonly string[]).includes(page)) {
    view.page = page as Page;
  }
  const parameters = new URLSearchParams(query);
  for (const [field, name] of names) {
    const value = parameters.get(name);
    if (value === null) continue;
    if (field === "range" && !(ranges as readonly string[]).includes(value)) continue;
    (view as unknown as Record<string, string>)[field] = value;
  }
  return view;
}

/** The address of a view, with what differs from the default. */
export function format(view: View): string {
  const parameters = new URLSearchParams();
  for (const [field, name] of names) {
    if (view[field] !== start[field]) parameters.set(name, view[field]);
  }
  const query = parameters.toString();
  const path = view.page === "run" ? `runs/${encodeURIComponent(view.run)}` : view.page;
  return `#/${path}${query ? "?" + query : ""}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const view = signal<View>(parse(location.hash));

addEventListener("hashchange", () => {
  view.value = parse(location.hash);
});

/** Goes to a view that differs from the present one in these fields. */
export function go(change: Partial<View>, replace = false): void {
  const next = { ...view.value, ...change };
  if (questions.some((q) => q in change)) next.at = change.at ?? "";
  const address = format(next);
  if (replace) history.replaceState(null, "", address);
  else if (address !== location.hash) history.pushState(null, "", address);
  view.value = next;
}

/** The address of a page with the present range and filters, for links. */
export function link(page: Page, change: Partial<View> = {}): string {
  const { range, service, model } = view.value;
  return format({ ...start, range, service, model, page, ...change });
}

const lengths: Record<Range, number> = { "15m": 900, "1h": 3600, "6h": 21_600, "24h": 86_400, "7d": 604_800, "15d": 1_296_000 };

/** The range in seconds. */
export const rangeSeconds = computed(() => lengths[view.value.range]);
