import { useState } from "preact/hooks";
import type { Run, Span } from "../documents";
import { post, useDocument } from "../fetching";
import { instant, milliseconds, moment, money, t, whole, word } from "../locale";
import { Badge, Card, Copy, Trouble } from "../parts";
import { go, link, view } from "../view";
import { Judged } from "./runs";
import { SpanDetail } from "./span";

export function RunPage({ id }: { id: string }) {
  const path = `/monitoring/runs/${encodeURIComponent(id)}?explain=1`;
  const loaded = useDocument<Run>(path);
  const run = loaded.value;
  if (!run) {
    return (
      <>
        <p><a href={link("runs")}>← {t("run.back")}</a></p>
        {loaded.error?.status === 404 ? <p class="notice">{t("run.notfound")} <span class="mono">{id}</span></p>
          : loaded.error ? <Trouble error={loaded.error} content /> : <p class="empty">{t("loading")}</p>}
      </>
    );
  }
  const rows = flatten(run.tree);
  const open = rows.find((r) => r.span.span_id === view.value.span) ?? rows[0];
  return (
    <>
      <div class="bar">
        <p><a href={link("runs")}>← {t("run.back")}</a></p>
        <div class="bar right">
          {safe(run.langsmith_url) && <a href={run.langsmith_url} target="_blank" rel="noopener noreferrer">{t("run.langsmith")}</a>}
          <Copy label={t("run.copy.json")} text={() => JSON.stringify(run, null, 2)} />
          <Copy label={t("run.copy.curl")} text={() => `curl '${location.origin}${path}'`} />
        </div>
      </div>
      <div class="bar">
        <h1>{run.name}</h1>
        <Badge tone={run.outcome === "failure" ? "bad" : run.outcome === "running" ? "warn" : "good"}>{run.error_type || word("runs.", run.outcome)}</Badge>
        <Judged score={run.feedback} />
      </div>
      <dl class="facts">
        <div><dt>{t("filter.service")}</dt><dd>{run.service}</dd></div>
        <div><dt>{t("runs.start")}</dt><dd>{moment(instant(run.start))}</dd></div>
        <div><dt>{t("runs.duration")}</dt><dd>{milliseconds(run.duration_ms)}</dd></div>
        {run.counted && <div><dt>{t("run.counted.run")}</dt><dd>{counted(run.counted)}</dd></div>}
        <div><dt>id</dt><dd class="mono">{run.run_id}</dd></div>
      </dl>
      {run.repeated_spans > 0 && <p class="notice">{t("run.repeated", { n: run.repeated_spans })}</p>}
      {!run.search.complete && <p class="notice">{t("run.incomplete")}</p>}
      <div class="run">
        <Card title={t("run.tree")}><Tree rows={rows} open={open?.span.span_id ?? ""} /></Card>
        <div class="detail">
          {open && <SpanDetail span={open.span} key={open.span.span_id} />}
          <Feedback run={run} />
        </div>
      </div>
    </>
  );
}

function counted(c: NonNullable<Run["counted"]>): string {
  const parts: [number, string][] = [
    [c.chats, t("requests")], [c.searches, t("rag.searches")], [c.llm_calls, t("calls")], [c.llm_tokens, t("tokens")],
  ];
  const said = parts.filter(([n]) => n > 0).map(([n, name]) => `${whole(n)} ${name.toLowerCase()}`);
  if (c.cost_usd > 0) said.push(money(c.cost_usd));
  return said.length > 0 ? said.join(" · ") : t("none");
}

// A link that the service made, but only to where a browser may go.
function safe(url: string): boolean {
  return /^https?:\/\//.test(url);
}

interface Row { span: Span; depth: number; left: number; width: number }

function flatten(tree: Span[]): Row[] {
  const spans: { span: Span; depth: number; from: number; to: number }[] = [];
  const visit = (list: Span[], depth: number) => {
    for (const span of list) {
      const from = instant(span.start)?.getTime() ?? 0;
      spans.push({ span, depth, from, to: from + (span.duration_ms ?? 0) });
      visit(span.children, depth + 1);
    }
  };
  visit(tree, 0);
  const known = spans.filter((s) => s.from > 0);
  const first = Math.min(...known.map((s) => s.from));
  const length = Math.max(1, Math.max(...known.map((s) => s.to)) - first);
  return spans.map((s) => ({
    span: s.span, depth: s.depth,
    left: s.from > 0 ? ((s.from - first) / length) * 100 : 0, width: ((s.to - s.from) / length) * 100,
  }));
}

// The tree and the waterfall in one: a list of spans that the arrow keys walk.
function Tree({ rows, open }: { rows: Row[]; open: string }) {
  const move = (e: KeyboardEvent, by: number) => {
    const at = rows.findIndex((r) => r.span.span_id === open);
    const next = rows[at + by];
    if (!next) return;
    e.preventDefault();
    go({ span: next.span.span_id }, true);
    const list = (e.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("[role=tab]");
    list[at + by]?.focus();
  };
  return (
    <ul class="tree" role="tablist" aria-orientation="vertical" aria-label={t("run.tree")}
      onKeyDown={(e) => (e.key === "ArrowDown" ? move(e, 1) : e.key === "ArrowUp" ? move(e, -1) : undefined)}>
      {rows.map(({ span, depth, left, width }) => (
        <li key={span.span_id} role="presentation" class={span.outcome} style={{ paddingLeft: `${Math.min(depth, 12) * 14}px` }}>
          <button type="button" role="tab" aria-selected={span.span_id === open} tabIndex={span.span_id === open ? 0 : -1}
            onClick={() => go({ span: span.span_id }, true)}>
            <span class="name"><span class="kind">{span.kind}</span>{span.name}</span>
            <span class="time">{milliseconds(span.duration_ms)}</span>
            <span class="lane" aria-hidden="true"><span style={{ left: `${Math.min(left, 99)}%`, width: `${Math.max(0.5, Math.min(width, 100))}%` }} /></span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function Feedback({ run }: { run: Run }) {
  const [comment, setComment] = useState("");
  const [state, setState] = useState("");
  const send = async (score: number) => {
    try {
      await post("/monitoring/feedback", { run_id: run.run_id, key: "user-score", score, ...(comment ? { comment } : {}) });
      setState(t("run.feedback.thanks"));
    } catch (e) {
      setState(e instanceof Error ? e.message : String(e));
    }
  };
  return (
    <Card title={t("run.feedback")}>
      {run.judgements.map((j, i) => (
        <p key={i}><Judged score={j.score} /> <span class="dim">{j.key} · {j.source}</span> {j.value} {j.comment}</p>
      ))}
      <label class="wide">{t("run.feedback.comment")}<textarea value={comment} onInput={(e) => setComment(e.currentTarget.value)} /></label>
      <div class="bar">
        <button type="button" onClick={() => void send(1)}>{t("run.feedback.up")}</button>
        <button type="button" onClick={() => void send(0)}>{t("run.feedback.down")}</button>
        <span role="status">{state}</span>
      </div>
    </Card>
  );
}
