package config

import (
	"reflect"
	"strings"
)

// Setting is one thing that can be set: its key in the file and what follows
// from it.
type Setting struct {
	// Key is the path in the file, like "otlp.http".
	Key string
	// Flag is the command line's name without dashes; "" for what only the file
	// can say.
	Flag string
	// Alias is a further environment variable that is read where Env gives nothing.
	Alias string
	// Usage says in one line what it does and, where needed, what it takes.
	Usage string
}

// Env is the environment variable of the setting, "" for what only the file can say.
func (s Setting) Env() string {
	if s.Flag == "" {
		return ""
	}
	return "TREQ_" + strings.ToUpper(strings.ReplaceAll(s.Flag, "-", "_"))
}

// Bool tells whether the setting is a switch, which a flag without a value turns on.
func (s Setting) Bool() bool { return typeAt(s.Key).Kind() == reflect.Bool }

// Default is the value of a process that was told nothing, as text; "" for an
// empty one.
func (s Setting) Default() string {
	c := Defaults()
	c.derive(func(string) bool { return false })
	return textAt(&c, s.Key)
}

// Settings are all of them, in the order of the file.
func Settings() []Setting { return append([]Setting(nil), settings...) }

var settings = []Setting{
	{"listen", "listen", "PORT", "`host:port` of the one port: HTTP and OTLP/gRPC; :8002 is every interface"},
	{"otlp.http", "otlp-http", "", "`host:port` of OTLP/HTTP, or off; follows the host of --listen"},
	{"otlp.grpc", "otlp-grpc", "", "`host:port` of OTLP/gRPC, or off; follows the host of --listen"},
	{"data_dir", "data-dir", "", "`directory` of the journal, the totals and the sinks' positions"},
	{"ack", "ack", "", "when a request is answered: fsync (on disk) or memory (in the kernel; lost in a power cut)"},
	{"journal.keep", "journal-keep", "", "least `duration` that records are kept, while bytes allow"},
	{"journal.max_age", "journal-max-age", "", "most `duration` that records are kept"},
	{"journal.max_bytes", "journal-max-bytes", "", "most `bytes` of records; 0 is 20 % of the disk, at most 10GiB"},
	{"journal.segment_bytes", "journal-segment-bytes", "", "`bytes` after which a segment file ends"},
	{"journal.prepare_rate", "journal-prepare-rate", "", "most `bytes` a second for which the next segment is filled with zeros ahead, so that fsyncs cost less; 0 is never"},
	{"journal.lock_wait", "journal-lock-wait", "", "`duration` to wait for another process to leave the data directory"},
	{"chats.preset", "chats-preset", "", "rules that ship with the program: treq, or nothing"},
	{"chats.from", "chats-from", "", "where chats are taken from: both, traces or api"},
	{"chats.entries", "", "", "spans that are one chat each: a list of {service, name, route}, each optional"},
	{"chats.exclude", "", "", "spans that are never a chat, written like entries"},
	{"chats.bare_llm", "chats-bare-llm", "", "count a model call under no other span as a chat"},
	{"chats.session", "chats-session", "", "`duration` from which a span is a session of many chats"},
	{"chats.remember", "chats-remember", "", "`duration` that late spans still find their chat"},
	{"chats.close.root", "chats-close-root", "", "`duration` of quiet that closes a fragment whose top has no parent"},
	{"chats.close.chain", "chats-close-chain", "", "`duration` of quiet that closes a fragment whose top is a chain waiting for its parent"},
	{"chats.close.leaves", "chats-close-leaves", "", "`duration` of quiet that closes leaves without a top"},
	{"chats.close.longest", "chats-close-longest", "", "`duration` after its first span that closes any fragment"},
	{"families", "", "", "model families of the documented counts: a list of {name, match: [part of a model name, …]}, without regard to case; the first match wins; without it 8b or instant is 8b, 70b is 70b, glm is glm4"},
	{"retrieval.threshold", "retrieval-threshold", "", "`similarity`, above 0 to 1, that the best document of a search should reach; searches below it are counted"},
	{"prices.file", "prices-file", "", "YAML `file` of model prices that go before those of the program, see docs/configuration.md, Prices and currency"},
	{"currency.code", "currency", "", "`code` of the currency that costs are shown in besides dollars"},
	{"currency.usd_rate", "currency-usd-rate", "", "how many `units` of that currency a dollar buys"},
	{"semconv", "semconv", "", "names of /metrics for model calls: released (conventions 1.41), latest (gen_ai.client.inference.*), or both"},
	{"history.enabled", "history", "", "keep samples of the numbers: windows, charts, targets and alerts need them"},
	{"history.step", "history-step", "", "`duration` between two samples"},
	{"history.keep", "history-keep", "", "`duration` that samples are kept"},
	{"history.max_bytes", "history-max-bytes", "", "most `bytes` of samples; the oldest go first"},
	{"history.query_timeout", "history-query-timeout", "", "most `duration` of one query"},
	{"history.query_max_samples", "history-query-max-samples", "", "most `samples` that one query holds at once, 16 bytes each"},
	{"history.url", "history-url", "", "`URL` of a Prometheus, Mimir, Thanos or VictoriaMetrics that answers queries instead, without /api/v1"},
	{"history.token", "history-token", "", "`token` that it asks for, sent as Authorization: Bearer"},
	{"history.headers", "", "", "headers that it asks for: a mapping of names to values, such as X-Scope-OrgID"},
	{"history.tls.ca", "history-tls-ca", "", "PEM `file` of the authorities that its certificate is of"},
	{"history.tls.cert", "history-tls-cert", "", "PEM `file` of the certificate that we show it"},
	{"history.tls.key", "history-tls-key", "", "PEM `file` of that certificate's key"},
	{"history.remote_write.url", "history-remote-write-url", "", "`URL` that takes every sample by Prometheus's remote-write protocol, with its path, such as /api/v1/write"},
	{"history.remote_write.token", "history-remote-write-token", "", "`token` that it asks for, sent as Authorization: Bearer"},
	{"history.remote_write.headers", "", "", "headers that it asks for: a mapping of names to values"},
	{"history.remote_write.tls.ca", "history-remote-write-tls-ca", "", "PEM `file` of the authorities that its certificate is of"},
	{"history.remote_write.tls.cert", "history-remote-write-tls-cert", "", "PEM `file` of the certificate that we show it"},
	{"history.remote_write.tls.key", "history-remote-write-tls-key", "", "PEM `file` of that certificate's key"},
	{"history.remote_write.queue_bytes", "history-remote-write-queue-bytes", "", "most `bytes` that wait in memory while it does not take them; the oldest go first"},
	{"scope", "scope", "", "whose numbers the documents, models and judgements show: instance, or fleet (the sum over all replicas, read from history.url)"},
	{"fleet.peers", "fleet-peers", "", "`URLs` of the replicas that are asked for runs which this one does not have; this one may be among them; separated by commas"},
	{"fleet.token", "fleet-token", "", "`token` that they ask of readers"},
	{"fleet.timeout", "fleet-timeout", "", "most `duration` of asking them for a run"},
	{"fleet.deliver_alerts", "fleet-deliver-alerts", "", "tell the receivers of alerts; of replicas with the scope fleet one alone does, or all do and an Alertmanager tells once"},
	{"objectives.file", "objectives-file", "", "YAML `file` of targets and alerts that goes over those of the program, see docs/objectives.md; read again with the settings"},
	{"objectives.interval", "objectives-interval", "", "`duration` between two evaluations; of long windows they are further apart, at most 4m"},
	{"sinks", "", "", "where traces are forwarded to: a list, see below"},
	{"redact.rules", "redact", "", "rules that take personal numbers, addresses, cards and keys out of everything: br, or off"},
	{"redact.file", "redact-file", "", "YAML `file` of rules that go over them, see docs/configuration.md, Redaction"},
	{"redact.at", "redact-at", "", "where: door (before anything is on disk), sink (when it leaves) or both"},
	{"redact.content", "content", "", "prompts, answers and documents: keep, or none, which keeps their numbers only"},
	{"redact.key", "redact-key", "", "`key` of the hashes that stand for people; without one the data directory keeps one"},
	{"notifications.language", "notifications-language", "", "language of alerts: pt-BR or en"},
	{"notifications.time_zone", "notifications-time-zone", "", "time `zone` of quiet hours and of times in alerts"},
	{"notifications.quiet_hours", "notifications-quiet-hours", "", "`hours` in which only critical alerts are delivered, like 22:00-07:00 or sat-sun 00:00-24:00; separated by commas"},
	{"notifications.group_by", "notifications-group-by", "", "`labels` whose alerts share a message; separated by commas"},
	{"notifications.group_wait", "notifications-group-wait", "", "`duration` that the first alert of a group waits for company"},
	{"notifications.group_interval", "notifications-group-interval", "", "`duration` that a group rests between two messages"},
	{"notifications.repeat_interval", "notifications-repeat-interval", "", "`duration` after which what still fires is told again"},
	{"notifications.external_url", "notifications-external-url", "", "`URL` at which people reach this process, for links in alerts"},
	{"notifications.receivers", "", "", "who is told of alerts: a list, see below"},
	{"notifications.routes", "", "", "which receiver is told of which alert: a list, see below; without one each is told of all"},
	{"notifications.silences", "", "", "alerts that are held back for a time: a list, see below"},
	{"tokens.ingest", "ingest-token", "", "`token` that clients must show to send telemetry; several separated by commas"},
	{"tokens.api", "api-token", "", "`token` that readers must show to see runs; without one they are shown on a loopback --listen only; several separated by commas"},
	{"tokens.admin", "admin-token", "", "`token` that may do everything, and alone what destroys; with it sending telemetry and seeing runs need one too; several separated by commas"},
	{"require_auth", "require-auth", "", "refuse to start when other machines can come in and a token for sending or reading is missing; the numbers need one too then"},
	{"tls.cert", "tls-cert", "", "PEM `file` of the certificate and its chain: all doors speak TLS; read again when it changes"},
	{"tls.key", "tls-key", "", "PEM `file` of the certificate's key"},
	{"tls.client_ca", "tls-client-ca", "", "PEM `file` of authorities: only clients with a certificate of theirs get in"},
	{"cors_origins", "cors-origins", "CORS_ORIGINS", "`origins` of browsers that may read answers and post; separated by commas"},
	{"allowed_hosts", "allowed-hosts", "", "host `names` answered on the one port; separated by commas; empty is localhost on a loopback bind and any elsewhere"},
	{"limits.max_request_bytes", "max-request-bytes", "", "most `bytes` of one request, decompressed"},
	{"limits.max_in_flight_bytes", "max-in-flight-bytes", "", "most `bytes` of all requests being received"},
	{"limits.token_bytes_per_second", "token-bytes-per-second", "", "`bytes` that each token may send in a second over ten of them; more is answered with 429; 0 is no limit"},
	{"limits.max_connections", "max-connections", "", "most `connections` open at once; one address gets three quarters of them"},
	{"runs.timeout", "runs-timeout", "", "`duration` after which a run that LangSmith's SDK began, and whose end never came, is given up"},
	{"runs.pending_bytes", "runs-pending-bytes", "", "most `bytes` of runs that go on; beyond, the oldest are given up"},
	{"runs.list_rate", "runs-list-rate", "", "`traces` a second that are read for the list of runs; others are found by their ids"},
	{"runs.list_bytes", "runs-list-bytes", "", "most `bytes` of memory of the list of runs"},
	{"debug.listen", "debug-listen", "", "`host:port` of Go's profiles, on loopback only, or off"},
	{"log.format", "log-format", "", "how log lines look: auto (text on a terminal), text or json"},
	{"log.level", "log-level", "", "least important line that is logged: debug, info, warn or error"},
}
