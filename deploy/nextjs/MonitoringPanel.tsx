"use client";

// The panel of the monitoring guide: what the service counted, beside its targets.
// Put it and telemetry.d.ts into components/, and show <MonitoringPanel />.
import useSWR from "swr";
import type { components } from "./telemetry";
import "./MonitoringPanel.css";

type Summary = components["schemas"]["Summary"];
type Scorecard = components["schemas"]["Scorecard"];
type KPI = components["schemas"]["KPI"];

export interface MonitoringPanelProps {
  /** Where the service is; "" where the front end forwards /monitoring to it. */
  baseUrl?: string;
  /** Shows only this service's numbers. */
  service?: string;
  /** Milliseconds between two questions. */
  refreshInterval?: number;
  /** The locale of texts and numbers: Portuguese, or English for any other. */
  locale?: string;
}

const texts = {
  pt: {
    title: "Métricas do Sistema", requests: "Requests", success: "Taxa de Sucesso", time: "Tempo Médio", similarity: "Similaridade RAG",
    target: "meta", met: "atingida", missed: "não atingida", no_data: "sem dados", loading: "Carregando métricas…",
    failed: "As métricas não puderam ser carregadas.", stale: "Estes números não são atuais.", retry: "Tentar de novo",
  },
  en: {
    title: "System metrics", requests: "Requests", success: "Success rate", time: "Mean time", similarity: "RAG similarity",
    target: "target", met: "met", missed: "missed", no_data: "no data", loading: "Loading metrics…",
    failed: "The metrics could not be loaded.", stale: "These numbers are not current.", retry: "Try again",
  },
};

type Texts = typeof texts.pt;

async function fetcher<T>(url: string): Promise<T> {
  const response = await fetch(url, { headers: { Accept: "application/json" } });
  if (!response.ok) {
    const problem = (await response.json().catch(() => null)) as { detail?: unknown } | null;
    throw new Error(typeof problem?.detail === "string" ? problem.detail : `${response.status} ${response.statusText}`);
  }
  return (await response.json()) as T;
}

export function MonitoringPanel({ baseUrl = "", service = "", refreshInterval = 5_000, locale = "pt-BR" }: MonitoringPanelProps) {
  const query = service ? `?${new URLSearchParams({ service })}` : "";
  const options = { refreshInterval, keepPreviousData: true };
  const summary = useSWR<Summary, Error>(`${baseUrl}/monitoring/stats/summary${query}`, fetcher<Summary>, options);
  // Targets are of the whole service, and change rarely.
  const kpis = useSWR<Scorecard, Error>(`${baseUrl}/monitoring/kpis`, fetcher<Scorecard>, { ...options, refreshInterval: 6 * refreshInterval });
  const t = locale.startsWith("pt") ? texts.pt : texts.en;
  const number = (v: number, digits = 0) => v.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const kpi = (name: string) => kpis.data?.kpis.find((k) => k.name === name);
  const metrics = summary.data;

  if (!metrics) {
    return (
      <section className="monitoring-panel" aria-busy={!summary.error} aria-label={t.title}>
        <h3>{t.title}</h3>
        {summary.error ? <Failed t={t} text={t.failed} error={summary.error} retry={() => void summary.mutate()} /> : <p role="status">{t.loading}</p>}
      </section>
    );
  }
  const any = metrics.total_requests > 0;
  return (
    <section className="monitoring-panel" aria-label={t.title}>
      <h3>{t.title}</h3>
      {summary.error && <Failed t={t} text={t.stale} error={summary.error} retry={() => void summary.mutate()} />}
      <dl className="metrics-grid">
        <MetricCard t={t} locale={locale} name={t.requests} value={number(metrics.total_requests)} />
        <MetricCard t={t} locale={locale} name={t.success} value={any ? `${number(metrics.success_rate_percent, 1)}%` : "–"} kpi={kpi("success_rate")} />
        <MetricCard t={t} locale={locale} name={t.time} value={any ? `${number(metrics.avg_response_time_ms)} ms` : "–"} kpi={kpi("response_time")} />
        <MetricCard t={t} locale={locale} name={t.similarity} value={metrics.rag_avg_similarity > 0 ? number(metrics.rag_avg_similarity, 2) : "–"} kpi={kpi("rag_similarity")} />
      </dl>
    </section>
  );
}

function Failed({ t, text, error, retry }: { t: Texts; text: string; error: Error; retry: () => void }) {
  return (
    <p className="metrics-error" role="alert">
      {text} <small>{error.message}</small>{" "}
      <button type="button" onClick={retry}>{t.retry}</button>
    </p>
  );
}

function MetricCard({ t, locale, name, value, kpi }: { t: Texts; locale: string; name: string; value: string; kpi?: KPI | undefined }) {
  const status = kpi?.status === "met" || kpi?.status === "missed" ? kpi.status : "no_data";
  return (
    <div className={`metric-card ${kpi ? status : ""}`}>
      <dt>{name}</dt>
      <dd>
        <strong>{value}</strong>
        {kpi && <small>{t.target} {kpi.comparison} {targetOf(kpi, locale)} · {t[status]}</small>}
      </dd>
    </div>
  );
}

function targetOf(kpi: KPI, locale: string): string {
  if (kpi.unit === "ratio") return kpi.target.toLocaleString(locale, { style: "percent" });
  return kpi.target.toLocaleString(locale) + (kpi.unit === "ms" ? " ms" : "");
}
