// Texts, numbers, dates and money in the reader's language.
import { computed, signal } from "@preact/signals";
import { english, type Key } from "./english";
import { portuguese } from "./portuguese";
import { kept, keep } from "./keep";

export type Language = "pt-BR" | "en";

/** The first of the browser's languages that we speak. */
export function preferred(languages: readonly string[]): Language {
  for (const l of languages) {
    const lower = l.toLowerCase();
    if (lower.startsWith("pt")) return "pt-BR";
    if (lower.startsWith("en")) return "en";
  }
  return "en";
}

const chosen = kept("language");

export const language = signal<Language>(
  chosen === "pt-BR" || chosen === "en" ? chosen : preferred(navigator.languages ?? ["en"]),
);

export function setLanguage(l: Language): void {
  language.value = l;
  keep("language", l);
}

/** The locale of numbers and dates: an English reader keeps the own region's. */
export const region = computed(() => {
  if (language.value === "pt-BR") return "pt-BR";
  return (navigator.languages ?? []).find((l) => l.toLowerCase().startsWith("en")) ?? "en";
});

const texts = computed(() => (language.value === "pt-BR" ? portuguese : english));

/** A text, its {names} replaced. */
export function t(key: Key, values?: Record<string, string | number>): string {
  const text = texts.value[key];
  if (!values) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** A text by a name that is made at run time; the name itself where there is none. */
export function word(prefix: string, name: string): string {
  const all = texts.value as Record<string, string>;
  return all[prefix + name] ?? name;
}

/** A number of things, in the singular or the plural: count("chat", 2) is "2 chats". */
export function count(thing: "chat" | "search" | "call" | "token" | "error" | "sample", n: number): string {
  return t(`${thing}.${n === 1 ? "one" : "other"}`, { n: whole(n) });
}

const formats = new Map<string, Intl.NumberFormat>();

function numbers(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = region.value + JSON.stringify(options);
  let f = formats.get(key);
  if (!f) {
    f = new Intl.NumberFormat(region.value, options);
    formats.set(key, f);
  }
  return f;
}

type Maybe = number | null | undefined;

const missing = (v: Maybe): v is null | undefined => v === null || v === undefined || Number.isNaN(v);

export function whole(v: Maybe): string {
  return missing(v) ? t("none") : numbers({ maximumFractionDigits: 0 }).format(v);
}

export function decimal(v: Maybe, digits = 2): string {
  return missing(v) ? t("none") : numbers({ minimumFractionDigits: digits, maximumFractionDigits: digits }).format(v);
}

/** A large number in short: 37.7K, 37,7 mil. */
export function short(v: Maybe): string {
  if (missing(v)) return t("none");
  return numbers({ notation: "compact", maximumFractionDigits: 1 }).format(v);
}

/** A share between 0 and 1 as per cent. */
export function percent(v: Maybe, digits = 1): string {
  return missing(v) ? t("none") : numbers({ style: "percent", maximumFractionDigits: digits }).format(v);
}

export function money(v: Maybe, currency = "USD"): string {
  if (missing(v)) return t("none");
  const size = Math.abs(v);
  // Below ten cents the first digits say more than a fixed number of places.
  return numbers({ style: "currency", currency, ...(size > 0 && size < 0.1 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: size === 0 || size >= 1 ? 2 : 3 }) }).format(v);
}

/** What costs are shown in, and how many units of it a dollar buys. */
export const currency = signal({ code: "USD", rate: 1 });

/** Dollars, in the currency that costs are shown in. */
export function cost(usd: Maybe): string {
  return money(missing(usd) ? null : usd * currency.value.rate, currency.value.code);
}

/** How often something happens: without digits that say nothing. */
export function rate(v: Maybe): string {
  return missing(v) ? t("none") : numbers({ maximumFractionDigits: Math.abs(v) < 100 ? 1 : 0 }).format(v);
}

/** A time of milliseconds, as a reader would say it. */
export function milliseconds(v: Maybe): string {
  if (missing(v)) return t("none");
  if (v < 1) return `${numbers({ maximumFractionDigits: 2 }).format(v)} ms`;
  if (v < 1000) return `${numbers({ maximumFractionDigits: 0 }).format(v)} ms`;
  if (v < 60_000) return `${numbers({ maximumFractionDigits: 2 }).format(v / 1000)} s`;
  return seconds(v / 1000);
}

/** A longer time: 45 s, 3 min, 5 h, 2 d. */
export function seconds(v: Maybe): string {
  if (missing(v)) return t("none");
  const f = numbers({ maximumFractionDigits: 0 });
  if (v < 60) return `${f.format(v)} s`;
  if (v < 3600) return `${f.format(v / 60)} min`;
  if (v < 2 * 86_400) return `${f.format(v / 3600)} h`;
  return `${f.format(v / 86_400)} d`;
}

export function bytes(v: Maybe): string {
  if (missing(v)) return t("none");
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let i = 0;
  let n = v;
  while (n >= 1024 && i < units.length - 1) {
    n /= 1024;
    i++;
  }
  return `${numbers({ maximumFractionDigits: n < 10 && i > 0 ? 1 : 0 }).format(n)} ${units[i]}`;
}

/** An instant of the service: RFC 3339, or without a zone, which means UTC. */
export function instant(text: string | null | undefined): Date | null {
  if (!text) return null;
  const d = new Date(/[zZ]|[+-]\d\d:\d\d$/.test(text) ? text : text + "Z");
  return Number.isNaN(d.getTime()) ? null : d;
}

export function clock(d: Date | null): string {
  if (!d) return t("none");
  return new Intl.DateTimeFormat(region.value, { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(d);
}

/** Date and time; today's without the date. */
export function moment(d: Date | null): string {
  if (!d) return t("none");
  if (d.toDateString() === new Date().toDateString()) return clock(d);
  return new Intl.DateTimeFormat(region.value, { dateStyle: "short", timeStyle: "medium" }).format(d);
}

export function day(d: Date | null): string {
  return d ? new Intl.DateTimeFormat(region.value, { dateStyle: "medium", timeZone: "UTC" }).format(d) : t("none");
}

export function ago(d: Date | null): string {
  return d ? t("ago", { time: seconds(Math.max(0, (Date.now() - d.getTime()) / 1000)) }) : t("none");
}
