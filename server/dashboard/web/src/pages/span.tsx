// One span of a run: what it says, what it counted for, and why.
import { useState } from "preact/hooks";
import type { Span, Text } from "../documents";
import { bytes, cost, decimal, milliseconds, t, whole, word } from "../locale";
import { code, why } from "../said";
import { documentsOf, messagesOf, type Message } from "../messages";
import { Badge, Card } from "../parts";

export function SpanDetail({ span }: { span: Span }) {
  return (
    <>
      <Card title={span.name}>
        <dl class="facts">
          <Fact name={t("runs.duration")} value={milliseconds(span.duration_ms)} />
          {span.model && <Fact name={t("models.model")} value={[span.model.provider, span.model.response_model || span.model.request_model].filter(Boolean).join(" / ")} />}
          {span.model?.time_to_first_token_ms != null && <Fact name={t("models.ttft.one")} value={milliseconds(span.model.time_to_first_token_ms)} />}
          {span.tokens && <Fact name={t("tokens")} value={`${whole(span.tokens.total)} (${t("run.tokens.of", { input: whole(span.tokens.input + span.tokens.cache_read + span.tokens.cache_write), output: whole(span.tokens.output + span.tokens.reasoning) })})`} />}
          {span.documents && <Fact name={t("rag.source")} value={span.documents.data_source || t("none")} />}
          {span.documents?.mean_similarity != null && <Fact name={t("similarity")} value={`${t("rag.mean")} ${decimal(span.documents.mean_similarity)}, ${t("rag.top")} ${decimal(span.documents.top_similarity)}`} />}
          <Fact name={t("models.kind")} value={code("span", span.kind)} />
          {span.tool && <Fact name={t("role.tool")} value={span.tool} />}
          {span.http_status !== undefined && <Fact name="HTTP" value={String(span.http_status)} />}
          <Fact name="id" value={span.span_id} />
        </dl>
      </Card>
      {((span.error_type && span.error_type !== "_OTHER") || span.status_message || span.stack) && (
        <Card title={t("run.error")}>
          {span.error_type && span.error_type !== "_OTHER" && <p><b>{span.error_type}</b></p>}
          {span.status_message && <pre class="code">{span.status_message}</pre>}
          {span.stack && <><h2>{t("run.stack")}</h2><pre class="code" tabIndex={0}>{span.stack}</pre></>}
        </Card>
      )}
      {span.input && <Content title={t("run.input")} content={span.input} />}
      {span.output && <Content title={span.documents ? t("run.documents") : t("run.output")} content={span.output} />}
      {span.explanation && <Counted span={span} />}
      {span.attributes && Object.keys(span.attributes).length > 0 && (
        <Card title={t("run.attributes")}>
          <div class="scroll tall attributes" tabIndex={0} role="region" aria-label={t("run.attributes")}>
            <table><tbody>
              {Object.entries(span.attributes).map(([name, value]) => (
                <tr key={name}><th scope="row" class="mono">{name}</th><td class="mono long">{typeof value === "string" ? value : JSON.stringify(value)}</td></tr>
              ))}
            </tbody></table>
          </div>
        </Card>
      )}
    </>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return <div><dt>{name}</dt><dd>{value}</dd></div>;
}

function Counted({ span }: { span: Span }) {
  const e = span.explanation!;
  return (
    <Card title={t("run.counted")}>
      <p>
        <Badge tone={e.events.length > 0 ? "good" : "calm"}>{e.events.length > 0 ? e.events.map((n) => code("event", n)).join(", ") : code("disposition", e.disposition)}</Badge>{" "}
        {why(e)}
      </p>
      {(e.tokens || e.cost_usd !== null) && (
        <dl class="facts">
          {e.tokens && <Fact name={t("tokens")} value={whole(e.tokens.total)} />}
          {e.cost_usd !== null && <Fact name={t("cost")} value={`${cost(e.cost_usd)}${e.cost_source ? ` (${code("cost", e.cost_source)})` : ""}`} />}
        </dl>
      )}
    </Card>
  );
}

// Content is text and nothing else: nothing in it becomes markup.
function Content({ title, content }: { title: string; content: Text }) {
  const [raw, setRaw] = useState(false);
  const messages = messagesOf(content.text);
  const documents = messages ? null : documentsOf(content.text);
  const rendered = messages !== null || documents !== null;
  return (
    <Card title={title} aside={rendered && (
      <button class="quiet small" type="button" aria-pressed={raw} onClick={() => setRaw(!raw)}>{raw ? t("run.rendered") : t("run.raw")}</button>
    )}>
      {!rendered || raw ? <pre class="code" tabIndex={0}>{content.text}</pre>
        : messages ? messages.map((m, i) => <MessageView message={m} key={i} />)
        : (
          <ol class="documents">
            {documents!.map((d, i) => (
              <li key={i}><b title={t("run.document.score")}>{decimal(d.score, 3)}</b><span><span class="mono">{d.id}</span> <span class="text">{d.text}</span></span></li>
            ))}
          </ol>
        )}
      {content.truncated && <p class="dim">{t("run.truncated", { bytes: bytes(content.bytes) })}</p>}
    </Card>
  );
}

const roles = ["user", "assistant", "system", "tool", "developer", "thinking"];

function MessageView({ message }: { message: Message }) {
  const role = roles.includes(message.role) ? message.role : "other";
  return (
    <div class={`message ${role}`}>
      <h3>{word("role.", message.role)}{message.call !== undefined && ` · ${t("role.call", { name: message.call })}`}</h3>
      {message.call !== undefined ? <pre class="code" tabIndex={0}>{message.text}</pre> : <p class="text">{message.text}</p>}
    </div>
  );
}
