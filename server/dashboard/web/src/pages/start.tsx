import type { Metrics } from "../documents";
import { useDocument } from "../fetching";
import { t, whole } from "../locale";
import { Card, Copy } from "../parts";
import { link } from "../view";
import { snippets } from "../snippets";

export function Start() {
  const m = useDocument<Metrics>("/monitoring/metrics").value;
  const arrived = m !== null && (m.chat.total_requests > 0 || m.llm.total_calls > 0 || m.rag.total_searches > 0);
  return (
    <>
      <h1>{t("start.title")}</h1>
      <p>{t("start.text")}</p>
      <section class="card">
        <p class={`signal ${arrived ? "on" : ""}`} role="status">
          <span class="lamp" aria-hidden="true" />
          {arrived ? t("start.arrived", { n: whole(m.chat.total_requests), calls: whole(m.llm.total_calls) }) : t("start.waiting")}
          {arrived && <a href={link("overview")}>{t("start.open")}</a>}
        </p>
      </section>
      <div class="snippets">
        {snippets(location.origin).map((s) => (
          <Card key={s.title} title={s.title} aside={<Copy label={t("start.copy")} text={() => s.code} />}>
            <pre class="code" tabIndex={0}>{s.code}</pre>
          </Card>
        ))}
      </div>
    </>
  );
}
