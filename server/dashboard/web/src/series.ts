// Series for charts, as GET /monitoring/history gives them.

export interface Series {
  name: string;
  labels: Record<string, string>;
  /** Pairs of Unix seconds and a value; null where there was no data. */
  points: [number, number | null][];
}

export interface History {
  metric: string;
  unit: string;
  step_seconds: number;
  start: string;
  end: string;
  series: Series[];
}

/** Lines on one time axis: times first, then the values of each series. */
export function align(series: Series[]): [number[], ...(number | null)[][]] {
  const times = [...new Set(series.flatMap((s) => s.points.map((p) => p[0])))].sort((a, b) => a - b);
  const at = new Map(times.map((time, i) => [time, i]));
  const lines = series.map((s) => {
    const line: (number | null)[] = new Array<number | null>(times.length).fill(null);
    for (const [time, value] of s.points) line[at.get(time)!] = value;
    return line;
  });
  return [times, ...lines];
}

/** The address of a chart's series. */
export function historyPath(metric: string, range: string, filters: Record<string, string>): string {
  const parameters = new URLSearchParams({ metric, range });
  for (const [name, value] of Object.entries(filters)) if (value) parameters.set(name, value);
  return `/monitoring/history?${parameters}`;
}
