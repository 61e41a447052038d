import type { Alerts, Sink } from "../documents";
import { useDocument } from "../fetching";
import { HistoryChart } from "../historychart";
import { ago, bytes, instant, language, percent, seconds, short, t, whole } from "../locale";
import { Badge, Card, Says, Table, Trouble, type Tone } from "../parts";
import { code, fault, sentence } from "../said";
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

const tones: Record<string, Tone> = { ok: "good", running: "good", idle: "calm", sending: "good", retrying: "warn", waiting: "warn", paused: "bad", stopped: "bad" };

export function Pipeline() {
  const sinks = useDocument<{ sinks: Sink[] }>("/monitoring/sinks");
  const ready = useDocument<Ready>("/readyz?verbose").value;
  const health = useDocument<Health>("/monitoring/health?verbose=1").value;
  const entries = useDocument<Entries>("/monitoring/chats/entries").value?.entries ?? [];
  const services = health?.telemetry?.services ?? [];
  const flow = health?.telemetry?.flow;
  const unmapped = health?.telemetry?.unmapped_attributes ?? [];
  const alerts = useDocument<Alerts>("/monitoring/alerts").value;
  const receivers = alerts?.receivers ?? [];
  return (
    <>
      <h1>{t("nav.pipeline")}</h1>
      {ready?.notices?.map((n) => <div class="notice" key={n}><Says text={sentence(n)} raw={n} /></div>)}
      {health?.reasons?.map((r) => <div class="notice" key={r}><Says text={firing(r, alerts) ?? sentence(r)} raw={r} /></div>)}
      {flow ? <FlowFigures flow={flow} /> : <div class="placeholder" />}
      <Card title={t("pipeline.sinks")}>
        {sinks.error && <Trouble error={sinks.error} />}
        {sinks.value?.sinks.length === 0 && <p class="dim">{t("pipeline.sinks.none")}</p>}
        {sinks.value && sinks.value.sinks.length > 0 && (
          <Table<Sink> label={t("pipeline.sinks")} rows={sinks.value.sinks} id={(s) => s.name} cards columns={[
            { title: t("pipeline.sink"), cell: (s) => <><b>{s.name}</b> <span class="dim">{s.profile}</span></> },
            { title: t("pipeline.state"), cell: (s) => <Badge tone={tones[s.state] ?? "calm"}>{code("state", s.state)}</Badge> },
            { title: t("pipeline.waiting"), number: true, cell: (s) => `${whole(s.queue_spans)} (${bytes(s.queue_bytes)})` },
            { title: t("pipeline.age"), number: true, cell: (s) => seconds(s.oldest_age_seconds) },
            { title: t("pipeline.sent"), number: true, cell: (s) => whole(s.sent_spans) },
            { title: t("pipeline.rejected"), number: true, cell: (s) => whole(s.rejected_spans) },
            { title: t("pipeline.dead"), number: true, cell: (s) => whole(s.dead_lettered_spans) },
            { title: t("pipeline.expired"), number: true, cell: (s) => whole(s.expired_spans) },
            { title: t("pipeline.sampled"), number: true, cell: (s) => whole(s.sampled_out_spans) },
            { title: t("pipeline.last"), cell: (s) => <LastError sink={s} /> },
          ]} />
        )}
      </Card>
      <div class="grid three">
        <HistoryChart title={t("chart.spans")} own metrics={[{ metric: "spans", name: t("pipeline.spans") }]} format={(v) => short(v)} />
        <HistoryChart title={t("chart.journal")} own metrics={[{ metric: "journal_bytes", name: t("pipeline.journal.bytes") }]} format={bytes} ticks="binary" />
        {(sinks.value?.sinks.length ?? 0) > 0 && <HistoryChart title={t("chart.lag")} own metrics={[{ metric: "sink_lag" }]} by="sink" format={seconds} ticks="time" />}
      </div>
      <div class="grid two">
        {services.length > 0 && (
          <Card title={t("pipeline.services")}>
            <Table label={t("pipeline.services")} rows={services} id={(s) => s.service} cards columns={[
              { title: t("pipeline.service"), cell: (s) => <span class="name">{s.service}</span> },
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
              { title: t("pipeline.count"), number: true, cell: (u) => whole(u.count) },
            ]} />
          </Card>
        )}
        {entries.length > 0 && (
          <Card title={t("pipeline.entries")}>
            <Table label={t("pipeline.entries")} rows={entries} id={(e) => e.service + " " + e.name} columns={[
              { title: t("pipeline.service"), cell: (e) => e.service },
              { title: t("pipeline.entry"), cell: (e) => e.name },
              { title: t("pipeline.entry.counts"), cell: (e) => <Badge tone={e.counts ? "good" : "calm"}>{e.counts ? t("pipeline.yes") : t("pipeline.no")}</Badge> },
              { title: t("pipeline.count"), number: true, cell: (e) => whole(e.count) },
            ]} />
          </Card>
        )}
        {receivers.length > 0 && (
          <Card title={t("pipeline.receivers")}>
            <Table label={t("pipeline.receivers")} rows={receivers} id={(r) => r.name} cards columns={[
              { title: t("pipeline.sink"), cell: (r) => <><b>{r.name}</b> <span class="dim">{r.kind}</span></> },
              { title: t("pipeline.state"), cell: (r) => <Badge tone={tones[r.state] ?? "calm"}>{code("state", r.state)}</Badge> },
              { title: t("pipeline.waiting"), number: true, cell: (r) => whole(r.waiting) },
              { title: t("pipeline.sent"), number: true, cell: (r) => whole(r.sent) },
              { title: t("pipeline.last"), cell: (r) => r.last_error && <Says text={fault(r.last_error)} raw={r.last_error} /> },
            ]} />
          </Card>
        )}
        {ready?.checks && (
          <Card title={t("pipeline.checks")}>
            <Table label={t("pipeline.checks")} rows={ready.checks} id={(c) => c.name} columns={[
              { title: t("pipeline.check"), cell: (c) => code("check", c.name) },
              { title: t("pipeline.state"), cell: (c) => <Badge tone={c.status === "ok" ? "good" : "bad"}>{code("state", c.status)}</Badge> },
              { title: t("pipeline.detail"), cell: (c) => c.reason && <Says text={sentence(c.reason)} raw={c.reason} /> },
            ]} />
          </Card>
        )}
      </div>
    </>
  );
}

// A reason that names a rule is its alert, which has texts in both languages.
function firing(reason: string, alerts: Alerts | null): string | undefined {
  const instances = alerts?.alerts.flatMap((a) => a.instances) ?? [];
  const texts = instances.find((i) => i.state === "firing" && reason.startsWith(`${i.rule}: `))?.texts;
  return (texts?.[language.value] ?? texts?.["en"])?.summary;
}

function LastError({ sink }: { sink: Sink }) {
  if (!sink.last_error) return null;
  const next = sink.next_try && t("pipeline.next", { time: t("in", { time: seconds(Math.max(0, ((instant(sink.next_try)?.getTime() ?? 0) - Date.now()) / 1000)) }) });
  return <Says text={fault(sink.last_error)} raw={sink.last_error} aside={<span class="dim">{ago(instant(sink.last_error_time))}{next && `, ${next}`}</span>} />;
}
