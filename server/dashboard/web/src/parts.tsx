// The small pieces that pages are made of.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { refresh, setToken, token, type Problem } from "./fetching";
import { language, t } from "./locale";
import { problem } from "./said";

export function Card({ title, children, aside, tone }: { title: string; children: ComponentChildren; aside?: ComponentChildren; tone?: Tone | undefined }) {
  return (
    <section class={`card ${tone ?? ""}`}>
      <header><h2>{title}</h2>{aside}</header>
      {children}
    </section>
  );
}

export type Tone = "good" | "bad" | "warn" | "calm";

export function Badge({ tone, children, title }: { tone: Tone; children: ComponentChildren; title?: string }) {
  return <span class={`badge ${tone}`} title={title}>{children}</span>;
}

export function Figure({ label, value, note, tone }: { label: string; value: string; note?: string | undefined; tone?: Tone | undefined }) {
  return (
    <div class={`figure ${tone ?? ""}`}>
      <dt>{label}</dt>
      <dd>{value}{note && <small>{note}</small>}</dd>
    </div>
  );
}

/** busy: others are on their way. */
export function Figures({ children, busy = false }: { children: ComponentChildren; busy?: boolean }) {
  return <dl class="figures" aria-busy={busy}>{children}</dl>;
}

/** What stands in the place of a document that could not be had. */
export function Trouble({ error, content = false }: { error: Problem; content?: boolean }) {
  if (error.status === 401 || error.status === 403) return <AskToken error={error} content={content} />;
  return (
    <section class="card trouble" role="alert">
      <h2>{t("error.title")}</h2>
      <Says text={/replay/.test(error.message) ? t("error.replay") : problem(error)} raw={error.message} />
      <button type="button" onClick={refresh}>{t("error.retry")}</button>
    </section>
  );
}

function AskToken({ error, content }: { error: Problem; content: boolean }) {
  const [value, setValue] = useState("");
  return (
    <section class="card trouble">
      <h2>{t(content ? "run.hidden" : "token.title")}</h2>
      <p>{t("token.text")}</p>
      {token.value !== "" && <p class="notice" role="alert">{t("token.refused")}</p>}
      <Raw text={error.message} />
      <form onSubmit={(e) => { e.preventDefault(); setToken(value.trim()); }}>
        <label>{t("token.label")} <input type="password" autocomplete="off" value={value} onInput={(e) => setValue(e.currentTarget.value)} /></label>
        <button type="submit" disabled={value.trim() === ""}>{t("token.use")}</button>
      </form>
    </section>
  );
}

/** A text in the reader's language for what the service said, whose own words stand behind it. */
export function Says({ text, raw, aside }: { text: string; raw: string; aside?: ComponentChildren }) {
  return <div class="says"><span>{text}</span> {aside}<Raw text={raw} /></div>;
}

// The service speaks English; for who reads it, the text above says the same.
function Raw({ text }: { text: string }) {
  if (text === "") return null;
  return <details class="raw" lang="en"><summary lang={language.value}>{t("said")}</summary><span class="mono">{text}</span></details>;
}

export interface Column<Row> {
  title: string;
  /** Numbers stand right. */
  number?: boolean;
  /** The name of the order that the service can give by this column, and whether it is a rising one. */
  sort?: string;
  rising?: boolean;
  cell: (row: Row) => ComponentChildren;
}

export interface Sorting { by: string; pick: (by: string) => void }

/** cards: on a phone each row stands as a card, so that nothing has to be scrolled sideways. */
export function Table<Row>({ label, columns, rows, id, sorting, cards }: {
  label: string; columns: Column<Row>[]; rows: Row[]; id: (row: Row) => string; sorting?: Sorting; cards?: boolean;
}) {
  // Cards are no longer a table to a browser, so the roles are said.
  return (
    <div class={`scroll ${cards ? "cards" : ""}`} tabIndex={0} role="region" aria-label={label}>
      <table role="table" aria-label={label}>
        <thead role="rowgroup"><tr role="row">{columns.map((c) => <Heading column={c} sorting={sorting} key={c.title} />)}</tr></thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr role="row" key={id(row)}>{columns.map((c) => <td role="cell" class={c.number ? "number" : ""} data-title={c.title} key={c.title}>{c.cell(row)}</td>)}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Heading<Row>({ column: c, sorting }: { column: Column<Row>; sorting: Sorting | undefined }) {
  const place = c.number ? "number" : "";
  if (!c.sort || !sorting) return <th role="columnheader" scope="col" class={place}>{c.title}</th>;
  const chosen = sorting.by === c.sort;
  return (
    <th role="columnheader" scope="col" class={place} aria-sort={chosen ? (c.rising ? "ascending" : "descending") : "none"}>
      <button type="button" class="sort" title={t("runs.sort", { by: c.title })} onClick={() => sorting.pick(chosen ? "" : c.sort!)}>
        {c.title}<span aria-hidden="true">{chosen ? (c.rising ? " ↑" : " ↓") : " ↕"}</span>
      </button>
    </th>
  );
}

/** A button that copies a text and says so; of names the text where there are several. */
export function Copy({ label, of, text }: { label: string; of?: string; text: () => string }) {
  const [done, setDone] = useState(false);
  return (
    <button
      type="button"
      class="quiet"
      onClick={async () => {
        await copy(text());
        setDone(true);
        setTimeout(() => setDone(false), 2000);
      }}
    >
      <span aria-live="polite">{done ? t("run.copied") : label}{of && <span class="offscreen"> {of}</span>}</span>
    </button>
  );
}

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // A page that is not served over TLS has no clipboard; the old way works there.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "offscreen";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

export function Meter({ share, tone }: { share: number; tone?: Tone }) {
  return <span class="meter" aria-hidden="true"><span class={tone ?? ""} style={{ width: `${Math.max(0, Math.min(1, share)) * 100}%` }} /></span>;
}
