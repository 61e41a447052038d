package redact

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry/langsmith"
)

const (
	runID  = "01890a5d-ac96-774b-bcce-b302099a8057"
	dotted = "20260105T120000123456Z" + runID
)

func multipartOf(parts ...[3]string) string {
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&b, "--x1\r\nContent-Disposition: form-data; name=\"%s\"\r\nContent-Type: %s; length=%d\r\nContent-Length: %d\r\n\r\n%s\r\n", p[0], p[1], len(p[2]), len(p[2]), p[2])
	}
	return b.String() + "--x1--\r\n"
}

func run(name, more string) string {
	return `{"id":"` + runID + `","trace_id":"` + runID + `","dotted_order":"` + dotted + `","start_time":1767614400123,"run_type":"llm","name":"` + name + `"` + more + `}`
}

// Native runs are searched in all forms that they come in; ids and times stay, the
// lengths that parts tell are right, and what is clean is the same slice.
func TestRuns(t *testing.T) {
	r := made(t, Brazil())
	bare := Brazil()
	bare.Content = NoContent
	none := made(t, bare)
	const mail, cpf = "ana@exemplo.com", "123.456.789-09"
	hashed := r.Text("user_id", mail)
	for _, c := range []struct {
		name      string
		r         *Redactor
		body, out string
	}{
		{
			"batch", r,
			`{"post":[` + run(cpf, `,"inputs":{"q":"sou \n`+mail+`","n":12345678909},"tags":["`+cpf+`"],"extra":{"metadata":{"x":[`+"12345678909"+`]}}`) + `],"patch":[]}`,
			`{"post":[` + run("[CPF]", `,"inputs":{"q":"sou \n[EMAIL]","n":"[CPF]"},"tags":["[CPF]"],"extra":{"metadata":{"x":["[CPF]"]}}`) + `],"patch":[]}`,
		},
		{"clean", r, `{"post":[` + run("chat", `,"inputs":{"q":"oi","score":0.8273645564738291}`) + `]}`, ""},
		{
			"multipart", r,
			multipartOf([3]string{"post." + runID, "application/json", run(cpf, "")}, [3]string{"post." + runID + ".inputs", "application/json", `{"q":"` + mail + `"}`},
				[3]string{"attachment." + runID + ".a", "text/plain", "cpf " + cpf}, [3]string{"attachment." + runID + ".b", "image/png", "\x89PNG " + cpf}),
			multipartOf([3]string{"post." + runID, "application/json", run("[CPF]", "")}, [3]string{"post." + runID + ".inputs", "application/json", `{"q":"[EMAIL]"}`},
				[3]string{"attachment." + runID + ".a", "text/plain", "cpf [CPF]"}, [3]string{"attachment." + runID + ".b", "image/png", "\x89PNG " + cpf}),
		},
		{
			"names and ids of the application's own", r,
			multipartOf([3]string{"post." + runID, "application/json", run("chat", `,"session_name":"`+mail+`"`)},
				[3]string{"post." + runID + ".inputs", "application/json", `{"id":"` + cpf + `","key":12345678909,"of ` + mail + `":[{"session_id":"` + mail + `"}]}`},
				[3]string{"post." + runID + ".extra", "application/json", `{"metadata":{"session_id":"` + mail + `","id":"` + cpf + `","run_id":"01a208dd-4205-78bb-8929-08493554006d","ls_model_name":"llama-3.1-8b"}}`}),
			multipartOf([3]string{"post." + runID, "application/json", run("chat", `,"session_name":"`+mail+`"`)},
				[3]string{"post." + runID + ".inputs", "application/json", `{"id":"[CPF]","key":"[CPF]","of ` + hashed + `":[{"session_id":"` + hashed + `"}]}`},
				[3]string{"post." + runID + ".extra", "application/json", `{"metadata":{"session_id":"` + hashed + `","id":"[CPF]","run_id":"01a208dd-4205-78bb-8929-08493554006d","ls_model_name":"llama-3.1-8b"}}`}),
		},
		{
			"an id that only looks like a UUID", r,
			`{"post":[{"id":"` + runID + `","inputs":{"id":"clientes-aaaa-bbbb-cccc-/12345678909"}}]}`,
			`{"post":[{"id":"` + runID + `","inputs":{"id":"clientes-aaaa-bbbb-cccc-/[CPF]"}}]}`,
		},
		{
			"what follows the application's own", r,
			`{"post":[{"inputs":{"a":{}},"id":"` + runID + `","key":"` + cpf + `"}]}`, "",
		},
		{"clean multipart", r, multipartOf([3]string{"post." + runID, "application/json", run("chat", "")}), ""},
		{
			"without content", none,
			multipartOf([3]string{"post." + runID, "application/json", run(cpf, `,"error":"ValueError: segredo"`)},
				[3]string{"post." + runID + ".outputs", "application/json", `{"usage_metadata":{"input_tokens":7},"text":"segredo","model":"llama-3.1-8b"}`},
				[3]string{"attachment." + runID + ".b", "image/png", "\x89PNG"}),
			multipartOf([3]string{"post." + runID, "application/json", run("[CPF]", `,"error":""`)},
				[3]string{"post." + runID + ".outputs", "application/json", `{"usage_metadata":{"input_tokens":7},"text":"","model":"llama-3.1-8b"}`},
				[3]string{"attachment." + runID + ".b", "image/png", ""}),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := []byte(c.body)
			out := c.r.Runs(body)
			if same := &out[0] == &body[0]; same != (c.out == "") {
				t.Errorf("the same slice: %v", same)
			}
			if c.out == "" {
				c.out = c.body
			}
			if diff := cmp.Diff(c.out, string(out)); diff != "" {
				t.Error(diff)
			}
			if again := c.r.Runs(out); string(again) != string(out) {
				t.Errorf("redacted twice:\n%s", cmp.Diff(string(out), string(again)))
			}
			before, err1 := langsmith.Read(body)
			after, err2 := langsmith.Read(out)
			if err1 != nil || err2 != nil || before.Items() != after.Items() {
				t.Errorf("%d runs became %d: %v %v", before.Items(), after.Items(), err1, err2)
			}
		})
	}
}

// Words for sinks of their own are searched like members.
func TestWords(t *testing.T) {
	r := made(t, Brazil())
	if got := r.Text("comment", "fale com ana@exemplo.com"); got != "fale com [EMAIL]" {
		t.Error(got)
	}
	if got := string(r.JSON("inputs", []byte(`{"a":"(11) 91234-5678"}`))); got != `{"a":"[PHONE]"}` {
		t.Error(got)
	}
}
