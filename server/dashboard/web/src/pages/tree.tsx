// The spans of a run as a tree and, on one time axis, as a waterfall.
import { Component } from "preact";
import { useCallback, useState } from "preact/hooks";
import type { Span } from "../documents";
import { cost, currency, instant, language, milliseconds, short, t } from "../locale";
import { code } from "../said";
import { go } from "../view";

export interface Row {
  span: Span;
  depth: number;
  /** The ids above, from the root on. */
  above: string[];
  /** Where its lane begins and how long it is, in per cent of the run. */
  left: number;
  width: number;
  /** How long the run is, in milliseconds. */
  length: number;
}

/** The spans in the order in which they are read. */
export function rowsOf(tree: Span[]): Row[] {
  const spans: { span: Span; depth: number; above: string[]; from: number; to: number }[] = [];
  const visit = (list: Span[], above: string[]) => {
    for (const span of list) {
      const from = instant(span.start)?.getTime() ?? 0;
      spans.push({ span, depth: above.length, above, from, to: from + (span.duration_ms ?? 0) });
      visit(span.children, [...above, span.span_id]);
    }
  };
  visit(tree, []);
  const known = spans.filter((s) => s.from > 0);
  const first = known.reduce((low, s) => Math.min(low, s.from), Infinity);
  const length = Math.max(1, known.reduce((high, s) => Math.max(high, s.to), 0) - first);
  return spans.map(({ span, depth, above, from, to }) => ({
    span, depth, above, length, left: from > 0 ? ((from - first) / length) * 100 : 0, width: ((to - from) / length) * 100,
  }));
}

// Deeper than this, indentation takes more room than it says.
const deepest = 10;

/** A tree that the arrow keys walk, open and close, as screen readers know it. */
export function Tree({ rows, open }: { rows: Row[]; open: string }) {
  const [shut, setShut] = useState<ReadonlySet<string>>(new Set());
  const shown = rows.filter((r) => !r.above.some((id) => shut.has(id)));
  const at = shown.findIndex((r) => r.span.span_id === open);
  const fold = useCallback((id: string, close: boolean) => setShut((before) => {
    const next = new Set(before);
    if (close) next.add(id);
    else next.delete(id);
    return next;
  }), []);
  const key = (e: KeyboardEvent) => {
    const row = shown[at];
    const to = (next: Row | undefined) => {
      if (!next) return;
      go({ span: next.span.span_id }, true);
      (e.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("[role=treeitem]")[shown.indexOf(next)]?.focus();
    };
    switch (e.key) {
      case "ArrowDown": to(shown[at + 1]); break;
      case "ArrowUp": to(shown[at - 1]); break;
      case "Home": to(shown[0]); break;
      case "End": to(shown[shown.length - 1]); break;
      case "ArrowLeft":
        if (row && row.span.children.length > 0 && !shut.has(open)) fold(open, true);
        else to(shown.find((r) => r.span.span_id === row?.above.at(-1)));
        break;
      case "ArrowRight":
        if (shut.has(open)) fold(open, false);
        else if (row && row.span.children.length > 0) to(shown[at + 1]);
        break;
      default: return;
    }
    e.preventDefault();
  };
  const length = rows[0]?.length ?? 0;
  return (
    <>
      <div class="axis" aria-hidden="true">{[0, 0.25, 0.5, 0.75, 1].map((share) => <span key={share}>{milliseconds(length * share)}</span>)}</div>
      <div class="tree" role="tree" aria-label={t("run.tree")} onKeyDown={key}>
        {shown.map((row, i) => (
          <Item key={row.span.span_id} row={row} open={row.span.span_id === open} shut={shut.has(row.span.span_id)} stop={i === Math.max(0, at)} fold={fold}
            shownIn={language.value + currency.value.code} />
        ))}
      </div>
    </>
  );
}

/** stop: Tab leads here. */
interface ItemProps { row: Row; open: boolean; shut: boolean; stop: boolean; fold: (id: string, close: boolean) => void; shownIn: string }

// Of thousands of rows, a key changes two: only these are rendered again.
class Item extends Component<ItemProps> {
  override shouldComponentUpdate(next: ItemProps): boolean {
    return (Object.keys(next) as (keyof ItemProps)[]).some((name) => next[name] !== this.props[name]);
  }

  override render({ row: { span, depth, left, width }, open, shut, stop, fold }: ItemProps) {
    const leaf = span.children.length === 0;
    return (
      <div role="treeitem" class={span.outcome} aria-level={depth + 1} aria-selected={open} {...(leaf ? {} : { "aria-expanded": !shut })}
        tabIndex={stop ? 0 : -1} onClick={() => go({ span: span.span_id }, true)}>
        <span class="name" style={{ paddingLeft: `${Math.min(depth, deepest) * 14}px` }}>
          <span class={`fold ${leaf ? "none" : ""}`} aria-hidden="true"
            onClick={(e) => { e.stopPropagation(); fold(span.span_id, !shut); }}>{leaf ? null : shut ? "▸" : "▾"}</span>
          <span class={`kind ${span.kind}`}>{code("span", span.kind)}</span>{span.name}
        </span>
        <span class="time"><span class="spent">{spent(span) || null}</span>{milliseconds(span.duration_ms)}</span>
        <span class="lane" aria-hidden="true"><span style={{ left: `${Math.min(left, 99)}%`, width: `${Math.max(0.5, Math.min(width, 100))}%` }} /></span>
      </div>
    );
  }
}

function spent(span: Span): string {
  const parts = [];
  if (span.tokens && span.tokens.total > 0) parts.push(`${short(span.tokens.total)} tok`);
  if (span.explanation?.cost_usd) parts.push(cost(span.explanation.cost_usd));
  return parts.length > 0 ? parts.join(" · ") + " · " : "";
}
