import type { Model, Models } from "../documents";
import { useDocument } from "../fetching";
import { Filters } from "../filters";
import { HistoryChart } from "../historychart";
import { cost, day, instant, milliseconds, percent, short, t, whole, word } from "../locale";
import { spentOn, useNumbers } from "../numbers";
import { Card, Figure, Figures, Meter, Table, Trouble } from "../parts";
import { useTarget } from "../targets";
import { view } from "../view";

export function ModelsPage() {
  const models = useNumbers<Models>("/monitoring/models");
  const d = models.value;
  const { model } = view.value;
  const spent = d ? spentOn(d, model) : null;
  const day24 = useDocument<Models>(lastDay(view.value.service)).value;
  const covered = useTarget("price_coverage");
  const shown = d?.models.filter((m) => model === "" || m.model === model) ?? [];
  return (
    <>
      <Filters title={t("nav.models")} model />
      {models.error && <Trouble error={models.error} />}
      {d && spent && (
        <Figures busy={models.loading}>
          <Figure label={t("cost")} value={cost(spent.cost_usd)} note={t("models.prices", { date: day(instant(d.prices_date + "T00:00:00Z")) })} />
          <Figure label={t("models.projection")} value={cost(day24 ? projection(spentOn(day24, model).cost_usd, new Date()) : null)} note={t("models.projection.about")} />
          <Figure label={t("tokens")} value={short(spent.tokens)} />
          <Figure label={t("calls")} value={whole(spent.calls)} />
          <Figure label={t("models.coverage")} value={percent(spent.coverage)} tone={covered !== undefined && (spent.coverage ?? 1) < covered ? "bad" : undefined} />
        </Figures>
      )}
      {spent && <Unpriced models={shown} tokens={spent.unpriced} />}
      <div class="grid">
        <HistoryChart title={t("chart.cost")} metrics={[{ metric: "cost" }]} by="model" models stacked />
        <HistoryChart title={t("chart.calls")} metrics={[{ metric: "llm_calls" }]} by="model" models format={short} stacked />
        <HistoryChart title={t("chart.model_latency")} metrics={[{ metric: "llm_latency_p95" }]} by="model" models format={milliseconds} />
        <HistoryChart title={t("chart.ttft")} metrics={[{ metric: "first_token_p95" }]} by="model" models format={milliseconds} />
      </div>
      {d && (
        <Card title={t("models.title")}>
          <Table<Model> label={t("models.title")} rows={shown} id={(m) => m.kind + m.model} cards columns={[
            { title: t("models.model"), cell: (m) => <><b>{m.model}</b> <span class="dim">{m.providers.join(", ")}</span></> },
            { title: t("models.kind"), cell: (m) => word("kind.", m.kind) },
            { title: t("models.calls"), number: true, cell: (m) => whole(m.calls) },
            { title: t("models.share"), cell: (m) => <span class="share"><Meter share={m.share_of_calls_ratio ?? 0} />{percent(m.share_of_calls_ratio, 0)}</span> },
            { title: t("models.errors"), number: true, cell: (m) => whole(m.errors) },
            { title: t("models.p50"), number: true, cell: (m) => milliseconds(m.latency.p50_ms) },
            { title: t("models.p95"), number: true, cell: (m) => milliseconds(m.latency.p95_ms) },
            { title: t("models.ttft"), number: true, cell: (m) => milliseconds(m.time_to_first_token.p95_ms) },
            { title: t("models.input"), number: true, cell: (m) => short(m.tokens.input) },
            { title: t("models.cached"), number: true, cell: (m) => short(m.tokens.cache_read + m.tokens.cache_write) },
            { title: t("models.output"), number: true, cell: (m) => short(m.tokens.output) },
            { title: t("models.reasoning"), number: true, cell: (m) => short(m.tokens.reasoning) },
            { title: t("models.total"), number: true, cell: (m) => short(m.tokens.total) },
            { title: t("models.cost"), number: true, cell: (m) => (m.price_coverage_ratio ? cost(m.cost_usd) : t("none")) },
          ]} />
        </Card>
      )}
    </>
  );
}

function lastDay(service: string): string {
  const parameters = new URLSearchParams({ window: "24h" });
  if (service) parameters.set("service", service);
  return `/monitoring/models?${parameters}`;
}

// All days of this month at what the last one cost.
function projection(spent: number, now: Date): number {
  return spent * new Date(now.getFullYear(), now.getMonth() + 1, 0).getDate();
}

function Unpriced({ models, tokens }: { models: Model[]; tokens: number }) {
  const names = models.filter((m) => m.unpriced_tokens > 0).map((m) => `${m.model} (${word("kind.", m.kind)})`);
  if (names.length === 0) return null;
  return <p class="notice">{t("models.unpriced", { models: names.join(", "), tokens: whole(tokens) })}</p>;
}
