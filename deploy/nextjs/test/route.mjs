// Asks route.ts, as Next.js would, for each path of the command line, and prints the answers.
import { readFile } from "node:fs/promises";
import ts from "typescript";

const source = await readFile(new URL("../route.ts", import.meta.url), "utf8");
const { outputText } = ts.transpileModule(source, { compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 } });
const { GET } = await import(`data:text/javascript,${encodeURIComponent(outputText)}`);

const answers = [];
for (const address of process.argv.slice(2)) {
  const request = new Request(`http://front.example/monitoring/${address}`);
  const path = new URL(request.url).pathname.split("/").slice(2);
  const answer = await GET(request, { params: Promise.resolve({ path }) });
  answers.push({ status: answer.status, body: await answer.text() });
}
console.log(JSON.stringify(answers));
