import type { Metrics, RunList } from "../documents";
import { useDocument } from "../fetching";
import { Filters } from "../filters";
import { HistoryChart } from "../historychart";
import { decimal, instant, milliseconds, moment, percent, t, whole } from "../locale";
import { Card, Figure, Figures, Table, Trouble } from "../parts";
import { link, view } from "../view";
import { narrowed } from "./overview";

export function Rag() {
  const metrics = useDocument<Metrics>(narrowed("/monitoring/metrics"));
  const m = metrics.value;
  return (
    <>
      <Filters title={t("nav.rag")} />
      {metrics.error && <Trouble error={metrics.error} />}
      {m && (
        <Figures>
          <Figure label={t("rag.searches")} value={whole(m.rag.total_searches)} />
          <Figure label={t("similarity")} value={m.rag.total_searches ? decimal(m.rag.avg_similarity_score) : t("none")} />
          <Figure label={t("rag.success")} value={m.chat.rag_queries ? percent(m.performance.rag_success_rate / 100) : t("none")} />
          <Figure label={t("rag.no_result")} value={whole(m.chat.rag_no_results)} tone={m.chat.rag_no_results > m.chat.rag_queries / 10 ? "bad" : undefined} />
          <Figure label={t("rag.search_time")} value={m.rag.total_searches ? milliseconds(m.rag.avg_search_time_ms) : t("none")} />
          <Figure label={t("rag.hits")} value={percentOf(m.rag.cache_hits, m.rag.cache_hits + m.rag.cache_misses)} />
        </Figures>
      )}
      <div class="grid">
        <HistoryChart title={t("chart.similarity")} metrics={[{ metric: "similarity_p10", name: "p10" }, { metric: "similarity_p50", name: "p50" }, { metric: "similarity_p90", name: "p90" }]} format={(v) => decimal(v)} target={0.6} band />
        <HistoryChart title={t("chart.searches")} metrics={[{ metric: "searches" }]} by="data_source" format={(v) => decimal(v, 1)} stacked />
        <HistoryChart title={t("chart.noresult")} metrics={[{ metric: "no_result_rate", name: t("rag.no_result") }, { metric: "below_threshold_rate", name: t("rag.below") }]} format={hundred} />
        <HistoryChart title={t("chart.search_time")} metrics={[{ metric: "search_latency_avg", name: t("rag.mean") }, { metric: "search_latency_p95", name: "p95" }]} format={milliseconds} />
        <HistoryChart title={t("chart.cache")} metrics={[{ metric: "cache_hit_rate", name: t("rag.hits") }]} format={hundred} target={30} />
        <Worst />
      </div>
    </>
  );
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
