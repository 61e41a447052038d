// A chart of the service's history.
import { Chart } from "./chart";
import { useDocument } from "./fetching";
import { currency, money, t } from "./locale";
import { useLasting } from "./numbers";
import { historyPath, lines, type History, type Series } from "./series";
import { view } from "./view";

export interface HistoryChartProps {
  title: string;
  /** At most three names of GET /monitoring/history, each with what its line is called. */
  metrics: { metric: string; name?: string }[];
  /** How values are written; left out for dollars, which are drawn in the currency that costs are shown in. */
  format?: (v: number | null | undefined) => string;
  target?: number | undefined;
  stacked?: boolean;
  band?: boolean;
  /** Tells lines apart: model, service, data_source or sink. */
  by?: string;
  /** The quantity can be narrowed to a model. */
  models?: boolean;
  /** The quantity is of the service itself and cannot be narrowed. */
  own?: boolean;
  /** Only what is of this data source; "" is all. */
  source?: string;
  /** Ticks stand at powers of two, for bytes, or at times that clocks have, for seconds. */
  ticks?: "binary" | "time";
}

export function HistoryChart(props: HistoryChartProps) {
  const { metrics, models, own, source = "" } = props;
  // The service tells data sources apart, and does not narrow to one.
  const by = source ? "data_source" : props.by ?? "";
  const { range, service, model } = view.value;
  const filters: Record<string, string> = own ? { by } : { by, service, model: models ? model : "" };
  // Always three, since hooks want the same places at every time.
  const a = useHistory(metrics[0]?.metric, range, filters);
  const b = useHistory(metrics[1]?.metric, range, filters);
  const c = useHistory(metrics[2]?.metric, range, filters);
  const loaded = [a, b, c].slice(0, metrics.length);
  const series: Series[] = loaded.flatMap((l, i) => (l.value ? lines(l.value) : []).filter((s) => !source || s.labels["data_source"] === source).map((s) => ({ ...s, name: metrics[i]?.name ?? (s.name || t("none")) })));
  const { code, rate } = currency.value;
  const format = props.format ?? ((v) => money(v, code));
  if (!props.format) for (const s of series) s.points = s.points.map(([time, v]) => [time, v === null ? null : v * rate]);
  return <Chart {...props} format={format} series={series} loading={loaded.some((l) => l.loading)} missing={loaded.some((l) => l.error?.status === 404)} />;
}

function useHistory(metric: string | undefined, range: string, filters: Record<string, string>) {
  return useLasting(useDocument<History>(metric ? historyPath(metric, range, filters) : null));
}
