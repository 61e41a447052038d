// A chart of a few lines over time, with its numbers as a table for those who
// cannot see it.
import { useEffect, useRef, useState } from "preact/hooks";
import type uPlot from "uplot";
import { currency, language, moment, t } from "./locale";
import { align, type Series } from "./series";
import { palette, type Palette } from "./theme";

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
  /** Ticks stand at powers of two, for bytes, or at times that clocks have, for seconds. */
  ticks?: "binary" | "time";
  height?: number;
}

export function Chart(props: ChartProps) {
  const { title, series, format, target, stacked, loading, missing, height = 150 } = props;
  const box = useRef<HTMLDivElement>(null);
  const [table, setTable] = useState(false);
  const colours = palette.value;
  const shownIn = language.value + currency.value.code + currency.value.rate;
  const has = series.some((s) => s.points.some((p) => p[1] !== null));

  useEffect(() => {
    const place = box.current;
    if (!place || !has || table) return;
    let gone = false;
    let plot: uPlot | undefined;
    const resized = new ResizeObserver(() => plot?.setSize({ width: place.clientWidth, height }));
    // What draws comes after what is read: the page is there before it.
    void import("./draw").then(({ draw }) => {
      if (gone) return;
      plot = draw(place, height, props, colours);
      resized.observe(place);
    });
    return () => {
      gone = true;
      resized.disconnect();
      plot?.destroy();
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
      {has && !table && <Legend series={series} format={format} colours={colours} target={target} />}
    </section>
  );
}

function Legend({ series, format, colours, target }: { series: Series[]; format: ChartProps["format"]; colours: Palette; target: number | undefined }) {
  return (
    <ul class="legend">
      {series.map((s, i) => (
        <li key={s.name + i}>
          <span class="swatch" style={{ background: colours.lines[i % colours.lines.length] }} aria-hidden="true" />
          {s.name} <b>{format(last(s))}</b>
        </li>
      ))}
      {target !== undefined && <li><span class="swatch dashed" aria-hidden="true" />{t("kpi.target")} <b>{format(target)}</b></li>}
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
