// The drawing of a chart, which is fetched when the first one is shown.
import uPlot from "uplot";
import type { ChartProps } from "./chart";
import { moment, region, t } from "./locale";
import { align } from "./series";
import type { Palette } from "./theme";

/** Draws a chart into a place of the page; who asked for it destroys it. */
export function draw(place: HTMLElement, height: number, props: ChartProps, colours: Palette): uPlot {
  const { series, stacked, target } = props;
  const [times, ...lines] = align(series);
  const drawn = stacked ? stack(lines) : lines;
  const data: uPlot.AlignedData = [times, ...drawn] as uPlot.AlignedData;
  if (target !== undefined) (data as unknown[]).push(times.map(() => target));
  return new uPlot(options(place.clientWidth, height, props, colours, lines), data, place);
}

// A value without neighbours makes no line, and is drawn as a point.
function alone(u: uPlot, line: number): number[] {
  const values = u.data[line]!;
  const nothing = (v: number | null | undefined) => v === null || v === undefined;
  const out: number[] = [];
  for (let i = 0; i < values.length; i++) if (!nothing(values[i]) && nothing(values[i - 1]) && nothing(values[i + 1])) out.push(i);
  return out;
}

function stack(lines: (number | null)[][]): (number | null)[][] {
  const sums: number[] = [];
  const out = lines.map((line) => line.map((v, i) => (sums[i] = (sums[i] ?? 0) + (v ?? 0))));
  return out;
}

function options(width: number, height: number, props: ChartProps, colours: Palette, raw: (number | null)[][]): uPlot.Options {
  const axis = { stroke: colours.text, grid: { stroke: colours.grid, width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
  const lines: uPlot.Series[] = props.series.map((s, i) => {
    const colour = colours.lines[i % colours.lines.length]!;
    return { label: s.name, stroke: colour, width: 1.5, points: { show: true, size: 4, fill: colour, stroke: colour, filter: alone }, value: (_u, _v, _s, at) => props.format(at === null ? null : raw[i]?.[at]),
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
      { ...axis, size: 24, space: 70, values: (_u, times) => times.map((v) => tick(v, times)) },
      { ...axis, ...(props.ticks ? { incrs: steps[props.ticks] } : {}), size: (_u, values) => Math.max(40, 14 + 6.4 * Math.max(0, ...(values ?? []).map((v) => v.length))), values: (_u, values) => values.map((v) => props.format(v)) },
    ],
    plugins: [tooltip(props)],
  };
}

const steps = {
  binary: Array.from({ length: 50 }, (_, i) => 2 ** i),
  time: [1, 60, 3600].flatMap((unit) => [1, 2, 5, 10, 15, 30].map((n) => n * unit)).concat([1, 2, 5, 10, 20, 50, 100].map((n) => n * 86_400)),
};

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
