import { render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import "./style.css";
import { useDocument } from "./fetching";
import type { Metrics, Models } from "./documents";
import { Frame } from "./frame";
import { begin } from "./live";
import { language, t } from "./locale";
import { ModelsPage } from "./pages/models";
import { Overview } from "./pages/overview";
import { Pipeline } from "./pages/pipeline";
import { Rag } from "./pages/rag";
import { called, RunPage } from "./pages/run";
import { Runs } from "./pages/runs";
import { Start } from "./pages/start";
import "./theme";
import { go, view } from "./view";

function App() {
  const page = view.value.page;
  useEffect(() => {
    document.documentElement.lang = language.value;
    const title = page === "run" ? called.value || t("nav.runs") : t(`nav.${page}`);
    document.title = `${title} · Treq Telemetry`;
  }, [page, language.value, called.value]);
  // Who followed a link that is gone with its page goes on where the new page begins.
  const first = useRef(true);
  useEffect(() => {
    if (!first.current && (!document.activeElement || document.activeElement === document.body)) document.getElementById("content")?.focus({ preventScroll: true });
    first.current = false;
  }, [page, view.value.run]);
  return (
    <Frame>
      {page === "overview" && <Overview />}
      {page === "rag" && <Rag />}
      {page === "models" && <ModelsPage />}
      {page === "runs" && <Runs />}
      {page === "run" && <RunPage id={view.value.run} />}
      {page === "pipeline" && <Pipeline />}
      {page === "start" && <Start />}
      {page === "overview" && <GreetWhoIsNew />}
    </Frame>
  );
}

let greeted = false;

// Whoever opens the dashboard before anything arrived is shown how to begin.
function GreetWhoIsNew() {
  const metrics = useDocument<Metrics>("/monitoring/metrics").value;
  const models = useDocument<Models>("/monitoring/models").value;
  useEffect(() => {
    if (greeted || !metrics || !models) return;
    greeted = true;
    performance.mark("treq-shown");
    if (metrics.chat.total_requests === 0 && models.models.length === 0 && location.hash === "") go({ page: "start" }, true);
  }, [metrics, models]);
  return null;
}

render(<App />, document.getElementById("app")!);
begin();
