// A page that shows the panel of the service that its address names.
import { createRoot } from "react-dom/client";
import { MonitoringPanel } from "../MonitoringPanel";

const query = new URLSearchParams(location.search);
createRoot(document.getElementById("root")!).render(
  <MonitoringPanel baseUrl={query.get("base") ?? ""} locale={query.get("locale") ?? "pt-BR"} refreshInterval={1_000} />,
);
