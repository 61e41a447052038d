// A chart of the service's history.
import { Chart } from "./chart";
import { useDocument } from "./fetching";
import { historyPath, type History, type Series } from "./series";
import { view } from "./view";

export interface HistoryChartProps {
  title: string;
  /** Names of GET /monitoring/history, each with what its lines are called. */
  metrics: { metric: string; name?: string }[];
  format: (v: number | null | undefined) => string;
  target?: number | undefined;
  stacked?: boolean;
  /** The values are multiplied with it, as from a second to a minute. */
  scale?: number;
  /** What a line is called by its labels. */
  label?: (labels: Record<string, string>) => string;
  height?: number;
}

export function HistoryChart(props: HistoryChartProps) {
  const { metrics, scale = 1, label } = props;
  const { range, service, model } = view.value;
  // At most three metrics a chart, always in the same places, as hooks want it.
  const a = useHistory(metrics[0]?.metric, range, service, model);
  const b = useHistory(metrics[1]?.metric, range, service, model);
  const c = useHistory(metrics[2]?.metric, range, service, model);
  const loaded = [a, b, c].slice(0, metrics.length);
  const series: Series[] = loaded.flatMap((l, i) =>
    (l.value?.series ?? []).map((s) => ({
      ...s,
      name: metrics[i]?.name ?? (label ? label(s.labels) : "") ?? s.name,
      points: scale === 1 ? s.points : s.points.map(([time, v]): [number, number | null] => [time, v === null ? null : v * scale]),
    })),
  );
  const rest = { ...props, series, loading: loaded.some((l) => l.loading) };
  return <Chart {...rest} />;
}

function useHistory(metric: string | undefined, range: string, service: string, model: string) {
  return useDocument<History>(metric ? historyPath(metric, range, { service, model }) : null);
}
