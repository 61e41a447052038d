import type { Metrics } from "../documents";
import { useDocument } from "../fetching";
import { count, t } from "../locale";
import { Badge, Card, Copy, Trouble } from "../parts";
import { snippets, type Door } from "../snippets";
import { link } from "../view";
import type { Flow } from "./flow";

export function Start() {
  const metrics = useDocument<Metrics>("/monitoring/metrics");
  const m = metrics.value;
  const flow = useDocument<{ telemetry?: { flow: Flow | null } }>("/monitoring/health?verbose=1").value?.telemetry?.flow;
  const came = new Set<Door>((flow?.received ?? []).filter((r) => r.requests > 0).map(doorOf));
  const counted = m !== null && (m.chat.total_requests > 0 || m.llm.total_calls > 0 || m.rag.total_searches > 0);
  const arrived = counted || came.size > 0;
  return (
    <>
      <h1>{t("start.title")}</h1>
      <p>{t("start.text")}</p>
      <p class="dim">{t("start.token")}</p>
      {metrics.error && <Trouble error={metrics.error} />}
      <section class="card">
        <p class={`signal ${arrived ? "on" : ""}`} role="status">
          <span class="lamp" aria-hidden="true" />
          {arrived ? t("start.arrived", { chats: count("chat", m?.chat.total_requests ?? 0), calls: count("call", m?.llm.total_calls ?? 0) }) : t("start.waiting")}
          {arrived && <a href={link("overview")}>{t("start.open")}</a>}
        </p>
      </section>
      <div class="snippets">
        {snippets(location.origin).map((s) => {
          const here = s.doors.some((d) => came.has(d));
          return (
            <Card key={s.title} title={s.title} tone={here ? "good" : undefined} aside={
              <span class="bar">
                <Badge tone={here ? "good" : "calm"}>{t(here ? "start.snippet.arrived" : "start.snippet.waiting")}</Badge>
                <Copy label={t("start.copy")} of={s.title} text={() => s.code} />
              </span>
            }>
              <pre class="code" tabIndex={0}>{s.code}</pre>
            </Card>
          );
        })}
      </div>
    </>
  );
}

function doorOf(r: { door: string; signal: string }): Door {
  return r.door === "langsmith" || r.door === "api" ? r.door : "otlp";
}
