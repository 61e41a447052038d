// The filters that most pages share.
import type { ComponentChildren } from "preact";
import { useDocument } from "./fetching";
import type { Models } from "./documents";
import { t } from "./locale";
import { go, ranges, view, type Range } from "./view";

interface Health { telemetry?: { services: { service: string }[] } }

/** The services that sent something, as far as they are known. */
export function useServices(): string[] {
  const known = useDocument<Health>("/monitoring/health?verbose=1").value?.telemetry?.services.map((s) => s.service) ?? [];
  const chosen = view.value.service;
  return chosen && !known.includes(chosen) ? [chosen, ...known] : known;
}

export function Filters({ title, model, range = true, children }: { title: string; model?: boolean; range?: boolean; children?: ComponentChildren }) {
  const services = useServices();
  const models = useDocument<Models>(model ? "/monitoring/models" : null).value?.models.map((m) => m.model) ?? [];
  const { range: chosen, service, model: chosenModel } = view.value;
  return (
    <div class="bar">
      <h1>{title}</h1>
      <div class="bar right">
        {children}
        {(services.length > 1 || service) && <Choice label={t("filter.service")} value={service} values={services} pick={(v) => go({ service: v })} />}
        {model && (models.length > 1 || chosenModel) && <Choice label={t("filter.model")} value={chosenModel} values={models} pick={(v) => go({ model: v })} />}
        {range && (
          <label>
            {t("filter.range")}
            <select value={chosen} onChange={(e) => go({ range: e.currentTarget.value as Range })}>
              {ranges.map((r) => <option value={r} key={r}>{t(`range.${r}`)}</option>)}
            </select>
          </label>
        )}
      </div>
    </div>
  );
}

export function Choice({ label, value, values, pick, name }: { label: string; value: string; values: string[]; pick: (v: string) => void; name?: (v: string) => string }) {
  return (
    <label>
      {label}
      <select value={value} onChange={(e) => pick(e.currentTarget.value)}>
        <option value="">{t("filter.all")}</option>
        {values.map((v) => <option value={v} key={v}>{name ? name(v) : v}</option>)}
      </select>
    </label>
  );
}
