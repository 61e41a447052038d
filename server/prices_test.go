package server

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"treq/server/config"
	"treq/telemetry/pricing"
)

const postedPrices = `
models:
  - {provider: groq, id: llama-3.1-8b-instant, prices: {input: 1, output: 2}}
`

func (p *process) ask(method, path string) []byte {
	p.t.Helper()
	one, _, _ := p.Addr()
	req, err := http.NewRequestWithContext(p.t.Context(), method, "http://"+one+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	res, err := p.client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(res.Body); err != nil || res.StatusCode != http.StatusOK {
		p.t.Fatalf("%s %s: %d %s %v", method, path, res.StatusCode, body.Bytes(), err)
	}
	return body.Bytes()
}

type costs struct {
	Total struct {
		CostUSD  json.Number `json:"cost_usd"`
		Cost     json.Number `json:"cost"`
		Unpriced int64       `json:"unpriced_tokens"`
	} `json:"total"`
}

func TestCostsOverPricesAndLives(t *testing.T) {
	c := settings(t)
	c.Currency = config.Currency{Code: "BRL", USDRate: 5}
	p := begin(t, c)
	p.ask("POST", "/monitoring/llm/metrics?model=llama-3.1-8b-instant&provider=groq&tokens=1500&input_tokens=1000&output_tokens=500&latency_ms=10")
	p.ask("POST", "/monitoring/llm/metrics?model=mystery&tokens=7&latency_ms=10")
	var got costs
	if err := json.Unmarshal(p.ask("GET", "/monitoring/models"), &got); err != nil {
		t.Fatal(err)
	}
	if got.Total.CostUSD != "0.00009" || got.Total.Cost != "0.00045" || got.Total.Unpriced != 7 {
		t.Errorf("%+v", got)
	}
	if _, err := Recost(t.Context(), c, pricing.Embedded(), pricing.Embedded(), time.Unix(0, 0)); err == nil || !strings.Contains(err.Error(), "is in use") {
		t.Errorf("recosting under a running service: %v", err)
	}
	p.end()

	// Other prices hold from here on, and the change of rules is told.
	c.Prices.File = filepath.Join(t.TempDir(), "prices.yaml")
	if err := os.WriteFile(c.Prices.File, []byte(postedPrices), 0o600); err != nil {
		t.Fatal(err)
	}
	p = begin(t, c)
	p.ask("POST", "/monitoring/llm/metrics?model=llama-3.1-8b-instant&provider=groq&tokens=15&input_tokens=10&output_tokens=5&latency_ms=10")
	if err := json.Unmarshal(p.ask("GET", "/monitoring/models"), &got); err != nil {
		t.Fatal(err)
	}
	if got.Total.CostUSD != "0.00011" {
		t.Errorf("%+v", got)
	}
	exposed := string(p.ask("GET", "/metrics"))
	if !strings.Contains(exposed, "treq_llm_cost_") || !strings.Contains(exposed, "treq_llm_price_coverage_ratio") {
		t.Error("costs are not exposed")
	}
	p.end()
	if !strings.Contains(p.logs.String(), "the rules changed") {
		t.Errorf("a change of prices went untold:\n%s", p.logs)
	}

	after, err := OpenPrices(c.Prices.File)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		rows, err := Recost(t.Context(), c, pricing.Embedded(), after, time.Unix(0, 0))
		if err != nil || len(rows) != 2 {
			t.Fatalf("%+v, %v", rows, err)
		}
		if r := rows[0]; r.Model != "llama-3.1-8b-instant" || r.Calls != 2 || r.OldNanoUSD != 90_900 || r.NewNanoUSD != 2_020_000 || r.Tokens != 1515 {
			t.Errorf("%+v", r)
		}
		if r := rows[1]; r.Model != "mystery" || r.OldUnpriced != 7 || r.NewUnpriced != 7 || r.NewNanoUSD != 0 {
			t.Errorf("%+v", r)
		}
	}
	rows, err := Recost(t.Context(), c, after, after, time.Now().Add(time.Hour))
	if err != nil || len(rows) != 0 {
		t.Errorf("from tomorrow on: %+v, %v", rows, err)
	}
	begin(t, c) // nothing was changed that a start would mind
}

func TestPricesThatAreNone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "prices.yaml")
	if err := os.WriteFile(file, []byte("models: [{}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{file: file + ":1: models[0]", file + "x": "no such file"} {
		if _, err := OpenPrices(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
