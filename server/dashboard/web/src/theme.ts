// Light and dark: as the system has it until the reader says otherwise.
import { computed, effect, signal } from "@preact/signals";
import { kept, keep } from "./keep";

export type Theme = "auto" | "light" | "dark";

const chosen = kept("theme");
export const theme = signal<Theme>(chosen === "light" || chosen === "dark" ? chosen : "auto");

const system = matchMedia("(prefers-color-scheme: dark)");
const systemDark = signal(system.matches);
system.addEventListener("change", (e) => (systemDark.value = e.matches));

export const dark = computed(() => (theme.value === "auto" ? systemDark.value : theme.value === "dark"));

export function setTheme(value: Theme): void {
  theme.value = value;
  keep("theme", value);
}

effect(() => {
  document.documentElement.dataset["theme"] = dark.value ? "dark" : "light";
});

export interface Palette { lines: string[]; text: string; grid: string; target: string }

// The lines' colours differ in lightness as well as in hue.
export const palette = computed((): Palette =>
  dark.value
    ? { lines: ["#2dd4bf", "#fbbf24", "#a78bfa", "#f87171", "#60a5fa", "#a3e635", "#f472b6", "#22d3ee", "#fb923c", "#cbd5e1"], text: "#a8b3bd", grid: "#2a3138", target: "#f0f3f5" }
    : { lines: ["#0f766e", "#b45309", "#6d28d9", "#be123c", "#1d4ed8", "#4d7c0f", "#be185d", "#0e7490", "#c2410c", "#475569"], text: "#4b5763", grid: "#e5e9ec", target: "#1c2329" },
);
