// What the page's parts expect of a browser, as far as these tests need it.
const store = new Map<string, string>();
Object.assign(globalThis, {
  localStorage: { getItem: (k: string) => store.get(k) ?? null, setItem: (k: string, v: string) => void store.set(k, v) },
  location: { hash: "", origin: "http://localhost:8002" },
  addEventListener: () => undefined,
  history: { pushState: () => undefined, replaceState: () => undefined },
});
Object.defineProperty(globalThis, "navigator", { value: { languages: ["en-GB", "pt"] }, configurable: true });
