// The first steps: each snippet, as it stands on the page, sends the first data.
import { spawn } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { eventually } from "./browser.mjs";

// What a reader has around the snippet: the least that such a program is.
const surroundings = {
  "Python: FastAPI + OpenTelemetry": {
    venv: "fastapi", port: 1,
    files: { "main.py": "from fastapi import FastAPI\napp = FastAPI()\n@app.post('/chat')\nasync def chat():\n    return {'answer': 'oi'}\n" },
  },
  "LangChain, LangGraph": {
    venv: "0.15",
    files: { "main.py": "from langchain_core.language_models import FakeListChatModel\nprint(FakeListChatModel(responses=['oi']).invoke('Olá').content)\n" },
  },
  "LangSmith SDK": { venv: "0.15", run: (code, dir) => ["python", path.join(dir, "snippet.py")], name: "snippet.py" },
  "JavaScript: OpenTelemetry": { run: (code) => ["node", "--input-type=module", "-e", code], cwd: new URL("../js", import.meta.url) },
  "Go: OpenTelemetry": {
    run: (code, dir) => ["go", "run", path.join(dir, "main.go")], name: "main.go", cwd: new URL("../../..", import.meta.url),
    wrap: (code) => `package main

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/trace"
)

func main() {
	if err := run(context.Background()); err != nil {
		panic(err)
	}
}

func run(ctx context.Context) error {
	${code.split("\n").join("\n\t")}
	_, span := otel.Tracer("treq").Start(ctx, "chat")
	span.End()
	return nil
}
`,
  },
  curl: {},
};

export async function snippet(b) {
  const title = process.env.SNIPPET;
  const page = await b.page(`snippet ${title}`, { language: "pt-BR" });
  await b.visit(page, "");
  await page.waitForSelector(".signal:not(.on)");
  const titles = await page.locator(".snippets h2").allTextContents();
  b.expect(JSON.stringify(titles) === JSON.stringify(Object.keys(surroundings)), `the snippets are ${titles}`);
  const card = page.locator(".snippets .card").filter({ has: page.getByRole("heading", { name: title, exact: true }) });
  b.expect((await page.locator(".snippets .card.good").count()) === 0, "a snippet is green before anything was sent");
  const code = await card.locator("pre").textContent();
  b.expect(code.includes(new URL(b.base).host), "the snippet lacks the address");
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await card.getByRole("button").click();
  // It is written after the click has returned.
  await eventually("the snippet is what is copied", async () => (await page.evaluate(() => navigator.clipboard.readText())) === code);

  const around = surroundings[title];
  const dir = await mkdtemp(path.join(tmpdir(), "treq-snippet-"));
  for (const [name, text] of Object.entries(around.files ?? {})) await writeFile(path.join(dir, name), text);
  if (around.name) await writeFile(path.join(dir, around.name), around.wrap ? around.wrap(code) : code);
  const [program, ...args] = around.run ? around.run(code, dir) : ["sh", "-ec", code];
  const child = spawn(program, args, {
    cwd: around.cwd ?? dir, detached: true,
    env: { ...process.env, ...(around.venv ? { PATH: `${process.env.VENVS}/langsmith-${around.venv}/bin:${process.env.PATH}` } : {}), UVICORN_PORT: process.env.PORT, OTEL_BSP_SCHEDULE_DELAY: "200" },
  });
  let told = "", code_ = null;
  child.stdout.on("data", (d) => (told += d));
  child.stderr.on("data", (d) => (told += d));
  child.on("exit", (n) => (code_ = n));
  try {
    if (around.port) await eventually("the service answers", () => fetch(`http://127.0.0.1:${process.env.PORT}/chat`, { method: "POST" }).then((r) => r.ok, () => false));
    else await eventually("the program has ended", () => code_ !== null, 120_000);
    b.expect(around.port || code_ === 0, `${title} ended with ${code_}: ${told}`);
    await eventually("the snippet is green", async () => (await card.getAttribute("class")).includes("good"));
    await page.waitForSelector(".signal.on");
    b.expect((await card.locator(".badge.good").textContent()) === "chegou", "the card does not say that data arrived");
    await b.shot(page, `snippet-${title.replace(/\W+/g, "-")}`);
  } catch (e) {
    throw new Error(`${e.message}\n${told}`);
  } finally {
    if (code_ === null) process.kill(-child.pid);
  }
}
