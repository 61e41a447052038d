// The page of the API: what /openapi.json says, for people.
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { useDocument } from "./fetching";
import { language, t } from "./locale";
import { describe, type Schema } from "./schema";
import { Card, Copy, Table, Trouble } from "./parts";
import "./theme";

interface Parameter { name: string; in: string; required: boolean; description?: string; schema: Schema }
type Content = Record<string, { schema: Schema }>;
interface Operation {
  operationId: string; summary: string; description?: string; tags: string[]; parameters?: Parameter[];
  requestBody?: { required: boolean; content: Content }; responses: Record<string, { description: string; content?: Content }>;
}
interface OpenAPI { info: { title: string; version: string; description: string }; paths: Record<string, Record<string, Operation>>; components: { schemas: Record<string, Schema> } }

function Docs() {
  const loaded = useDocument<OpenAPI>("/openapi.json");
  const api = loaded.value;
  useEffect(() => {
    document.documentElement.lang = language.value;
  }, [language.value]);
  const operations = Object.entries(api?.paths ?? {}).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })));
  operations.sort((a, b) => a.path.localeCompare(b.path) || a.method.localeCompare(b.method));
  return (
    <>
      <header class="top">
        <a class="brand" href="/"><img src="assets/icon.svg" alt="" width="22" height="22" /><span class="name">Treq Telemetry</span></a>
        <nav aria-label={t("nav.main")}><ul><li><a href="/">{t("docs.dashboard")}</a></li><li><a href="/docs" aria-current="page">{t("docs.title")}</a></li></ul></nav>
      </header>
      <main id="content">
        <h1>{t("docs.title")} <span class="dim">{api?.info.version}</span></h1>
        <p>{t("docs.text", { file: "/openapi.json" })} <a href="/openapi.json">/openapi.json</a>{language.value === "en" ? "" : ` ${t("docs.english")}`}</p>
        {loaded.error && <Trouble error={loaded.error} />}
        {api && <p class="dim" lang="en">{api.info.description}</p>}
        {api && operations.map((o) => <OperationView key={o.method + o.path} {...o} schemas={api.components.schemas} />)}
      </main>
    </>
  );
}

function OperationView({ path, method, operation, schemas }: { path: string; method: string; operation: Operation; schemas: Record<string, Schema> }) {
  const body = operation.requestBody && Object.entries(operation.requestBody.content)[0];
  return (
    <Card title={`${method} ${path}`} aside={<Copy label="curl" text={() => `curl ${method === "GET" ? "" : `-X ${method} `}'${location.origin}${path}'`} />}>
      <p lang="en">{operation.summary}</p>
      {operation.description && <p class="dim" lang="en">{operation.description}</p>}
      <details>
        <summary>{t("pipeline.detail")}</summary>
        {operation.parameters && (
          <Table<Parameter> label={`${t("docs.parameters")}: ${method} ${path}`} rows={operation.parameters} id={(p) => p.in + p.name} columns={[
            { title: t("docs.name"), cell: (p) => <span class="mono">{p.name}</span> },
            { title: t("docs.type"), cell: (p) => <span class="mono">{describe(p.schema, schemas)}</span> },
            { title: t("docs.about"), cell: (p) => [p.in, p.required ? t("docs.required") : "", p.description ?? ""].filter(Boolean).join(", ") },
          ]} />
        )}
        {body && <><h2>{t("docs.body")} ({body[0]})</h2><pre class="code" tabIndex={0}>{describe(body[1].schema, schemas)}</pre></>}
        {Object.entries(operation.responses).map(([status, answer]) => (
          <div key={status}>
            <h2 lang="en">{status} · {answer.description}</h2>
            {Object.entries(answer.content ?? {}).map(([media, c]) => <pre class="code" tabIndex={0} key={media}>{`${media}\n${describe(c.schema, schemas)}`}</pre>)}
          </div>
        ))}
      </details>
    </Card>
  );
}

render(<Docs />, document.getElementById("app")!);
