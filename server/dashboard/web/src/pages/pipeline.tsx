import type { Alerts, Sink } from "../documents";
import { useDocument } from "../fetching";
import { HistoryChart } from "../historychart";
import { ago, bytes, instant, percent, seconds, short, t, whole, word } from "../locale";
import { Badge, Card, Table, Trouble, type Tone } from "../parts";
import { FlowFigures, FlowTables, type Flow } from "./flow";

interface Ready { status: string; reasons: string[]; notices?: string[]; checks?: { name: string; status: string; reason?: string }[] }
interface Health {
  status: string; reasons?: string[];
  telemetry?: {
    services: { service: string; last_seen_seconds: number | null; unpriced_tokens_ratio: number | null; streams_without_usage_ratio: number | null; searches_without_scores_ratio: number | null }[];
    unmapped_attributes: { attribute: string; count: number }[];
    flow: Flow | null;
  };
}
interface Entries { entries: { service: string; name: string; counts: boolean; count: number }[] }

const tones: Record<string, Tone> = { ok: "good", running: "good", idle: "calm", sending: "good", retrying: "warn", waiting: "warn", paused: "bad" };

export function Pipeline() {
  const sinks = useDocument<{ sinks: Sink[] }>("/monitoring/sinks");
  const ready = useDocument<Ready>("/readyz?verbose").value;
  const health = useDocument<Health>("/monitoring/health?verbose=1").value;
  const entries = useDocument<Entries>("/monitoring/chats/entries").value?.entries ?? [];
  const services = health?.telemetry?.services ?? [];
  const flow = health?.telemetry?.flow;
  const unmapped = health?.telemetry?.unmapped_attributes ?? [];
  const receivers = useDocument<Alerts>("/monitoring/alerts").value?.receivers ?? [];
  return (
    <>
      <h1>{t("nav.pipeline")}</h1>
      {ready?.notices?.map((n) => <p class="notice" key={n}>{n}</p>)}
      {health?.reasons?.map((r) => <p class="notice" key={r}>{r}</p>)}
      {flow && <FlowFigures flow={flow} />}
      <Card title={t("pipeline.sinks")}>
        {sinks.error && <Trouble error={sinks.error} />}
        {sinks.value?.sinks.length === 0 && <p class="dim">{t("pipeline.sinks.none")}</p>}
        {sinks.value && sinks.value.sinks.length > 0 && (
          <Table<Sink> label={t("pipeline.sinks")} rows={sinks.value.sinks} id={(s) => s.name} columns={[
            { title: t("pipeline.sink"), cell: (s) => <><b>{s.name}</b> <span class="dim">{s.profile}</span></> },
            { title: t("pipeline.state"), cell: (s) => <Badge tone={tones[s.state] ?? "calm"}>{word("state.", s.state)}</Badge> },
            { title: t("pipeline.waiting"), number: true, cell: (s) => `${whole(s.queue_spans)} (${bytes(s.queue_bytes)})` },
            { title: t("pipeline.age"), number: true, cell: (s) => seconds(s.oldest_age_seconds) },
            { title: t("pipeline.sent"), number: true, cell: (s) => whole(s.sent_spans) },
            { title: t("pipeline.rejected"), number: true, cell: (s) => whole(s.rejected_spans) },
            { title: t("pipeline.dead"), number: true, cell: (s) => whole(s.dead_lettered_spans) },
            { title: t("pipeline.expired"), number: true, cell: (s) => whole(s.expired_spans) },
            { title: t("pipeline.last"), cell: (s) => <LastError sink={s} /> },
          ]} />
        )}
      </Card>
      <div class="grid">
        <HistoryChart title={t("chart.spans")} own metrics={[{ metric: "spans", name: t("pipeline.spans") }]} format={(v) => short(v)} />
        <HistoryChart title={t("chart.journal")} own metrics={[{ metric: "journal_bytes", name: t("pipeline.journal.bytes") }]} format={bytes} />
        {(sinks.value?.sinks.length ?? 0) > 0 && <HistoryChart title={t("chart.lag")} own metrics={[{ metric: "sink_lag" }]} by="sink" format={seconds} />}
      </div>
      <div class="grid two">
        {services.length > 0 && (
          <Card title={t("pipeline.services")}>
            <Table label={t("pipeline.services")} rows={services} id={(s) => s.service} columns={[
              { title: t("pipeline.service"), cell: (s) => s.service },
              { title: t("pipeline.seen"), cell: (s) => (s.last_seen_seconds === null ? t("none") : t("ago", { time: seconds(s.last_seen_seconds) })) },
              { title: t("quality.unpriced"), number: true, cell: (s) => percent(s.unpriced_tokens_ratio) },
              { title: t("quality.usage"), number: true, cell: (s) => percent(s.streams_without_usage_ratio) },
              { title: t("quality.scores"), number: true, cell: (s) => percent(s.searches_without_scores_ratio) },
            ]} />
          </Card>
        )}
        {flow && <FlowTables flow={flow} />}
        {unmapped.length > 0 && (
          <Card title={t("pipeline.unmapped")}>
            <Table label={t("pipeline.unmapped")} rows={unmapped} id={(u) => u.attribute} columns={[
              { title: t("pipeline.attribute"), cell: (u) => <span class="mono">{u.attribute}</span> },
              { title: "n", number: true, cell: (u) => whole(u.count) },
            ]} />
          </Card>
        )}
        {entries.length > 0 && (
          <Card title={t("pipeline.entries")}>
            <Table label={t("pipeline.entries")} rows={entries} id={(e) => e.service + " " + e.name} columns={[
              { title: t("pipeline.service"), cell: (e) => e.service },
              { title: t("pipeline.entry"), cell: (e) => e.name },
              { title: t("pipeline.entry.counts"), cell: (e) => <Badge tone={e.counts ? "good" : "calm"}>{e.counts ? t("pipeline.yes") : t("pipeline.no")}</Badge> },
              { title: "n", number: true, cell: (e) => whole(e.count) },
            ]} />
          </Card>
        )}
        {receivers.length > 0 && (
          <Card title={t("pipeline.receivers")}>
            <Table label={t("pipeline.receivers")} rows={receivers} id={(r) => r.name} columns={[
              { title: t("pipeline.sink"), cell: (r) => <><b>{r.name}</b> <span class="dim">{r.kind}</span></> },
              { title: t("pipeline.state"), cell: (r) => <Badge tone={tones[r.state] ?? "calm"}>{word("state.", r.state)}</Badge> },
              { title: t("pipeline.waiting"), number: true, cell: (r) => whole(r.waiting) },
              { title: t("pipeline.sent"), number: true, cell: (r) => whole(r.sent) },
              { title: t("pipeline.last"), cell: (r) => r.last_error },
            ]} />
          </Card>
        )}
        {ready?.checks && (
          <Card title={t("pipeline.checks")}>
            <Table label={t("pipeline.checks")} rows={ready.checks} id={(c) => c.name} columns={[
              { title: t("pipeline.check"), cell: (c) => c.name },
              { title: t("pipeline.state"), cell: (c) => <Badge tone={c.status === "ok" ? "good" : "bad"}>{word("state.", c.status)}</Badge> },
              { title: t("pipeline.detail"), cell: (c) => c.reason ?? "" },
            ]} />
          </Card>
        )}
      </div>
    </>
  );
}

function LastError({ sink }: { sink: Sink }) {
  if (!sink.last_error) return null;
  return (
    <span>
      {sink.last_error} <span class="dim">{ago(instant(sink.last_error_time))}{sink.next_try && `, ${t("pipeline.next", { time: seconds(Math.max(0, ((instant(sink.next_try)?.getTime() ?? 0) - Date.now()) / 1000)) })}`}</span>
    </span>
  );
}
