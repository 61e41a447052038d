package redact

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// in gives a text with what is found in it replaced.
func in(r *Redactor, text string) string {
	s := scanner{r: r}
	t := []byte(text)
	var out []byte
	i := 0
	for _, m := range s.scan(t) {
		out = append(out, t[i:m.from]...)
		out = r.appendReplacement(out, t, m, false)
		i = m.to
	}
	return string(append(out, t[i:]...))
}

// What is found of each kind, and what only looks like it. Each is tried at every
// offset from what comes before, since eight bytes are looked at at a time.
func TestText(t *testing.T) {
	r := made(t, Brazil())
	for _, c := range []struct{ text, want string }{
		{"cpf 123.456.789-09.", "cpf [CPF]."},
		{"cpf 12345678909", "cpf [CPF]"},
		{"CPF12345678909", "CPF[CPF]"},
		{"123 456 789 09", "[CPF]"},
		{"123456789-09", "[CPF]"},
		{"123.456.789/09", "[CPF]"},
		{"123.456.789‑09", "[CPF]"},
		{`123.456.789\u201109`, "[CPF]"},
		{`n\u00ba12345678909 e \n12345678909\t`, `n\u00ba[CPF] e \n[CPF]\t`},
		{"123.456.789-08", "123.456.789-08"},
		{"111.111.111-11", "111.111.111-11"},
		{"192.168.456.09", "192.168.456.09"},
		{"0.12345678909 12345678909.5", "0.12345678909 12345678909.5"},
		{"1123456789091", "1123456789091"},
		{"cnpj 11.222.333/0001-81", "cnpj [CNPJ]"},
		{`cnpj 11.222.333\/0001-81`, "cnpj [CNPJ]"},
		{"11222333000181", "[CNPJ]"},
		{"11222333/0001-81", "[CNPJ]"},
		{"11.222.333/0001-82", "11.222.333/0001-82"},
		{"12.ABC.345/01DE-35", "[CNPJ]"},
		{"cnpj:12ABC34501DE35.", "cnpj:[CNPJ]."},
		{"12ABC34501DE36 x12ABC34501DE35 12ABC34501DE35z", "12ABC34501DE36 x12ABC34501DE35 12ABC34501DE35z"},
		{"ana.silva+x@exemplo.com.br, ok", "[EMAIL], ok"},
		{`\nana@x.com \u003cana@x.com\u003e`, `\n[EMAIL] \u003c[EMAIL]\u003e`},
		{"joão@exemplo.com", "[EMAIL]"},
		{"https://x.com/?e=ana%40x.com&f=1", "https://x.com/?e=[EMAIL]&f=1"},
		{"12345678909@x.com.", "[EMAIL]."},
		{"@app.route a@b react@18.2.0 a@b.c1", "@app.route a@b react@18.2.0 a@b.c1"},
		{"(11) 91234-5678", "[PHONE]"},
		{"+55 11 91234-5678", "[PHONE]"},
		{"+55 (11) 9 1234-5678", "[PHONE]"},
		{"+5511912345678", "[PHONE]"},
		{"5511912345678", "[PHONE]"},
		{"11912345678", "[PHONE]"},
		{"11 91234-5678", "[PHONE]"},
		{"11 91234‑5678", "[PHONE]"},
		{"(011) 3234-5678 (11)32345678", "[PHONE] [PHONE]"},
		{"11 3234 5678", "[PHONE]"},
		{"+1 (415) 555-2671 +44 20 7946 0958 +351912345678", "[PHONE] [PHONE] [PHONE]"},
		{"20 91234-5678 10 91234-5678", "20 91234-5678 10 91234-5678"},
		{"1767614400 1767614400123 1767614400123456789", "1767614400 1767614400123 1767614400123456789"},
		{"2026-01-05T12:00:00.123456Z 2026-01-05 12:00:00+0000", "2026-01-05T12:00:00.123456Z 2026-01-05 12:00:00+0000"},
		{"4111 1111 1111 1111", "[CARD]"},
		{"4111-1111-1111-1111 5555555555554444 378282246310005 3782 822463 10005", "[CARD] [CARD] [CARD] [CARD]"},
		{"4111111111111112 0.4111111111111111", "4111111111111112 0.4111111111111111"},
		{"key sk-proj-Ab12Cd34Ef56Gh78Ij90Kl", "key [SECRET]"},
		{"lsv2_pt_0123456789abcdef0123456789abcdef_0123456789", "[SECRET]"},
		{`\ngsk_Ab12Cd34Ef56Gh78Ij90Kl12`, `\n[SECRET]`},
		{"AKIAIOSFODNN7EXAMPLE", "[SECRET]"},
		{"task-management-of-the-enterprise-2026 sk-learn", "task-management-of-the-enterprise-2026 sk-learn"},
		{"Authorization: Bearer abcDEF123456abcDEF123456", "Authorization: Bearer [SECRET]"},
		{"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P", "[SECRET]"},
		{"ghp_abcdefghij0123456789abcdefghij012345 xoxb-123456789012-abcdefGHIJKL", "[SECRET] [SECRET]"},
		{"postgres://app:s3nha@db:5432/x", "postgres://app:[SECRET]@db:5432/x"},
		{"-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY----- e", "[SECRET] e"},
		{`{"k":"-----BEGIN PRIVATE KEY-----\nMIIabc"}`, `{"k":"[SECRET]"}`},
		{`{"cpf": 12345678909, "n": 7}`, `{"cpf": "[CPF]", "n": 7}`},
		{`{"a":"{\"cpf\":12345678909}"}`, `{"a":"{\"cpf\":\"[CPF]\"}"}`},
		{"llama-3.1-8b-instant gpt-4o-mini-2024-07-18 chatcmpl-8a7f6e5d", "llama-3.1-8b-instant gpt-4o-mini-2024-07-18 chatcmpl-8a7f6e5d"},
		{"01890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce-b302099a8057"},
		{`{"score":0.8273645564738291,"n":3}`, `{"score":0.8273645564738291,"n":3}`},
	} {
		for offset := range 17 {
			pad := strings.Repeat("ab ", 6)[:offset]
			if offset > 0 {
				pad = pad[:offset-1] + " "
			}
			for _, tail := range []string{"", " fim de tudo"} {
				if strings.HasPrefix(c.text, "{") && pad != "" {
					continue
				}
				got := in(r, pad+c.text+tail)
				if diff := cmp.Diff(pad+c.want+tail, got); diff != "" {
					t.Errorf("offset %d: %s", offset, diff)
				}
				if again := in(r, got); again != got {
					t.Errorf("redacted twice %q becomes %q", got, again)
				}
			}
		}
	}
}
