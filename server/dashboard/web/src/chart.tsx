// A chart of a few lines over time, with its numbers as a table for those who
// cannot see it.
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { language, moment, region, t } from "./locale";
import { align, type Series } from "./series";
import { palette } from "./theme";

export interface ChartProps {
  title: string;
  series: Series[];
  format: (v: number | null | undefined) => string;
  /** A line across the chart, such as a target. */
  target?: number | undefined;
  /** Draw as areas on top of each other. */
  stacked?: boolean;
  /** The first and the last line bound an area. */
  band?: boolean;
  loading?: boolean;
  /** There is no history to draw. */
  missing?: boolean;
  height?: number;
}

export function Chart(props: ChartProps) {
  const { title, series, format, target, stacked, loading, missing, height = 150 } = props;
  const box = useRef<HTMLDivElement>(null);
  const [table, setTable] = useState(false);
  const colours = palette.value;
  const shownIn = language.value;
  const has = series.some((s) => s.points.some((p) => p[1] !== null));

  useEffect(() => {
    const place = box.current;
    if (!place || !has || table) return;
    const [times, ...lines] = align(series);
    const drawn = stacked ? stack(lines) : lines;
    const data: uPlot.AlignedData = [times, ...drawn] as uPlot.AlignedData;
    if (target !== undefined) (data as unknown[]).push(times.map(() => target));
    const plot = new uPlot(options(place.clientWidth, height, props, colours, lines), data, place);
    const resized = new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height }));
    resized.observe(place);
    return () => {
      resized.disconnect();
      plot.destroy();
    };
  }, [fingerprint(series), has, table, colours, shownIn, target, stacked, height]);

  return (
    <section class="card chart" aria-busy={loading ?? false}>
      <header>
        <h2>{title}</h2>
        {has && (
          <button class="quiet small" type="button" aria-pressed={table} onClick={() => setTable(!table)}>{t("chart.table")}</button>
        )}
      </header>
      {!has ? (
        <p class="empty" style={{ height: `${height}px` }}>{loading ? t("loading") : missing ? t("chart.unavailable") : t("empty")}</p>
      ) : table ? (
        <Numbers title={title} series={series} format={format} />
      ) : (
        <div class="plot" ref={box} role="img" aria-label={describe(title, series, format)} style={{ height: `${height}px` }} />
      )}
      {has && !table && <Legend series={series} format={format} colours={colours} />}
    </section>
  );
}

function Legend({ series, format, colours }: { series: Series[]; format: ChartProps["format"]; colours: Palette }) {
  return (
    <ul class="legend">
      {series.map((s, i) => (
        <li key={s.name + i}>
          <span class="swatch" style={{ background: colours.lines[i % colours.lines.length] }} aria-hidden="true" />
          {s.name} <b>{format(last(s))}</b>
        </li>
      ))}
    </ul>
  );
}

function Numbers({ title, series, format }: { title: string; series: Series[]; format: ChartProps["format"] }) {
  const [times, ...lines] = align(series);
  const from = Math.max(0, times.length - 60);
  return (
    <div class="scroll tall" tabIndex={0} role="region" aria-label={title}>
      <table>
        <thead><tr><th scope="col">{t("chart.time")}</th>{series.map((s, i) => <th scope="col" class="number" key={s.name + i}>{s.name}</th>)}</tr></thead>
        <tbody>
          {times.slice(from).map((time, i) => (
            <tr key={time}>
              <th scope="row">{moment(new Date(time * 1000))}</th>
              {lines.map((line, j) => <td class="number" key={j}>{format(line[from + i])}</td>)}
            </tr>
          )).reverse()}
        </tbody>
      </table>
    </div>
  );
}

function last(s: Series): number | null {
  for (let i = s.points.length - 1; i >= 0; i--) if (s.points[i]![1] !== null) return s.points[i]![1];
  return null;
}

function describe(title: string, series: Series[], format: ChartProps["format"]): string {
  return `${title}: ${series.map((s) => `${s.name} ${format(last(s))}`).join(", ")}`;
}

// The chart is drawn anew when its numbers changed, not whenever the page is rendered.
function fingerprint(series: Series[]): string {
  return series.map((s) => `${s.name}:${s.points[0]?.[0]}:${s.points.map((p) => p[1]).join()}`).join(";");
}

function stack(lines: (number | null)[][]): (number | null)[][] {
  const sums: number[] = [];
  const out = lines.map((line) => line.map((v, i) => (sums[i] = (sums[i] ?? 0) + (v ?? 0))));
  return out;
}

type Palette = { lines: string[]; text: string; grid: string; target: string };

function options(width: number, height: number, props: ChartProps, colours: Palette, raw: (number | null)[][]): uPlot.Options {
  const axis = { stroke: colours.text, grid: { stroke: colours.grid, width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
  const lines: uPlot.Series[] = props.series.map((s, i) => {
    const colour = colours.lines[i % colours.lines.length]!;
    return { label: s.name, stroke: colour, width: 1.5, points: { show: false }, value: (_u, _v, _s, at) => props.format(at === null ? null : raw[i]?.[at]),
      ...(props.stacked || props.series.length === 1 ? { fill: colour + "26" } : {}) };
  });
  if (props.target !== undefined) lines.push({ label: t("kpi.target"), stroke: colours.target, width: 1, dash: [4, 4], points: { show: false } });
  // The areas of a stack are drawn from the top, so that each covers those above it.
  const bands = props.stacked ? props.series.slice(1).map((_, i): uPlot.Band => ({ series: [i + 2, i + 1] }))
    : props.band && props.series.length > 1 ? [{ series: [props.series.length, 1] as [number, number], fill: colours.lines[1] + "22" }] : [];
  return {
    width, height, series: [{}, ...lines], bands,
    legend: { show: false },
    cursor: { y: false, points: { size: 5 } },
    padding: [8, 8, 0, 0],
    scales: { y: { range: (_u, low, high) => yRange(low, high) } },
    axes: [
      { ...axis, size: 24, values: (_u, times) => times.map((v) => tick(v, times)) },
      { ...axis, size: 62, values: (_u, values) => values.map((v) => props.format(v)) },
    ],
    plugins: [tooltip(props)],
  };
}

function yRange(low: number | null, high: number | null): [number, number] {
  const top = high === null || high <= 0 ? 1 : high * 1.08;
  return [Math.min(0, low ?? 0), top];
}

function tick(v: number, all: number[]): string {
  const long = all.length > 1 && all[all.length - 1]! - all[0]! > 86_400 * 1.5;
  const d = new Date(v * 1000);
  return new Intl.DateTimeFormat(region.value, long ? { day: "2-digit", month: "2-digit" } : { hour: "2-digit", minute: "2-digit" }).format(d);
}

// tooltip shows the numbers under the pointer, as text.
function tooltip(props: ChartProps): uPlot.Plugin {
  let tip: HTMLDivElement;
  return {
    hooks: {
      init: (u) => {
        tip = document.createElement("div");
        tip.className = "tip";
        tip.hidden = true;
        u.over.append(tip);
        u.over.addEventListener("mouseleave", () => (tip.hidden = true));
      },
      setCursor: (u) => {
        const at = u.cursor.idx;
        if (at === null || at === undefined || (u.cursor.left ?? -1) < 0) {
          tip.hidden = true;
          return;
        }
        const rows = [document.createElement("b")];
        rows[0]!.textContent = moment(new Date(u.data[0][at]! * 1000));
        props.series.forEach((s) => {
          const time = u.data[0][at]!;
          const point = s.points.find((p) => p[0] === time);
          const row = document.createElement("div");
          row.textContent = `${s.name} ${props.format(point?.[1] ?? null)}`;
          rows.push(row);
        });
        tip.replaceChildren(...rows);
        tip.hidden = false;
        const left = u.cursor.left ?? 0;
        tip.style.left = left > u.over.clientWidth / 2 ? `${left - tip.offsetWidth - 12}px` : `${left + 12}px`;
      },
    },
  };
}
