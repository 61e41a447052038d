// A chart of the service's history.
import { Chart } from "./chart";
import { useDocument } from "./fetching";
import { t } from "./locale";
import { historyPath, lines, type History, type Series } from "./series";
import { view } from "./view";

export interface HistoryChartProps {
  title: string;
  /** At most three names of GET /monitoring/history, each with what its line is called. */
  metrics: { metric: string; name?: string }[];
  format: (v: number | null | undefined) => string;
  target?: number | undefined;
  stacked?: boolean;
  band?: boolean;
  /** Tells lines apart: model, service, data_source or sink. */
  by?: string;
  /** The quantity can be narrowed to a model. */
  models?: boolean;
  /** The quantity is of the service itself and cannot be narrowed. */
  own?: boolean;
}

export function HistoryChart(props: HistoryChartProps) {
  const { metrics, by = "", models, own } = props;
  const { range, service, model } = view.value;
  const filters: Record<string, string> = own ? { by } : { by, service, model: models ? model : "" };
  // Always three, since hooks want the same places at every time.
  const a = useHistory(metrics[0]?.metric, range, filters);
  const b = useHistory(metrics[1]?.metric, range, filters);
  const c = useHistory(metrics[2]?.metric, range, filters);
  const loaded = [a, b, c].slice(0, metrics.length);
  const series: Series[] = loaded.flatMap((l, i) => (l.value ? lines(l.value) : []).map((s) => ({ ...s, name: metrics[i]?.name ?? (s.name || t("none")) })));
  return <Chart {...props} series={series} loading={loaded.some((l) => l.loading)} missing={loaded.some((l) => l.error?.status === 404)} />;
}

function useHistory(metric: string | undefined, range: string, filters: Record<string, string>) {
  return useDocument<History>(metric ? historyPath(metric, range, filters) : null);
}
