// The way of the targets' values over the range that is shown, small.
import { useDocument } from "./fetching";
import { useLasting } from "./numbers";
import { rangeSeconds } from "./view";

interface Answer { data?: { result: { metric: Record<string, string>; values: [number, string][] }[] } }

const points = 60;

/** The values over time of recorded series, by name; one question for all. */
export function useTrends(names: string[], now: number): Map<string, number[]> {
  const seconds = rangeSeconds.value;
  const step = Math.max(15, Math.round(seconds / points));
  // Whole steps, so that the same question is asked until there is something new.
  const end = Math.floor(now / 1000 / step) * step;
  const query = `{__name__=~"${names.map((n) => n.replace(/[^\w:]/g, ".")).join("|")}"}`;
  const parameters = new URLSearchParams({ query, start: String(end - seconds), end: String(end), step: String(step) });
  const answer = useLasting(useDocument<Answer>(names.length > 0 ? `/prometheus/api/v1/query_range?${parameters}` : null)).value;
  const out = new Map<string, number[]>();
  for (const r of answer?.data?.result ?? []) {
    const values = r.values.map((v) => Number(v[1])).filter(Number.isFinite);
    if (values.length > 1) out.set(r.metric["__name__"] ?? "", values);
  }
  return out;
}

/** The points of a line in a box of width and height, the target's height with it. */
export function path(values: number[], target: number, width: number, height: number): { line: string; target: number } {
  const low = Math.min(target, ...values);
  const high = Math.max(target, ...values);
  const y = (v: number) => (high === low ? height / 2 : 1 + (1 - (v - low) / (high - low)) * (height - 2));
  const x = (i: number) => (i / Math.max(1, values.length - 1)) * width;
  return { line: values.map((v, i) => `${x(i).toFixed(1)},${y(v).toFixed(1)}`).join(" "), target: y(target) };
}

export function Sparkline({ values, target, tone }: { values: number[] | undefined; target: number; tone: string }) {
  if (!values) return <span class="spark" />;
  const p = path(values, target, 90, 22);
  return (
    <svg class={`spark ${tone}`} viewBox="0 0 90 22" width="90" height="22" aria-hidden="true">
      <line x1="0" x2="90" y1={p.target} y2={p.target} />
      <polyline points={p.line} />
    </svg>
  );
}
