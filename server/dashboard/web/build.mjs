// Builds the dashboard into ../dist, which is committed and embedded.
import { build } from "esbuild";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import path from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.resolve(process.argv[2] ?? path.join(here, "..", "dist"));

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });

// Names hold what is in the files, so that a browser may keep them for ever. What
// draws charts is a file of its own, which no first paint waits for.
const built = await build({
  absWorkingDir: here,
  entryPoints: { app: "src/main.tsx", docs: "src/docs.tsx" },
  outdir: out,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  metafile: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  charset: "utf8",
  logLevel: "warning",
});
const files = Object.keys(built.metafile.outputs).map((name) => path.basename(name));
const named = (name) => {
  const [stem, ext] = name.split(".");
  const found = files.filter((f) => f.startsWith(`${stem}-`) && f.endsWith(`.${ext}`));
  if (found.length !== 1) throw new Error(`${name} was built as ${found}`);
  return found[0];
};

// What a script imports is asked for with it, not after it.
const importsOf = (name) => {
  const [, output] = Object.entries(built.metafile.outputs).find(([file]) => path.basename(file) === name);
  return output.imports.filter((i) => i.kind === "import-statement").map((i) => path.basename(i.path));
};
const preloads = { index: [...importsOf(named("app.js")), named("draw.js")], docs: importsOf(named("docs.js")) };

// The page as it is painted before its script has run, once for each language.
const texts = await build({
  absWorkingDir: here, stdin: { contents: `export { english } from "./src/english"; export { portuguese } from "./src/portuguese";`, resolveDir: here },
  bundle: true, format: "esm", write: false,
});
const { english, portuguese } = await import(`data:text/javascript;base64,${Buffer.from(texts.outputFiles[0].contents).toString("base64")}`);
const pages = ["overview", "rag", "models", "runs", "pipeline", "start"];
for (const page of ["index", "docs"]) {
  const frame = await readFile(path.join(here, "src", `${page}.html`), "utf8");
  for (const [language, words] of [["en", english], ["pt-BR", portuguese]]) {
    const nav = pages.map((p) => `<li><a href="#/${p}">${words[`nav.${p}`]}</a></li>`).join("");
    const text = frame.replace(/\{\{([\w.-]+)\}\}/g, (_, name) =>
      name === "language" ? language : name === "pages" ? nav : name === "preloads" ? preloads[page].map((f) => `<link rel="modulepreload" href="assets/${f}">`).join("\n") : /\.(js|css)$/.test(name) ? named(name) : words[name]);
    await writeFile(path.join(out, `${page}.${language}.html`), text);
  }
}
await writeFile(path.join(out, "icon.svg"), await readFile(path.join(here, "src", "icon.svg")));

// Brotli takes longer than a start should; gzip is made by the service.
for (const name of files) {
  const body = await readFile(path.join(out, name));
  await writeFile(path.join(out, `${name}.br`), brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: body.length } }));
}
