package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"treq/server/config"
)

func TestProblems(t *testing.T) {
	tests := []struct {
		name  string
		file  string
		env   map[string]string
		flags map[string]string
		want  string // FILE stands for the path
	}{
		{
			name: "unknown keys at every depth", file: "lisen: :1\notlp:\n  htpp: :2\nsinks:\n  - name: a\n    endpont: http://x\n",
			want: "FILE:1: lisen: unknown key; known here: listen, otlp, data_dir, ack, journal, chats, families, retrieval, prices, currency, semconv, history, scope, fleet, objectives, sinks, redact, notifications, tokens, require_auth, tls, cors_origins, allowed_hosts, limits, runs, debug, log\n" +
				"FILE:3: otlp.htpp: unknown key; known here: http, grpc\n" +
				"FILE:6: sinks[0].endpont: unknown key; known here: name, profile, protocol, endpoint, api_key, headers, tls, compression, timeout, delay, batch_bytes, batch_spans, max_in_flight, project, tenant, dead_letter_bytes, sample, only_services, only_attributes, except_services, except_attributes, requests_per_hour, spans_per_hour, bytes_per_hour, over_budget, enrich, redact, content, feedback",
		},
		{
			name: "keys with dots in them", file: "ack.x: 1\njournal:\n  keep.x: 1\n",
			want: "FILE:1: ack.x: unknown key; known here: listen, otlp, data_dir, ack, journal, chats, families, retrieval, prices, currency, semconv, history, scope, fleet, objectives, sinks, redact, notifications, tokens, require_auth, tls, cors_origins, allowed_hosts, limits, runs, debug, log\n" +
				"FILE:3: journal.keep.x: unknown key; known here: keep, max_age, max_bytes, segment_bytes, prepare_rate, lock_wait",
		},
		{
			name: "wrong types", file: "chats:\n  bare_llm: perhaps\n  entries: {name: x}\njournal: 5\nlisten: [a]\n",
			want: "FILE:2: chats.bare_llm: want true or false, got a text\n" +
				"FILE:3: chats.entries: want a list, got keys with values\n" +
				"FILE:4: journal: want keys with values, got a number\n" +
				"FILE:5: listen: want one text, got a list",
		},
		{
			name: "wrong values", file: "ack: disk\njournal: {keep: 5 days, max_bytes: 3XB}\n",
			want: `FILE:1: ack: "disk" is none of fsync, memory` + "\n" +
				`FILE:2: journal.keep: "5 days" is no duration: want a number with a unit, like 90s, 15m, 24h or 7d` + "\n" +
				`FILE:2: journal.max_bytes: "3XB" is no size: want bytes, or a whole number of KiB, MiB, GiB or TiB, like 64MiB`,
		},
		{
			name: "twice", file: "ack: fsync\nack: memory\n",
			want: "FILE:2: ack: is there twice at line 1",
		},
		{
			name: "no YAML", file: "listen: :1\n  ack: x\n",
			want: "FILE:2: mapping values are not allowed in this context",
		},
		{
			name: "several documents", file: "ack: fsync\n---\nack: memory\n",
			want: "FILE: expected single document, found multiple",
		},
		{
			name: "aliases", file: "ack: &a fsync\ndata_dir: *a\n",
			want: "FILE:2: data_dir: aliases are not read here: write the value out",
		},
		{
			name: "variable not set", file: "data_dir: ${NOWHERE}/x\n",
			want: "FILE:1: data_dir: the environment variable NOWHERE is not set",
		},
		{
			name: "all at once", file: "lisen: :1\nlisten: off\njournal: {keep: soon}\nsinks:\n  - {name: a, api_key: '${NOWHERE}'}\n  - {name: b, endpoint: 'ftp://x'}\nretrieval: {threshold: 2}\n",
			env: map[string]string{"TREQ_RUNS_TIMEOUT": "never"},
			want: "FILE:1: lisen: unknown key; known here: listen, otlp, data_dir, ack, journal, chats, families, retrieval, prices, currency, semconv, history, scope, fleet, objectives, sinks, redact, notifications, tokens, require_auth, tls, cors_origins, allowed_hosts, limits, runs, debug, log\n" +
				"FILE:2: listen: cannot be off: it is the port that answers\n" +
				`FILE:3: journal.keep: "soon" is no duration: want a number with a unit, like 90s, 15m, 24h or 7d` + "\n" +
				"FILE:5: sinks[0].api_key: the environment variable NOWHERE is not set\n" +
				"FILE:6: sinks[1].endpoint: must start with http:// or https://\n" +
				"FILE:7: retrieval.threshold: must be above 0 and at most 1\n" +
				`TREQ_RUNS_TIMEOUT: runs.timeout: "never" is no duration: want a number with a unit, like 90s, 15m, 24h or 7d`,
		},
		{
			name: "a secret of the wrong type stays hidden", file: "chats:\n  bare_llm: ${KEY}\n", env: map[string]string{"KEY": "canary"},
			want: "FILE:2: chats.bare_llm: want true or false, got a text",
		},
		{
			name: "from variables and flags", env: map[string]string{"TREQ_ACK": "x", "PORT": "http"}, flags: map[string]string{"listen": "8002", "chats-bare-llm": "perhaps"},
			want: `--chats-bare-llm: chats.bare_llm: want true or false, got a text` + "\n" +
				`--listen: listen: "8002" is no address: want host:port, :port for every interface, or off` + "\n" +
				`PORT: listen: ":http" has no port: want a number of 0 to 65535 behind the colon` + "\n" +
				`TREQ_ACK: ack: "x" is none of fsync, memory`,
		},
		{
			name: "rules across keys", file: "listen: off\notlp: {http: 127.0.0.1:1, grpc: 127.0.0.1:1}\njournal: {keep: 8d}\nlimits:\n  max_in_flight_bytes: 1MiB\n",
			want: "FILE:1: listen: cannot be off: it is the port that answers\n" +
				"FILE:2: otlp.grpc: has the address of otlp.http: each needs its own (the one port takes OTLP too; off closes this one)\n" +
				"FILE:3: journal.max_age: must not be below journal.keep (8d)\n" +
				"FILE:5: limits.max_in_flight_bytes: must have room for one request (64MiB)",
		},
		{
			name: "rules within lists", file: "chats:\n  exclude:\n    - {}\nfamilies:\n  - name: a\n  - {name: a, match: [' ']}\ntokens: {ingest: ['a b']}\ncors_origins:\n  - localhost:3000/x\nallowed_hosts: ['http://x']\n",
			want: "FILE:3: chats.exclude[0]: matches every span: set service, name or route\n" +
				"FILE:5: families[0].match: is missing: want parts of model names\n" +
				"FILE:6: families[1].name: is there twice: put all parts under one match\n" +
				"FILE:6: families[1].match[0]: is blank and would match every model\n" +
				"FILE:7: tokens.ingest[0]: must be printable ASCII without spaces, as a header carries it\n" +
				"FILE:9: cors_origins[0]: is no origin: want scheme://host or scheme://host:port\n" +
				"FILE:10: allowed_hosts[0]: is no host name: want a name or an IP address, without scheme or path",
		},
		{
			name: "sinks", file: "sinks:\n  - name: A\n    endpoint: ftp://x\n    timeout: 1h\n  - {name: b, endpoint: 'http://x', headers: {Host: x}}\n  - name: b\n    endpoint: http://localhost:8002/v1/traces\n",
			want: `FILE:2: sinks[0].name: must be 1 to 64 of a-z, 0-9, "-" and "_", starting with a letter or digit` + "\n" +
				"FILE:3: sinks[0].endpoint: must start with http:// or https://\n" +
				"FILE:4: sinks[0].timeout: 1h0m0s is not between 1ms and 10m0s\n" +
				"FILE:5: sinks[1].Host: is set by the sender and cannot be configured\n" +
				"FILE:6: sinks[2].name: is there twice: a sink's position on disk goes by its name\n" +
				"FILE:7: sinks[2].endpoint: http://localhost:8002/v1/traces is this process's own address 127.0.0.1:8002: every span would come back",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := config.Sources{Env: environment(tt.env), Flags: tt.flags}
			if tt.file != "" {
				src.File = write(t, tt.file)
			}
			_, err := config.Load(src)
			if err == nil {
				t.Fatal("Load found nothing wrong")
			}
			got := err.Error()
			if src.File != "" {
				got = strings.ReplaceAll(got, src.File, "FILE")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}
