package judgement

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

func each(t interface{ Fatal(...any) }, body []byte) (list []Judgement) {
	if err := Each(body, func(j Judgement) { list = append(list, j) }); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestARecordKeepsAJudgement(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(0, 20, 60)
		j := Judgement{
			ID: "11111111-1111-4111-8111-111111111111", RunID: text.Filter(func(s string) bool { return s != "" }).Draw(t, "run"),
			Key: text.Filter(func(s string) bool { return s != "" }).Draw(t, "key"), Source: "browser",
			Scored: rapid.Bool().Draw(t, "scored"), Value: text.Draw(t, "value"), Comment: text.Draw(t, "comment"), Service: "app",
			Time: time.Unix(0, rapid.Int64Range(1, 1<<62).Draw(t, "time")).UTC(), Deleted: rapid.Bool().Draw(t, "deleted"),
		}
		if rapid.Bool().Draw(t, "changed") {
			j.Changed = j.Time.Add(time.Minute)
		}
		if j.Scored {
			j.Score = rapid.Float64Range(0, 1).Draw(t, "score")
		}
		if rapid.Bool().Draw(t, "told") {
			j.Told = rapid.SampledFrom([]json.RawMessage{
				[]byte(`{"trace_id":"x"}`), []byte(`{"correction":{"answer":"42"},"score":1}`), []byte(`{"correction":"no"}`), []byte(`{"value":"correction"}`),
			}).Draw(t, "as it came")
		}
		// Requests concatenate, as Keep relies on.
		if diff := cmp.Diff([]Judgement{j, j}, each(t, Append(Append(nil, &j), &j))); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
	})
}

func TestEvaluationsOfTheConventionsAreJudgements(t *testing.T) {
	body := otlp.AppendLogsRequest(nil, []otlp.KV{otlp.Str(semconv.ServiceName, "judge")}, "s",
		otlp.LogData{
			Time: 1, EventName: semconv.EventEvaluationResult, TraceID: [16]byte{0x0a}, SpanID: [8]byte{0x0b},
			Attributes: []otlp.KV{
				otlp.Str(semconv.GenAIEvaluationName, "relevance"), otlp.Str(semconv.GenAIEvaluationLabel, "pass"),
				otlp.Str(semconv.GenAIEvaluationExplanation, "why"),
			},
		},
		otlp.LogData{EventName: "other", Attributes: []otlp.KV{otlp.Str(semconv.TreqRunID, "r")}},
		otlp.LogData{EventName: semconv.EventFeedback, Attributes: []otlp.KV{otlp.Str(semconv.TreqFeedbackKey, "of no run")}},
	)
	const run = "00000000-0000-0000-0b00-000000000000"
	want := []Judgement{{
		ID: ID(run, "relevance", "otlp"), RunID: run, TraceID: "0a" + strings.Repeat("0", 30), SpanID: "0b" + strings.Repeat("0", 14),
		Key: "relevance", Source: "otlp", Scored: true, Score: 1, Value: "pass", Comment: "why", Service: "judge", Time: time.Unix(0, 1).UTC(),
	}}
	if diff := cmp.Diff(want, each(t, body)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestEverySpellingOfARunIsOneRun(t *testing.T) {
	for spelling, want := range map[string]string{
		"0AF76519-16CD-43DD-8448-EB211C80319C": "0af76519-16cd-43dd-8448-eb211c80319c",
		"0af7651916cd43dd8448eb211c80319c":     "0af76519-16cd-43dd-8448-eb211c80319c",
		"b7ad6b7169203331":                     "00000000-0000-0000-b7ad-6b7169203331",
		"question 7":                           "question 7",
		"zzf7651916cd43dd8448eb211c80319c":     "zzf7651916cd43dd8448eb211c80319c",
	} {
		if got := Canonical(spelling); got != want {
			t.Errorf("%s is %s, not %s", spelling, got, want)
		}
		if ID(spelling, "", "api") != ID(want, DefaultKey, "api") {
			t.Errorf("%s has an id of its own", spelling)
		}
	}
	if a, b := ID("r", "a", "bc"), ID("r", "ab", "c"); a == b {
		t.Error("a key and a source run into each other")
	}
}

func TestADamagedRecordIsAnError(t *testing.T) {
	j := Judgement{RunID: "r", Key: "k"}
	body := Append(nil, &j)
	if err := Each(body[:len(body)-1], func(Judgement) {}); err == nil {
		t.Error("a record that is cut off is taken")
	}
	if err := Each(bytes.Repeat([]byte{0xff}, 99), func(Judgement) {}); err != nil {
		t.Errorf("what does not name judgements is scanned: %v", err)
	}
}
