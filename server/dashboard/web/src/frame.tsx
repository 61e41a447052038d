// What every page stands in: the way to the others, the state of the service, and
// how to show it.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useDocument } from "./fetching";
import type { Metrics, Models } from "./documents";
import { live, pause, resume } from "./live";
import { clock, currency, instant, language, setLanguage, t, word, type Language } from "./locale";
import { Badge, type Tone } from "./parts";
import { setTheme, theme, type Theme } from "./theme";
import { link, pages, view } from "./view";

const tones: Record<string, Tone> = { healthy: "good", degraded: "warn", critical: "bad", recovering: "calm", away: "bad" };

export function Frame({ children }: { children: ComponentChildren }) {
  const { value: metrics, error } = useDocument<Metrics>("/monitoring/metrics");
  const models = useDocument<Models>("/monitoring/models").value;
  useEffect(() => {
    if (models && (models.currency !== currency.value.code || models.units_per_usd_ratio !== currency.value.rate)) currency.value = { code: models.currency, rate: models.units_per_usd_ratio };
  }, [models?.currency, models?.units_per_usd_ratio]);
  const present = view.value.page === "run" ? "runs" : view.value.page;
  const status = error?.status === 0 ? "away" : metrics?.system.status;
  const way = useRef<HTMLElement>(null);
  // On a phone the way to the pages is wider than the screen.
  useEffect(() => {
    const list = way.current?.querySelector("ul");
    const here = list?.querySelector<HTMLElement>("[aria-current]");
    if (list && here && list.scrollWidth > list.clientWidth) list.scrollLeft = here.offsetLeft - list.offsetLeft - (list.clientWidth - here.offsetWidth) / 2;
  }, [present, language.value]);
  return (
    <>
      <a class="skip" href="#content" onClick={(e) => { e.preventDefault(); document.getElementById("content")?.focus(); }}>{t("skip")}</a>
      <header class="top">
        <a class="brand" href={link("overview")}><img src="assets/icon.svg" alt="" width="22" height="22" /><span class="name">Treq Telemetry</span></a>
        <nav ref={way} aria-label={t("nav.main")}>
          <ul>
            {pages.map((p) => (
              <li key={p}><a href={link(p)} aria-current={p === present ? "page" : undefined}>{t(`nav.${p}`)}</a></li>
            ))}
          </ul>
        </nav>
        <div class="right">
          {status && <Badge tone={tones[status] ?? "calm"}>{word("health.", status)}</Badge>}
          <LiveSwitch at={metrics?.timestamp} />
          <Display />
        </div>
      </header>
      <main id="content" tabIndex={-1}>{children}</main>
    </>
  );
}

function LiveSwitch({ at }: { at: string | undefined }) {
  const state = live.value;
  const paused = state === "paused";
  const says = state === "off" ? t("live.off") : t(paused ? "live.resume" : "live.pause");
  return (
    <button type="button" class="quiet live" onClick={paused ? resume : pause} title={says} aria-pressed={paused}>
      <span class={`dot ${state}`} aria-hidden="true" />
      {at ? t("updated", { time: clock(instant(at)) }) : t("live")}
      <span class="offscreen">{says}</span>
    </button>
  );
}

function Display() {
  return (
    <details class="menu" onKeyDown={(e) => {
      if (e.key !== "Escape" || !e.currentTarget.open) return;
      e.currentTarget.open = false;
      e.currentTarget.querySelector("summary")?.focus();
    }}>
      <summary>{t("settings")}</summary>
      <div>
        <label>
          {t("language")}
          <select value={language.value} onChange={(e) => setLanguage(e.currentTarget.value as Language)}>
            <option value="pt-BR" lang="pt-BR">Português (Brasil)</option>
            <option value="en" lang="en">English</option>
          </select>
        </label>
        <label>
          {t("theme")}
          <select value={theme.value} onChange={(e) => setTheme(e.currentTarget.value as Theme)}>
            {(["auto", "light", "dark"] as const).map((v) => <option value={v} key={v}>{t(`theme.${v}`)}</option>)}
          </select>
        </label>
      </div>
    </details>
  );
}
