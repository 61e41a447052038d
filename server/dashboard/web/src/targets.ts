// What is wanted of the numbers, as the service's objectives have it.
import type { Kpi } from "./documents";
import { useDocument } from "./fetching";

/** The targets, none where there are no objectives. */
export function useKpis(): Kpi[] {
  return useDocument<{ kpis: Kpi[] }>("/monitoring/kpis").value?.kpis ?? [];
}

/** The target of a name in its own unit; undefined where nobody wants one. */
export function useTarget(name: string): number | undefined {
  return useKpis().find((k) => k.name === name)?.target;
}
