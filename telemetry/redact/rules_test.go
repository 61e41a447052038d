package redact

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry"
	"treq/telemetry/otlp"
)

// A file replaces what it names of the rules that it goes over.
func TestFile(t *testing.T) {
	got, err := Brazil().With("rules.yaml", []byte(`
kinds: {email: hash, phone: keep}
fields:
  customer.name: hash
  "internal.*": drop
patterns:
  - {name: registration, match: 'M-\d{6}'}
  - {name: process, match: '\d{7}-\d{2}\.\d{4}\.8\.\d{2}\.\d{4}', mode: drop}
content: none
`))
	if err != nil {
		t.Fatal(err)
	}
	want := Rules{
		Kinds:    map[string]Mode{"cpf": Mask, "cnpj": Mask, "email": Hash, "phone": Keep, "card": Mask, "secret": Mask},
		Fields:   map[string]Mode{"customer.name": Hash, "internal.*": Drop},
		Patterns: []Pattern{{"registration", `M-\d{6}`, Mask}, {"process", `\d{7}-\d{2}\.\d{4}\.8\.\d{2}\.\d{4}`, Drop}},
		Content:  NoContent,
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b telemetry.Secret) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	if none, err := Brazil().With("rules.yaml", []byte("preset: none\n")); err != nil || !none.Empty() {
		t.Errorf("preset none leaves %+v: %v", none, err)
	}
	if br, err := (Rules{}).With("rules.yaml", []byte("kinds: {card: drop}\npreset: br\n")); err != nil || br.Kinds["cpf"] != Mask || br.Kinds["card"] != Drop {
		t.Errorf("preset br is %+v: %v", br, err)
	}
}

// Everything that is wrong is named with its line.
func TestFileFaults(t *testing.T) {
	for text, want := range map[string][]string{
		"preset: us\n":                                                     {`f:1: preset: "us" is not known; known are br and none`},
		"kinds: {ssn: mask, cpf: hide}\n":                                  {"f:1: kinds.ssn: is not known", `f:1: kinds.cpf: "hide" is no mode`},
		"kinds: []\nkind: {}\n":                                            {"f:1: kinds: want keys and values", "f:2: kind: not known here"},
		"content: some\ncontent: none\n":                                   {"is there twice", "already defined", "given twice"},
		"fields:\n  a*b: mask\n  c: [x]\n":                                 {"f:2: fields.a*b: want the name", "f:3: fields.c: want a single value"},
		"patterns: {name: a}\n":                                            {"f:1: patterns: want a list"},
		"patterns: [{name: A1, match: x}]\n":                               {`f:1: patterns[0].name: want 1 to 32 of a-z and "_"`},
		"patterns:\n- {name: a, match: '('}":                               {"f:2: patterns[0].match: error parsing regexp"},
		"patterns: [{name: a, match: 'x*'}]":                               {"f:1: patterns[0].match: matches the empty text"},
		"patterns: [{name: a, match: 'CP'}]":                               {"f:1: patterns[0].match: matches [CPF], which"},
		"patterns: [{name: a, match: '" + strings.Repeat("x", 501) + "'}]": {"want an expression of 1 to 500 bytes"},
		"a: [\n": {"not YAML"},
		"patterns: [" + strings.Repeat("{name: a, match: xyz}, ", 33) + "]": {"has more than 32 entries"},
	} {
		_, err := Brazil().With("f", []byte(text))
		if err == nil {
			t.Errorf("%q is taken", text)
			continue
		}
		if telemetry.KindOf(err) != telemetry.Unprocessable {
			t.Errorf("%q: %v is not Unprocessable", text, err)
		}
		any := false
		for _, w := range want {
			any = any || strings.Contains(err.Error(), w)
		}
		if !any {
			t.Errorf("%q:\n%v\nlacks %q", text, err, want)
		}
	}
}

func TestRulesWithoutAKey(t *testing.T) {
	if _, err := New(Brazil()); err == nil {
		t.Error("hashes without a key")
	}
	if r, err := New(Rules{}); err != nil {
		t.Error(err)
	} else if body := oneSpan(otlp.Str("a", "123.456.789-09")); len(textsOf(t, must(t, r, body))["a"]) != 14 {
		t.Error("empty rules change something")
	}
}

func must(t testing.TB, r *Redactor, body []byte) []byte {
	t.Helper()
	out, err := r.Traces(body)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Each mode does what it says, to kinds and to fields.
func TestModes(t *testing.T) {
	rules := Brazil()
	rules.Kinds["email"], rules.Kinds["card"], rules.Kinds["phone"] = Hash, Drop, Keep
	rules.Fields = map[string]Mode{"kept": Keep, "masked": Mask, "hashed.*": Hash, "gone": Drop, "hashed.not": Keep}
	rules.Patterns = []Pattern{{Name: "registration", Match: `M-\d{6}`, Mode: Mask}}
	r := made(t, rules)
	got := textsOf(t, must(t, r, oneSpan(
		otlp.Str("a", "M-123456, 123.456.789-09, a@b.com, (11) 91234-5678"), otlp.Str("b", "meu cartão é 4111111111111111 e só"),
		otlp.Str("kept", "123.456.789-09"), otlp.Str("masked", "Ana"), otlp.Str("hashed.a", "Ana"), otlp.Str("hashed.b", "Ana"),
		otlp.Str("hashed.c", "Eva"), otlp.Str("hashed.not", "Ana"), otlp.Str("gone", "Ana"), otlp.I64("gone", 7),
		otlp.Str("user.id", "123.456.789-09"), otlp.Str("session.id", "x 123.456.789-09"), otlp.Str("gen_ai.response.id", "123.456.789-09"),
	)))
	hash := got["hashed.a"]
	if len(hash) < 20 || hash != got["hashed.b"] || hash == got["hashed.c"] {
		t.Errorf("hashes are %q, %q and %q", hash, got["hashed.b"], got["hashed.c"])
	}
	mail, person := got["a"], got["user.id"]
	for name, want := range map[string]string{
		"b": "[CARD]", "kept": "123.456.789-09", "masked": "[FIELD]", "hashed.not": "Ana", "gen_ai.response.id": "123.456.789-09",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	if _, there := got["gone"]; there {
		t.Error("a dropped field is there")
	}
	if !strings.HasPrefix(mail, "[REGISTRATION], [CPF], [EMAIL:") || !strings.HasSuffix(mail, "], (11) 91234-5678") {
		t.Errorf("the text is %q", mail)
	}
	if !strings.HasPrefix(person, "[CPF:") || got["session.id"] != "x "+person {
		t.Errorf("people are %q and %q: masked, they would all be one", person, got["session.id"])
	}
	other := Brazil()
	other.Key = telemetry.NewSecret("another key of tests")
	o, err := New(other)
	if err != nil {
		t.Fatal(err)
	}
	if textsOf(t, must(t, o, oneSpan(otlp.Str("user.id", "123.456.789-09"))))["user.id"] == person {
		t.Error("hashes are the same under another key")
	}
	if n := r.Counts(); n["cpf"] != 3 || n["card"] != 1 || n["registration"] != 1 || n["phone"] != 0 {
		t.Errorf("counted %v", n)
	}
}
