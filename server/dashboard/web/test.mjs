// Bundles the tests of the page's parts and runs them with Node's own runner.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import path from "node:path";

const here = path.dirname(fileURLToPath(import.meta.url));
const out = await mkdtemp(path.join(tmpdir(), "treq-dashboard-"));
try {
  const tests = (await readdir(path.join(here, "test"))).filter((n) => n.endsWith(".test.ts"));
  await build({
    absWorkingDir: here, entryPoints: tests.map((n) => `test/${n}`), outdir: out, bundle: true, format: "esm", platform: "node",
    target: "node20", jsx: "automatic", jsxImportSource: "preact", outExtension: { ".js": ".mjs" }, logLevel: "warning",
  });
  const run = spawnSync(process.execPath, ["--test", ...tests.map((n) => path.join(out, n.replace(/ts$/, "mjs")))], { stdio: "inherit" });
  process.exitCode = run.status ?? 1;
} finally {
  await rm(out, { recursive: true, force: true });
}
