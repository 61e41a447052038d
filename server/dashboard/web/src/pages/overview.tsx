import type { Alerts, Metrics, Models } from "../documents";
import { useDocument } from "../fetching";
import { Filters } from "../filters";
import { HistoryChart } from "../historychart";
import { bytes, cost, count, decimal, instant, language, milliseconds, moment, percent, rate, seconds, short, t, whole, word } from "../locale";
import { spentOn, useNumbers } from "../numbers";
import { Badge, Card, Figure, Figures, Meter, Says, Table, Trouble, type Tone } from "../parts";
import { code, say } from "../said";
import { useKpis, useTarget } from "../targets";
import { Sparkline, useTrends } from "../trend";
import { view } from "../view";

export function Overview() {
  const metrics = useNumbers<Metrics>("/monitoring/metrics");
  const models = useNumbers<Models>("/monitoring/models");
  const responseTime = useTarget("response_time");
  const errorRate = useTarget("error_rate");
  const m = metrics.value;
  const { model } = view.value;
  const spent = models.value ? spentOn(models.value, model) : null;
  return (
    <>
      <Filters title={t("nav.overview")} model />
      {metrics.error && <Trouble error={metrics.error} />}
      <Firing />
      {m && (
        <Figures busy={metrics.loading || models.loading}>
          <Figure label={t("requests")} value={whole(m.chat.total_requests)} note={m.chat.total_requests > 0 ? count("error", m.chat.failed_requests) : undefined} />
          <Figure label={t("success_rate")} value={m.chat.total_requests ? percent(1 - m.performance.error_rate / 100) : t("none")}
            tone={errorRate !== undefined && m.performance.error_rate > errorRate * 100 ? "bad" : undefined} />
          <Figure label={t("mean_time")} value={m.chat.total_requests ? milliseconds(m.performance.avg_response_time_ms) : t("none")} />
          <Figure label={t("similarity")} value={m.rag.total_searches ? decimal(m.rag.avg_similarity_score) : t("none")}
            note={count("search", m.rag.total_searches)} />
          <Figure label={t("tokens")} value={short(model ? spent?.tokens : m.llm.total_tokens)} note={count("call", model ? spent?.calls ?? 0 : m.llm.total_calls)} />
          <Figure label={t("cost")} value={cost(spent?.cost_usd)} note={spent ? `${t("models.coverage")}: ${percent(spent.coverage, 0)}` : undefined} />
          <Figure label={t("memory")} value={bytes(m.system.memory_usage_mb * 1024 * 1024)} note={t("uptime", { time: seconds(m.uptime_seconds) })} />
        </Figures>
      )}
      {!m && !metrics.error && <div class="placeholder" />}
      <Targets />
      <div class="grid">
        <HistoryChart title={t("chart.chats")} metrics={[{ metric: "requests", name: t("requests") }, { metric: "errors", name: t("errors") }]} format={rate} />
        <HistoryChart title={t("chart.latency")} metrics={[{ metric: "latency_p50", name: "p50" }, { metric: "latency_p95", name: "p95" }, { metric: "latency_p99", name: "p99" }]} format={milliseconds} target={responseTime} />
        <HistoryChart title={t("chart.tokens")} metrics={[{ metric: "tokens" }]} by="model" models format={short} stacked />
        <HistoryChart title={t("chart.cost")} metrics={[{ metric: "cost" }]} by="model" models stacked />
      </div>
      {models.value && <Mix models={models.value} />}
      <Rules />
    </>
  );
}

function localised(text: string | Record<string, string>): string {
  return typeof text === "string" ? text : (text[language.value] ?? text["en"] ?? Object.values(text)[0] ?? "");
}

const signs: Record<string, string> = { "~": "≈" };

const tones: Record<string, Tone> = { met: "good", missed: "bad", no_data: "calm" };

function byUnit(unit: string): (v: number | null) => string {
  switch (unit) {
    case "ratio": return (v) => percent(v);
    case "ms": return milliseconds;
    case "s": case "seconds": return seconds;
    case "usd": case "USD": return cost;
    case "bytes": case "By": return bytes;
    case "mb": case "MB": return (v) => bytes(v === null ? null : v * 1e6);
    default: return (v) => (v !== null && Number.isInteger(v) ? whole(v) : decimal(v));
  }
}

function Targets() {
  const kpis = useKpis();
  const trends = useTrends(kpis.flatMap((k) => k.series ?? []), Date.now());
  if (kpis.length === 0) return null;
  return (
    <Card title={t("kpi.title")}>
      <ul class="kpis">
        {kpis.map((k) => {
          const show = byUnit(k.unit);
          return (
            <li key={k.name}>
              <span>{localised(k.title)}</span>
              <Sparkline values={trends.get(k.series ?? "")} target={k.target} tone={tones[k.status] ?? "calm"} />
              <b>{show(k.value)}</b>
              <Badge tone={tones[k.status] ?? "calm"}>{word("kpi.", k.status)}</Badge>
              <small>
                {t("kpi.target")} {signs[k.comparison] ?? k.comparison} {show(k.target)}{k.tolerance ? ` ± ${show(k.tolerance)}` : ""} · {t("kpi.window", { time: seconds(k.window_seconds) })}
                {k.sample_count !== null && ` · ${count("sample", k.sample_count)}`}
              </small>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}

function Firing() {
  const doc = useDocument<Alerts>("/monitoring/alerts").value;
  const firing = doc?.alerts.flatMap((a) => a.instances.filter((i) => i.state === "firing")) ?? [];
  if (firing.length === 0) return null;
  return (
    <section class="card" aria-label={t("alerts.title")}>
      {firing.map((i) => {
        const text = i.texts[language.value] ?? i.texts["en"];
        return (
          <p class="notice" role="status" key={i.fingerprint}>
            <Badge tone={i.severity === "critical" ? "bad" : "warn"}>{code("severity", i.severity)}</Badge>{" "}
            <b>{text?.summary ?? i.rule}</b> {text?.description}{" "}
            <span class="dim">{t("alerts.since", { time: moment(instant(i.since)) })}</span>
          </p>
        );
      })}
    </section>
  );
}

// Every rule with its state, for who wants to know what is watched.
function Rules() {
  const doc = useDocument<Alerts>("/monitoring/alerts").value;
  if (!doc || doc.alerts.length === 0) return null;
  const firing = doc.alerts.filter((a) => a.state === "firing").length;
  return (
    <Card title={t("alerts.title")} aside={<span class="dim">{firing === 0 ? t("alerts.none") : ""}</span>}>
      <details>
        <summary>{t("alerts.all")} ({whole(doc.alerts.length)})</summary>
        <Table label={t("alerts.all")} rows={doc.alerts} id={(a) => a.name} columns={[
          { title: t("alert.rule"), cell: (a) => <>{a.name}{a.error && <Says text={say("said.other")} raw={a.error} />}</> },
          { title: t("alert.state"), cell: (a) => <Badge tone={a.state === "firing" ? "bad" : a.state === "pending" ? "warn" : "calm"}>{code("alerts", a.state)}</Badge> },
          { title: t("alert.severity"), cell: (a) => code("severity", a.severity) },
          { title: "PromQL", cell: (a) => <span class="mono">{a.expression}</span> },
        ]} />
      </details>
    </Card>
  );
}

// The guide's mix: by family, beside its target.
function Mix({ models }: { models: Models }) {
  const kpis = useKpis();
  const wanted = (family: string) => kpis.find((k) => k.name === `model_share_${family}`)?.target;
  const llm = models.models.filter((m) => m.kind === "llm");
  const all = llm.reduce((sum, m) => sum + m.calls, 0);
  if (all === 0) return null;
  const families = new Map<string, number>();
  for (const m of llm) families.set(m.family, (families.get(m.family) ?? 0) + m.calls);
  return (
    <Card title={t("chart.mix")}>
      <ul class="kpis">
        {[...families].sort((a, b) => b[1] - a[1]).map(([family, calls]) => (
          <li key={family}>
            <span>{code("family", family)}</span>
            <span><Meter share={calls / all} /><b>{percent(calls / all, 0)}</b></span>
            <span class="dim">{wanted(family) === undefined ? "" : t("chart.mix.target", { share: percent(wanted(family), 0) })}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
