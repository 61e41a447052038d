import type { Metrics, RunList } from "../documents";
import { useDocument } from "../fetching";
import { Choice, Filters } from "../filters";
import { HistoryChart } from "../historychart";
import { decimal, instant, milliseconds, moment, percent, rate, t, whole } from "../locale";
import { useNumbers } from "../numbers";
import { Card, Figure, Figures, Table, Trouble } from "../parts";
import { historyPath, type History } from "../series";
import { useTarget } from "../targets";
import { go, link, view } from "../view";

export function Rag() {
  const metrics = useNumbers<Metrics>("/monitoring/metrics");
  const similar = useTarget("rag_similarity");
  const cached = useTarget("cache_hits");
  const empty = useTarget("no_results");
  const m = metrics.value;
  const { source } = view.value;
  const sources = useSources();
  return (
    <>
      <Filters title={t("nav.rag")} />
      {metrics.error && <Trouble error={metrics.error} />}
      {m && (
        <Figures busy={metrics.loading}>
          <Figure label={t("rag.searches")} value={whole(m.rag.total_searches)} />
          <Figure label={t("similarity")} value={m.rag.total_searches ? decimal(m.rag.avg_similarity_score) : t("none")} />
          <Figure label={t("rag.success")} value={m.chat.rag_queries ? percent(m.performance.rag_success_rate / 100) : t("none")} />
          <Figure label={t("rag.no_result")} value={whole(m.chat.rag_no_results)} tone={empty !== undefined && m.chat.rag_no_results > m.chat.rag_queries * empty ? "bad" : undefined} />
          <Figure label={t("rag.search_time")} value={m.rag.total_searches ? milliseconds(m.rag.avg_search_time_ms) : t("none")} />
          <Figure label={t("rag.hits")} value={percentOf(m.rag.cache_hits, m.rag.cache_hits + m.rag.cache_misses)} />
        </Figures>
      )}
      {(sources.length > 1 || source) && (
        <div class="bar"><div class="bar right"><Choice label={t("rag.source")} value={source} values={sources} pick={(v) => go({ source: v })} /></div></div>
      )}
      <div class="grid">
        <HistoryChart title={t("chart.similarity")} metrics={[{ metric: "similarity_p10", name: "p10" }, { metric: "similarity_p50", name: "p50" }, { metric: "similarity_p90", name: "p90" }]} format={(v) => decimal(v)} source={source} target={similar} band />
        <HistoryChart title={t("chart.searches")} metrics={[{ metric: "searches" }]} by="data_source" source={source} format={rate} stacked />
        <HistoryChart title={t("chart.noresult")} metrics={[{ metric: "no_result_rate" }]} by="data_source" source={source} format={hundred} target={empty === undefined ? undefined : empty * 100} />
        <HistoryChart title={t("chart.below")} metrics={[{ metric: "below_threshold_rate" }]} by="data_source" source={source} format={hundred} />
        <HistoryChart title={t("chart.search_time")} metrics={[{ metric: "search_latency_avg", name: t("rag.mean") }, { metric: "search_latency_p95", name: "p95" }]} source={source} format={milliseconds} />
        <HistoryChart title={t("chart.cache")} metrics={[{ metric: "cache_hit_rate", name: t("rag.hits") }]} source={source} format={hundred} target={cached === undefined ? undefined : cached * 100} />
        <Worst />
      </div>
    </>
  );
}

// The data sources that were searched in the range that is shown.
function useSources(): string[] {
  const { range, service, source } = view.value;
  const found = useDocument<History>(historyPath("searches", range, { by: "data_source", service })).value?.series.map((s) => s.data_source ?? "") ?? [];
  return [...new Set([...found, source])].filter(Boolean);
}

// The history has shares in per cent.
function hundred(v: number | null | undefined): string {
  return percent(v === null || v === undefined ? null : v / 100);
}

function percentOf(part: number, of: number): string {
  return of === 0 ? t("none") : percent(part / of);
}

// The worst recent searches, one click from their run.
function Worst() {
  const { service } = view.value;
  const parameters = new URLSearchParams({ similarity_below: "0.5", sort: "similarity", limit: "20" });
  if (service) parameters.set("service", service);
  const list = useDocument<RunList>(`/monitoring/runs?${parameters}`);
  return (
    <Card title={t("rag.worst")}>
      {list.error && <Trouble error={list.error} content />}
      {list.value && list.value.runs.length === 0 && <p class="dim">{t("rag.worst.none")}</p>}
      {list.value && list.value.runs.length > 0 && (
        <Table label={t("rag.worst")} rows={list.value.runs} id={(r) => r.run_id + r.trace_id} cards columns={[
          { title: t("runs.name"), cell: (r) => <a href={link("run", { run: r.run_id })}>{r.name || r.run_id}</a> },
          { title: t("filter.service"), cell: (r) => r.service },
          { title: t("runs.start"), cell: (r) => moment(instant(r.start)) },
          { title: t("runs.similarity"), number: true, cell: (r) => decimal(r.similarity) },
        ]} />
      )}
    </Card>
  );
}
