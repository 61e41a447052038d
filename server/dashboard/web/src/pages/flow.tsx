// What came in, what was refused, what became of the spans, and the journal.
import { bytes, seconds, t, whole } from "../locale";
import { Badge, Card, Figure, Figures, Table } from "../parts";
import { became, code } from "../said";

export interface Flow {
  journal: { bytes: number; limit_bytes: number; room_bytes: number; oldest_age_seconds: number | null };
  received: { door: string; signal: string; requests: number; items: number; bytes: number }[];
  refused: { door: string; reason: string; requests: number }[];
  admitted_spans: number; open_spans: number; late_spans: number;
  spans: { disposition: string; reason: string; spans: number }[];
  rejected: { reason: string; spans: number }[];
}

export function FlowFigures({ flow }: { flow: Flow }) {
  const suppressed = flow.spans.filter((s) => s.disposition !== "recorded").reduce((sum, s) => sum + s.spans, 0);
  const rejected = flow.rejected.reduce((sum, r) => sum + r.spans, 0);
  return (
    <Figures>
      <Figure label={t("pipeline.admitted")} value={whole(flow.admitted_spans)} note={t("pipeline.open", { n: whole(flow.open_spans) })} />
      <Figure label={t("pipeline.suppressed")} value={whole(suppressed)} />
      <Figure label={t("pipeline.cutout")} value={whole(rejected)} tone={rejected > 0 ? "bad" : undefined} />
      <Figure label={t("pipeline.late")} value={whole(flow.late_spans)} />
      <Figure label={`${t("pipeline.journal")}: ${t("pipeline.journal.bytes").toLowerCase()}`} value={bytes(flow.journal.bytes)} note={t("pipeline.journal.limit", { bytes: bytes(flow.journal.limit_bytes) })} />
      <Figure label={`${t("pipeline.journal")}: ${t("pipeline.journal.age").toLowerCase()}`} value={seconds(flow.journal.oldest_age_seconds)} />
    </Figures>
  );
}

export function FlowTables({ flow }: { flow: Flow }) {
  return (
    <>
      {flow.received.length > 0 && (
        <Card title={t("pipeline.received")}>
          <Table label={t("pipeline.received")} rows={flow.received} id={(r) => r.door + " " + r.signal} columns={[
            { title: t("pipeline.door"), cell: (r) => `${code("door", r.door)} · ${code("signal", r.signal)}` },
            { title: t("pipeline.requests"), number: true, cell: (r) => whole(r.requests) },
            { title: t("pipeline.items"), number: true, cell: (r) => whole(r.items) },
            { title: t("pipeline.journal.bytes"), number: true, cell: (r) => bytes(r.bytes) },
          ]} />
        </Card>
      )}
      {flow.refused.length > 0 && (
        <Card title={t("pipeline.refused")}>
          <Table label={t("pipeline.refused")} rows={flow.refused} id={(r) => r.door + " " + r.reason} columns={[
            { title: t("pipeline.door"), cell: (r) => code("door", r.door) },
            { title: t("pipeline.reason"), cell: (r) => code("refused", r.reason) },
            { title: t("pipeline.requests"), number: true, cell: (r) => whole(r.requests) },
          ]} />
        </Card>
      )}
      {(flow.spans.length > 0 || flow.rejected.length > 0) && (
        <Card title={t("pipeline.counts")}>
          <Table label={t("pipeline.counts")} rows={[...flow.spans, ...flow.rejected.map((r) => ({ ...r, disposition: "rejected" }))]} id={(s) => s.disposition + " " + s.reason} columns={[
            { title: t("pipeline.state"), cell: (s) => <Badge tone={s.disposition === "recorded" ? "good" : s.disposition === "rejected" || s.disposition === "refused" ? "warn" : "calm"}>{code("disposition", s.disposition)}</Badge> },
            { title: t("pipeline.reason"), cell: (s) => became(s.disposition, s.reason) },
            { title: t("runs.spans"), number: true, cell: (s) => whole(s.spans) },
          ]} />
        </Card>
      )}
    </>
  );
}
