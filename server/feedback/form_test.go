package feedback

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/server/fault"
	"treq/telemetry/judgement"
)

func form(t *testing.T, body string) Form {
	t.Helper()
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &fields); err != nil {
		t.Fatal(err)
	}
	f := Form{Fields: map[string]Field{}, Missing: "body", Whole: json.RawMessage(body)}
	for name, raw := range fields {
		f.Fields[name] = Field{Raw: raw, In: "body"}
	}
	return f
}

func TestEveryFormOfAJudgement(t *testing.T) {
	at := time.Date(2026, 1, 5, 12, 30, 0, 250e6, time.UTC)
	const id = "99999999-9999-4999-8999-999999999999"
	for body, want := range map[string]judgement.Judgement{
		`{"message_id":"m","feedback_type":"positive","comment":"bom","timestamp":"2026-01-05T12:30:00.250Z"}`: {
			RunID: "m", Source: "api", Scored: true, Score: 1, Comment: "bom", Time: at,
		},
		`{"message_id":null,"feedback_type":"negative","comment":null,"timestamp":"noon"}`:           {Source: "api", Scored: true},
		`{"message_id":"m","feedback_type":"negative","timestamp":"2026-01-05T12:30:00.250000"}`:     {RunID: "m", Source: "api", Scored: true, Time: at},
		`{"run_id":"r","key":"k","score":true}`:                                                      {RunID: "r", Key: "k", Source: "api", Scored: true, Score: 1, Told: []byte(`{"score":true}`)},
		`{"run_id":"r","key":"k","score":4,"feedback_config":{"type":"continuous","min":1,"max":5}}`: {RunID: "r", Key: "k", Source: "api", Scored: true, Score: 0.75, Told: []byte(`{"feedback_config":{"type":"continuous","min":1,"max":5},"score":4}`)},
		`{"run_id":"r","key":"k","score":4}`:                                                         {RunID: "r", Key: "k", Source: "api", Told: []byte(`{"score":4}`)},
		`{"run_id":"r","key":"k","value":"correct"}`:                                                 {RunID: "r", Key: "k", Source: "api", Scored: true, Score: 1, Value: "correct", Told: []byte(`{"value":"correct"}`)},
		`{"run_id":"r","key":"k","comment":"c","score":null,"value":{"a": 1}}`:                       {RunID: "r", Key: "k", Source: "api", Comment: "c", Value: `{"a":1}`, Told: []byte(`{"value":{"a":1}}`)},
		`{"id":"` + id + `","trace_id":"t","key":"k","feedback_source":{"type":"model"},"created_at":"2026-01-05T12:30:00.25+00:00"}`: {
			ID: id, RunID: "t", Key: "k", Source: "model", Time: at,
			Told: []byte(`{"created_at":"2026-01-05T12:30:00.25+00:00","feedback_source":{"type":"model"},"trace_id":"t"}`),
		},
		`{"session_id":"` + id + `","key":"k","score":0.5}`: {Key: "k", Source: "api", Scored: true, Score: 0.5, Told: []byte(`{"score":0.5,"session_id":"` + id + `"}`)},
	} {
		got, err := form(t, body).Any()
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", body, err, diff)
		}
	}
	for body, want := range map[string]judgement.Judgement{
		`{"run_id":"r","score":0.25,"value":"fair","comment":"c","service":"app","source":"panel"}`: {
			RunID: "r", Source: "panel", Scored: true, Score: 0.25, Value: "fair", Comment: "c", Service: "app",
		},
		`{"run_id":"r","score":"0.5"}`:                 {RunID: "r", Scored: true, Score: 0.5},
		`{"run_id":"r","key":"tone","thumb":"up"}`:     {RunID: "r", Key: "tone", Scored: true, Score: 1},
		`{"run_id":"r","thumb":"down"}`:                {RunID: "r", Scored: true},
		`{"run_id":"r","value":"negative"}`:            {RunID: "r", Scored: true, Value: "negative"},
		`{"run_id":"r","value":"so-so"}`:               {RunID: "r", Value: "so-so"},
		`{"run_id":"r","value":0.75}`:                  {RunID: "r", Scored: true, Score: 0.75},
		`{"run_id":"r","value":false}`:                 {RunID: "r", Scored: true},
		`{"run_id":"r","score":null,"value":{"a":[]}}`: {RunID: "r", Value: `{"a":[]}`},
	} {
		got, err := form(t, body).Own()
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", body, err, diff)
		}
	}
}

func TestBadFormsAreRefusedWithEveryFault(t *testing.T) {
	long := `"` + strings.Repeat("x", mostComment+1) + `"`
	for _, c := range []struct {
		body string
		own  bool
		want []string
	}{
		{`{}`, false, []string{"missing feedback_type"}},
		{`{"message_id":7,"feedback_type":"great"}`, false, []string{"string_type message_id", "literal_error feedback_type"}},
		{`{"feedback_type":null}`, false, []string{"string_type feedback_type"}},
		{`{"feedback_type":"positive","comment":` + long + `}`, false, []string{"string_too_long comment"}},
		{`{"run_id":"r"}`, false, []string{"missing key"}},
		{`{"run_id":"r","key":"","id":"7","score":"x"}`, false, []string{"uuid_parsing id", "string_too_short key", "float_parsing score"}},
		{`{"run_id":"r","key":"k","score":[1]}`, false, []string{"float_parsing score"}},
		{`{"run_id":"r","key":"k","score":1e999}`, false, []string{"float_parsing score"}},
		{`{}`, true, []string{"missing run_id", "missing score"}},
		{`{"run_id":"","score":1}`, true, []string{"string_too_short run_id"}},
		{`{"run_id":"r","score":1.5}`, true, []string{"less_than_equal score"}},
		{`{"run_id":"r","score":-0.1}`, true, []string{"greater_than_equal score"}},
		{`{"run_id":"r","score":"NaN"}`, true, []string{"finite_number score"}},
		{`{"run_id":"r","thumb":"sideways"}`, true, []string{"literal_error thumb"}},
		{`{"run_id":"r","thumb":1}`, true, []string{"string_type thumb"}},
		{`{"run_id":"r","value":7}`, true, []string{"less_than_equal value"}},
	} {
		read := form(t, c.body).Any
		if c.own {
			read = form(t, c.body).Own
		}
		_, err := read()
		v, ok := errors.AsType[*fault.Validation](err)
		if !ok {
			t.Errorf("%.60s: %v", c.body, err)
			continue
		}
		var got []string
		for _, d := range v.Detail {
			got = append(got, d.Type+" "+d.Loc[1].(string))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%.60s: %s", c.body, diff)
		}
	}
}
