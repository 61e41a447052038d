import { signal } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Run } from "../documents";
import { Problem, post, refresh, token, useDocument } from "../fetching";
import { cost, count, instant, milliseconds, moment, t, whole } from "../locale";
import { Badge, Card, Copy, Says, Trouble } from "../parts";
import { code, problem } from "../said";
import { link, view } from "../view";
import { Judged, listLeft, outcomeOf } from "./runs";
import { SpanDetail } from "./span";
import { rowsOf, Tree, type Row } from "./tree";

/** What the run that is shown is called, "" until it is known. */
export const called = signal("");

export function RunPage({ id }: { id: string }) {
  const path = `/monitoring/runs/${encodeURIComponent(id).replaceAll("'", "%27")}?explain=1`;
  const loaded = useDocument<Run>(path);
  const run = loaded.value;
  const rows = useMemo(() => (run ? rowsOf(run.tree) : []), [run]);
  const name = run ? run.name || run.run_id : "";
  useEffect(() => {
    called.value = name;
    return () => { called.value = ""; };
  }, [name]);
  const detail = useRef<HTMLDivElement>(null);
  const span = view.value.span;
  useEffect(() => {
    if (detail.current && detail.current.getBoundingClientRect().top < 50 && scrollY > 0) detail.current.scrollIntoView();
  }, [span]);
  if (!run) {
    return (
      <>
        <p><a href={listLeft() || link("runs")}>← {t("run.back")}</a></p>
        <h1>{t("run.outline")}</h1>
        {loaded.error?.status === 404 ? <p class="notice">{t("run.notfound")} <span class="mono">{id}</span></p>
          : loaded.error ? <Trouble error={loaded.error} content /> : <p class="empty">{t("loading")}</p>}
      </>
    );
  }
  const open = rows.find((r) => r.span.span_id === view.value.span) ?? telling(rows);
  return (
    <>
      <div class="bar">
        <p><a href={listLeft() || link("runs")}>← {t("run.back")}</a></p>
        <div class="bar right">
          {safe(run.langsmith_url) && <a href={run.langsmith_url} target="_blank" rel="noopener noreferrer">{t("run.langsmith")}</a>}
          <Copy label={t("run.copy.json")} text={() => JSON.stringify(run, null, 2)} />
          <Copy label={t("run.copy.curl")} text={() => `curl ${token.value ? '-H "Authorization: Bearer $TREQ_API_TOKEN" ' : ""}'${location.origin}${path}'`} />
        </div>
      </div>
      <div class="bar">
        <h1>{name}</h1>
        <Badge tone={run.outcome === "failure" ? "bad" : run.outcome === "running" ? "warn" : "good"}>{outcomeOf(run)}</Badge>
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
      {run.truncated && <p class="notice">{t("run.cut", { n: whole(rows.length) })}</p>}
      <div class="run">
        <Card title={t("run.tree")}><Tree rows={rows} open={open?.span.span_id ?? ""} /></Card>
        <div class="detail" ref={detail}>
          {open && <SpanDetail span={open.span} key={open.span.span_id} />}
          <Feedback run={run} />
        </div>
      </div>
    </>
  );
}

// What a reader came for: what failed, deepest first, else the answer of a model, else what says anything.
function telling(rows: Row[]): Row | undefined {
  const deepest = (list: Row[]) => list.reduce<Row | undefined>((best, r) => (best && best.depth >= r.depth ? best : r), undefined);
  return deepest(rows.filter((r) => r.span.outcome === "failure" && (r.span.status_message || r.span.stack)))
    ?? rows.find((r) => r.span.kind === "llm" && r.span.output) ?? rows.find((r) => r.span.output ?? r.span.input) ?? rows[0];
}

function counted(c: NonNullable<Run["counted"]>): string {
  const parts = ([["chat", c.chats], ["search", c.searches], ["call", c.llm_calls], ["token", c.llm_tokens]] as const).filter(([, n]) => n > 0);
  const said = parts.map(([thing, n]) => count(thing, n));
  if (c.cost_usd > 0) said.push(cost(c.cost_usd));
  return said.length > 0 ? said.join(" · ") : t("none");
}

// A link that the service made, but only to where a browser may go.
function safe(url: string): boolean {
  return /^https?:\/\//.test(url);
}

function Feedback({ run }: { run: Run }) {
  const [comment, setComment] = useState("");
  const [state, setState] = useState("");
  const [trouble, setTrouble] = useState<Problem | null>(null);
  const send = async (score: number) => {
    try {
      await post("/monitoring/feedback", { run_id: run.run_id, key: "user-score", score, ...(comment ? { comment } : {}) });
      setState(t("run.feedback.thanks"));
      setTrouble(null);
      setComment("");
      refresh();
    } catch (e) {
      setState("");
      setTrouble(e instanceof Problem ? e : new Problem(0, t("error.network")));
    }
  };
  return (
    <Card title={t("run.feedback")}>
      {run.judgements.length > 0 && (
        <ul class="judgements">
          {run.judgements.map((j, i) => (
            <li key={i}>
              <Judged score={j.score} />
              <span>{j.value} {j.comment}</span>
              <span class="dim">{j.key} · {code("source", j.source)}{j.time ? ` · ${moment(instant(j.time))}` : ""}</span>
            </li>
          ))}
        </ul>
      )}
      <label class="wide">{t("run.feedback.comment")}<textarea value={comment} onInput={(e) => setComment(e.currentTarget.value)} /></label>
      <div class="bar">
        <button type="button" onClick={() => void send(1)}>{t("run.feedback.up")}</button>
        <button type="button" onClick={() => void send(0)}>{t("run.feedback.down")}</button>
        <span role="status">{state}{trouble && <Says text={problem(trouble)} raw={trouble.message} />}</span>
      </div>
    </Card>
  );
}
