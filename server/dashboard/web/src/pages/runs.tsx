import { useEffect, useState } from "preact/hooks";
import type { RunList, RunSummary } from "../documents";
import { get, useDocument } from "../fetching";
import { Choice, Filters } from "../filters";
import { decimal, instant, milliseconds, moment, money, short, t, whole, word } from "../locale";
import { Badge, Card, Table, Trouble, type Tone } from "../parts";
import { go, link, view } from "../view";

const tones: Record<string, Tone> = { success: "good", failure: "bad", running: "warn" };
const page = 100;

export function Runs() {
  const { service, model, outcome, feedback, query } = view.value;
  const asked = useSettled(query);
  const parameters = new URLSearchParams({ limit: String(page) });
  for (const [name, value] of Object.entries({ service, model, outcome, feedback, q: asked })) if (value) parameters.set(name, value);
  const list = useDocument<RunList>(`/monitoring/runs?${parameters}`);
  const kept = useLast(list.value);
  const older = useOlder(parameters.toString());
  const first = kept?.runs ?? [];
  const known = new Set(first.map((r) => r.run_id + r.trace_id));
  const runs = [...first, ...older.runs.filter((r) => !known.has(r.run_id + r.trace_id))];
  const next = older.next ?? kept?.next ?? "";
  return (
    <>
      <Filters title={t("nav.runs")} model range={false}>
        <label>
          {t("runs.filter")}
          <input type="search" value={query} placeholder={t("runs.filter.hint")} onInput={(e) => go({ query: e.currentTarget.value }, true)} />
        </label>
        <Choice label={t("runs.outcome")} value={outcome} values={["success", "failure", "running"]} name={(v) => word("runs.", v)} pick={(v) => go({ outcome: v })} />
        <Choice label={t("runs.feedback")} value={feedback} values={["positive", "negative"]} name={(v) => word("runs.", v)} pick={(v) => go({ feedback: v })} />
      </Filters>
      {list.error && <Trouble error={list.error} content />}
      {kept && (
        <Card title={t("runs.count", { n: whole(runs.length), total: whole(kept.total) })} aside={<span class="dim">{t("runs.since", { time: moment(instant(kept.indexed_from)) })}</span>}>
          {runs.length === 0 ? <p class="empty">{t("runs.none")}</p> : <List runs={runs} />}
          {next && <p><button type="button" onClick={() => void older.load(next)}>{t("runs.more")}</button> <span role="status">{older.error}</span></p>}
          {kept.not_indexed > 0 && <p class="dim">{t("runs.not_indexed", { n: whole(kept.not_indexed) })}</p>}
        </Card>
      )}
    </>
  );
}

function List({ runs }: { runs: RunSummary[] }) {
  return (
    <div class="runs">
      <Table<RunSummary> label={t("nav.runs")} rows={runs} id={(r) => r.run_id + r.trace_id} columns={[
        { title: t("runs.name"), cell: (r) => <a href={link("run", { run: r.run_id })}>{r.name || r.run_id}</a> },
        { title: t("filter.service"), cell: (r) => r.service },
        { title: t("runs.start"), cell: (r) => moment(instant(r.start)) },
        { title: t("runs.outcome"), cell: (r) => <Badge tone={tones[r.outcome] ?? "calm"}>{r.error_type || word("runs.", r.outcome)}</Badge> },
        { title: t("runs.duration"), number: true, cell: (r) => milliseconds(r.duration_ms) },
        { title: t("filter.model"), cell: (r) => r.model ?? "" },
        { title: t("runs.tokens"), number: true, cell: (r) => short(r.tokens) },
        { title: t("runs.cost"), number: true, cell: (r) => money(r.cost_usd) },
        { title: t("runs.similarity"), number: true, cell: (r) => decimal(r.similarity) },
        { title: t("runs.feedback"), cell: (r) => <Judged score={r.feedback} /> },
        { title: t("runs.spans"), number: true, cell: (r) => whole(r.spans) },
      ]} />
    </div>
  );
}

export function Judged({ score }: { score: number | null | undefined }) {
  if (score === null || score === undefined) return null;
  return <Badge tone={score >= 0.5 ? "good" : "bad"}>{score === 1 ? t("runs.positive") : score === 0 ? t("runs.negative") : decimal(score)}</Badge>;
}

// The pages behind the first one, asked for one by one; forgotten when another list is asked for.
function useOlder(question: string) {
  const [state, setState] = useState<{ question: string; runs: RunSummary[]; next: string | null; error: string }>({ question, runs: [], next: null, error: "" });
  const present = state.question === question ? state : { question, runs: [], next: null, error: "" };
  return {
    ...present,
    load: async (cursor: string) => {
      try {
        const list = await get<RunList>(`/monitoring/runs?${question}&cursor=${encodeURIComponent(cursor)}`);
        setState({ question, runs: [...present.runs, ...list.runs], next: list.next, error: "" });
      } catch (e) {
        setState({ ...present, error: e instanceof Error ? e.message : String(e) });
      }
    },
  };
}

// What was typed, once the typing rests.
function useSettled(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), 150);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

// The list before stays until the next has come, so that nothing flickers.
function useLast<T>(value: T | null): T | null {
  const [last, setLast] = useState<T | null>(value);
  useEffect(() => {
    if (value !== null) setLast(value);
  }, [value]);
  return value ?? last;
}
