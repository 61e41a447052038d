import { useEffect, useRef, useState } from "preact/hooks";
import type { RunList, RunSummary } from "../documents";
import { useDocument } from "../fetching";
import { Choice, Filters } from "../filters";
import { cost, decimal, instant, milliseconds, moment, short, t, whole, word } from "../locale";
import { Badge, Card, Table, Trouble, type Tone } from "../parts";
import { go, link, view } from "../view";

const tones: Record<string, Tone> = { success: "good", failure: "bad", running: "warn" };
const size = 100;
const orders = ["start", "duration", "cost", "similarity"];

export function Runs() {
  const { service, model, outcome, feedback, query, sort, at } = view.value;
  const asked = useSettled(query);
  const place = placeOf(at);
  const parameters = new URLSearchParams({ limit: String(size) });
  for (const [name, value] of Object.entries({ service, model, outcome, feedback, sort, q: asked })) if (value) parameters.set(name, value);
  const question = parameters.toString();
  if (place.cursor) parameters.set("cursor", place.cursor);
  const list = useDocument<RunList>(`/monitoring/runs?${parameters}`);
  const { page, list: kept } = useLast(place.page, list.value);
  const runs = kept?.runs ?? [];
  const first = (page - 1) * size + 1;
  const title = runs.length === 0 ? t("runs.count.none") : t("runs.count", { from: whole(first), to: whole(first + runs.length - 1), total: whole(kept?.total) });
  const told = useTold(`${parameters}`, list.value !== null, title);
  return (
    <>
      <p class="offscreen" role="status">{told}</p>
      <Filters title={t("nav.runs")} model range={false}>
        <label>
          {t("runs.filter")}
          <input type="search" value={query} placeholder={t("runs.filter.hint")} onInput={(e) => go({ query: e.currentTarget.value }, true)} />
        </label>
        <Choice label={t("runs.outcome")} value={outcome} values={["success", "failure", "running"]} name={(v) => word("runs.", v)} pick={(v) => go({ outcome: v })} />
        <Choice label={t("runs.feedback")} value={feedback} values={["positive", "negative"]} name={(v) => word("runs.", v)} pick={(v) => go({ feedback: v })} />
        <label class="order">
          {t("runs.sort.phone")}
          <select value={sort} onChange={(e) => go({ sort: e.currentTarget.value })}>
            {["", ...orders].map((o) => <option value={o} key={o}>{word("runs.sort.", o)}</option>)}
          </select>
        </label>
      </Filters>
      {list.error && <Trouble error={list.error} content />}
      {kept && (
        <Card title={title} aside={<Pager question={question} page={page} next={kept.next} name={t("runs.pages")} busy={list.value === null} />}>
          {runs.length === 0 ? <p class="empty">{t("runs.none")}</p> : <List runs={runs} label={title} sort={sort} />}
          <footer>
            <p class="dim">
              {kept.indexed_from && t("runs.since", { time: moment(instant(kept.indexed_from)) })}
              {kept.not_indexed > 0 && ` · ${t("runs.not_indexed", { n: whole(kept.not_indexed) })}`}
            </p>
            {runs.length > 10 && <Pager question={question} page={page} next={kept.next} name={t("runs.pages.end")} busy={list.value === null} />}
          </footer>
        </Card>
      )}
    </>
  );
}

function placeOf(at: string): { page: number; cursor: string } {
  const found = /^(\d{1,6})~(.+)$/.exec(at);
  return found ? { page: Number(found[1]), cursor: found[2]! } : { page: 1, cursor: "" };
}

// The pages on the way to the present one, by what was asked: a cursor leads onwards only.
const trails = new Map<string, string[]>();

function Pager({ question, page, next, name, busy }: { question: string; page: number; next: string; name: string; busy: boolean }) {
  const turn = (to: string) => {
    go({ at: to });
    const region = document.querySelector<HTMLElement>(".runs .scroll");
    region?.focus({ preventScroll: true });
    region?.closest("section")?.scrollIntoView({ block: "nearest" });
  };
  const forward = () => {
    const trail = trails.get(question) ?? [];
    trail[page] = view.value.at;
    trails.set(question, trail);
    turn(`${page + 1}~${next}`);
  };
  if (page === 1 && !next) return null;
  // Who stands on a button keeps it: one that leads nowhere says so and does nothing.
  const button = (label: string, can: boolean, act: () => void) => (
    <button type="button" class="small" aria-disabled={!can} onClick={() => can && !busy && act()}>{label}</button>
  );
  return (
    <nav class="pager" aria-label={name}>
      {button(`← ${t("runs.newer")}`, page > 1, () => turn(trails.get(question)?.[page - 1] ?? ""))}
      <span>{t("runs.page", { n: whole(page) })}</span>
      {button(`${t("runs.older")} →`, next !== "", forward)}
    </nav>
  );
}

// The list from which a run was opened, and how far down it was.
let left: { address: string; top: number; run: string } | null = null;

/** The address of the list from which a run was opened, "" where it was opened otherwise. */
export function listLeft(): string {
  return left?.address ?? "";
}

function List({ runs, label, sort }: { runs: RunSummary[]; label: string; sort: string }) {
  const place = useRef<HTMLDivElement>(null);
  // Who comes back finds the list as it was left.
  useEffect(() => {
    if (left?.address !== location.hash) return;
    const opened = [...(place.current?.querySelectorAll<HTMLElement>("a[data-run]") ?? [])].find((a) => a.dataset["run"] === left?.run);
    opened?.focus({ preventScroll: true });
    scrollTo(0, left.top);
    left = null;
  }, []);
  return (
    <div class="runs" ref={place}>
      <Table<RunSummary> label={label} rows={runs} id={(r) => r.run_id + r.trace_id} cards sorting={{ by: sort, pick: (by) => go({ sort: by }) }} columns={[
        { title: t("runs.name"), cell: (r) => <a href={link("run", { run: r.run_id })} data-run={r.run_id} onClick={() => { left = { address: location.hash, top: scrollY, run: r.run_id }; }}>{r.name || r.run_id}</a> },
        { title: t("filter.service"), cell: (r) => r.service },
        { title: t("runs.start"), sort: "start", cell: (r) => moment(instant(r.start)) },
        { title: t("runs.outcome"), cell: (r) => <Badge tone={tones[r.outcome] ?? "calm"}>{outcomeOf(r)}</Badge> },
        { title: t("runs.duration"), sort: "duration", number: true, cell: (r) => milliseconds(r.duration_ms) },
        { title: t("filter.model"), cell: (r) => r.model ?? "" },
        { title: t("runs.tokens"), number: true, cell: (r) => short(r.tokens) },
        { title: t("runs.cost"), sort: "cost", number: true, cell: (r) => cost(r.cost_usd) },
        { title: t("runs.similarity"), sort: "similarity", rising: true, number: true, cell: (r) => decimal(r.similarity) },
        { title: t("runs.feedback"), cell: (r) => <Judged score={r.feedback} /> },
        { title: t("runs.spans"), number: true, cell: (r) => whole(r.spans) },
      ]} />
    </div>
  );
}

/** How a run ended: its error where it has one that says something. */
export function outcomeOf(r: { outcome: string; error_type?: string }): string {
  return r.error_type && r.error_type !== "_OTHER" ? r.error_type : word("runs.", r.outcome);
}

export function Judged({ score }: { score: number | null | undefined }) {
  if (score === null || score === undefined) return null;
  return <Badge tone={score >= 0.5 ? "good" : "bad"}>{score === 1 ? t("runs.positive") : score === 0 ? t("runs.negative") : decimal(score)}</Badge>;
}

// Read out when another list or page has come, and not whenever a run is added to it.
function useTold(question: string, here: boolean, title: string): string {
  const before = useRef(question);
  const [told, setTold] = useState("");
  useEffect(() => {
    if (!here || before.current === question) return;
    before.current = question;
    setTold(title);
  }, [question, here, title]);
  return told;
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

// The list before, with the page that it is, stays until the next has come: nothing
// flickers, and what stands above it is about what stands below.
function useLast(page: number, list: RunList | null): { page: number; list: RunList | null } {
  const last = useRef<{ page: number; list: RunList | null }>({ page, list });
  if (list !== null) last.current = { page, list };
  return last.current;
}
