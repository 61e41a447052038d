package langsmith

import (
	"strings"
	"testing"
)

// The runs that are meant lose their texts in either form of a request; others, ids,
// numbers and all lengths stay, and what is left is read as before.
func TestErase(t *testing.T) {
	const (
		ours   = "01a20595-2dc8-7d7c-bc3a-b8ecb8def0e2"
		child  = "01a20595-2dc8-7d7c-bc3a-b8ecb8def0e3"
		others = "01a20595-2dc8-7d7c-bc3a-b8ecb8def0e4"
	)
	object := func(id, trace, said string) string {
		return `{"id":"` + id + `","trace_id":"` + trace + `","dotted_order":"x","name":"chat","run_type":"llm","start_time":"2026-01-01T00:00:00Z",` +
			`"inputs":{"question":"` + said + `","n":[7,"` + said + `"]},"outputs":null,"tags":["` + said + `"]}`
	}
	batch := `{"post":[` + object(ours, ours, `a \"secret\"`) + "," + object(others, others, "kept") + `], "patch":[` + object(child, ours, "secret") + `]}`
	one := object(ours, ours, "secret")
	multipart := "--b\r\n" +
		"Content-Disposition: form-data; name=\"post." + ours + "\"\r\nContent-Type: application/json\r\n\r\n" + object(ours, ours, "secret") + "\r\n--b\r\n" +
		"Content-Disposition: form-data; name=\"post." + ours + ".inputs\"\r\nContent-Type: application/json\r\n\r\n" + `{"q":"secret"}` + "\r\n--b\r\n" +
		"Content-Disposition: form-data; name=\"attachment." + ours + ".file\"\r\nContent-Type: text/plain; length=10\r\n\r\nsecret: no\r\n--b\r\n" +
		"Content-Disposition: form-data; name=\"post." + others + "\"\r\nContent-Type: application/json\r\n\r\n" + object(others, others, "kept") + "\r\n--b--\r\n"
	trace, err := ParseID(ours)
	if err != nil {
		t.Fatal(err)
	}
	meant := func(run, of ID) bool { return run == trace || of == trace }
	for name, body := range map[string]string{"batch": batch, "one": one, "multipart": multipart} {
		b := []byte(body)
		if !Erase(b, meant) {
			t.Errorf("%s: nothing changed", name)
		}
		got := string(b)
		if strings.Contains(got, "secret") || len(got) != len(body) || !strings.Contains(got, `"question"`) ||
			!strings.Contains(got, ours) || strings.Count(got, "kept") != strings.Count(body, "kept") || !strings.Contains(got, "2026-01-01") {
			t.Errorf("%s: %s", name, got)
		}
		if name != "one" {
			before, err := Read([]byte(body))
			after, err2 := Read(b)
			if err != nil || err2 != nil || len(after.Ops) != len(before.Ops) {
				t.Errorf("%s: %v, %v", name, err, err2)
			}
		}
		if Erase(b, meant) {
			t.Errorf("%s: changed again", name)
		}
	}
	for _, body := range []string{"", "{", "[1", `{"post":[`, `{"post":["`, "--b", "}", `{"id":`} {
		Erase([]byte(body), func(ID, ID) bool { return true })
	}
}
