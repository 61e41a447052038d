// Series for charts, as GET /monitoring/history gives them.

export interface Series {
  name: string;
  labels: Record<string, string>;
  /** Pairs of Unix seconds and a value; null where there was nothing to measure. */
  points: [number, number | null][];
}

export interface History {
  metric: string;
  unit: string;
  about: string;
  start: string;
  end: string;
  step_seconds: number;
  /** Value i of a series stands at start + i steps. */
  series: { service?: string; model?: string; data_source?: string; sink?: string; values: (number | null)[] }[];
}

/**
 * The lines of a document, called by what tells them apart. Their times are whole
 * steps: documents of one chart are asked for at once, but not answered in the same
 * second, and their values are to stand above each other.
 */
export function lines(h: History): Series[] {
  const start = Math.round(Date.parse(h.start) / 1000 / h.step_seconds) * h.step_seconds;
  return h.series.map(({ values, ...labels }) => ({
    name: Object.values(labels).filter(Boolean).join(" · "),
    labels: labels as Record<string, string>,
    points: values.map((v, i): [number, number | null] => [start + i * h.step_seconds, v]),
  }));
}

/** Lines on one time axis: times first, then the values of each series. */
export function align(series: Series[]): [number[], ...(number | null)[][]] {
  const times = [...new Set(series.flatMap((s) => s.points.map((p) => p[0])))].sort((a, b) => a - b);
  const at = new Map(times.map((time, i) => [time, i]));
  const values = series.map((s) => {
    const line: (number | null)[] = new Array<number | null>(times.length).fill(null);
    for (const [time, value] of s.points) line[at.get(time)!] = value;
    return line;
  });
  return [times, ...values];
}

/** The address of a chart's series. */
export function historyPath(metric: string, range: string, filters: Record<string, string>): string {
  const parameters = new URLSearchParams({ metric, range });
  for (const [name, value] of Object.entries(filters)) if (value) parameters.set(name, value);
  return `/monitoring/history?${parameters}`;
}
