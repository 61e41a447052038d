// The small pieces that pages are made of.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { refresh, setToken, type Problem } from "./fetching";
import { t } from "./locale";

export function Card({ title, children, aside }: { title: string; children: ComponentChildren; aside?: ComponentChildren }) {
  return (
    <section class="card">
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

export function Figures({ children }: { children: ComponentChildren }) {
  return <dl class="figures">{children}</dl>;
}

/** What stands in the place of a document that could not be had. */
export function Trouble({ error, content = false }: { error: Problem; content?: boolean }) {
  if (error.status === 401 || error.status === 403) return <AskToken error={error} content={content} />;
  return (
    <section class="card trouble" role="alert">
      <h2>{t("error.title")}</h2>
      <p>{error.status === 503 ? t("error.replay") : error.message}</p>
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
      <p class="dim">{error.message}</p>
      <form onSubmit={(e) => { e.preventDefault(); setToken(value.trim()); }}>
        <label>{t("token.label")} <input type="password" autocomplete="off" value={value} onInput={(e) => setValue(e.currentTarget.value)} /></label>
        <button type="submit" disabled={value.trim() === ""}>{t("token.use")}</button>
      </form>
    </section>
  );
}

export interface Column<Row> {
  title: string;
  /** Numbers stand right. */
  number?: boolean;
  cell: (row: Row) => ComponentChildren;
}

export function Table<Row>({ label, columns, rows, id }: { label: string; columns: Column<Row>[]; rows: Row[]; id: (row: Row) => string }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead><tr>{columns.map((c) => <th scope="col" class={c.number ? "number" : ""} key={c.title}>{c.title}</th>)}</tr></thead>
        <tbody>
          {rows.map((row) => (
            <tr key={id(row)}>{columns.map((c) => <td class={c.number ? "number" : ""} key={c.title}>{c.cell(row)}</td>)}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A button that copies a text and says so. */
export function Copy({ label, text }: { label: string; text: () => string }) {
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
      <span aria-live="polite">{done ? t("run.copied") : label}</span>
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
