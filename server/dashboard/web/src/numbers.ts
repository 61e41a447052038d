// The documents of the guide as the page's filters narrow them.
import { useRef } from "preact/hooks";
import type { Models } from "./documents";
import { useDocument, type Loaded } from "./fetching";
import { view } from "./view";

/** A document under the page's service and range; without a history, from which ranges are cut, since the start. */
export function useNumbers<T>(path: string): Loaded<T> {
  const { service, range } = view.value;
  const cut = useDocument<T>(address(path, { service, window: range }));
  const whole = useDocument<T>(cut.error?.status === 422 ? address(path, { service }) : null);
  return useLasting(cut.error?.status === 422 ? whole : cut);
}

function address(path: string, filters: Record<string, string>): string {
  const parameters = new URLSearchParams(Object.entries(filters).filter(([, value]) => value !== ""));
  return parameters.size > 0 ? `${path}?${parameters}` : path;
}

/**
 * What was shown stays until what follows it has come, so that nothing blinks, and
 * also while the service is away.
 */
export function useLasting<T>(now: Loaded<T>): Loaded<T> {
  const last = useRef<T | null>(null);
  const away = now.error !== null && (now.error.status === 0 || now.error.status >= 500);
  if (now.value !== null || now.error && !away) last.current = now.value;
  return now.value === null && (now.loading || away) ? { ...now, value: last.current } : now;
}

/** What the calls of a model come to, "" of all. */
export function spentOn(models: Models, model: string): { calls: number; tokens: number; cost_usd: number; unpriced: number; coverage: number | null } {
  const { total } = models;
  if (!model) return { calls: total.llm_calls, tokens: total.tokens, cost_usd: total.cost_usd, unpriced: total.unpriced_tokens, coverage: total.price_coverage_ratio };
  const of = models.models.filter((m) => m.model === model);
  const sum = (what: (m: (typeof of)[number]) => number) => of.reduce((n, m) => n + what(m), 0);
  const tokens = sum((m) => m.tokens.total);
  const unpriced = sum((m) => m.unpriced_tokens);
  return { calls: sum((m) => m.calls), tokens, cost_usd: sum((m) => m.cost_usd), unpriced, coverage: tokens > 0 ? 1 - unpriced / tokens : null };
}
