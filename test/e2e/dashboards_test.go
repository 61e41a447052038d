package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v4"

	"treq/test/e2e/e2etest"
)

// dashboard is what a file of Grafana's says, as far as tests look at it.
type dashboard struct {
	UID         string `json:"uid"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Templating  struct {
		List []struct {
			Name  string `json:"name"`
			Type  string `json:"type"`
			Query any    `json:"query"`
		} `json:"list"`
	} `json:"templating"`
	Panels []dashboardPanel `json:"panels"`
}

type dashboardPanel struct {
	Title       string           `json:"title"`
	Description string           `json:"description"`
	Datasource  dashboardSource  `json:"datasource"`
	Targets     []dashboardQuery `json:"targets"`
	GridPos     struct{ H, W, X, Y int }
	FieldConfig struct {
		Defaults struct {
			Unit string `json:"unit"`
		} `json:"defaults"`
	} `json:"fieldConfig"`
}

type dashboardSource struct{ Type, UID string }

type dashboardQuery struct {
	Expr         string          `json:"expr"`
	LegendFormat string          `json:"legendFormat"`
	Datasource   dashboardSource `json:"datasource"`
}

// grafana gives the directory of what Grafana reads.
func grafana(t *testing.T) string {
	t.Helper()
	root, err := e2etest.Root()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(root, "deploy", "grafana")
}

// files reads all files below a directory by their path in it.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		out[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func dashboards(t *testing.T) map[string]dashboard {
	t.Helper()
	out := map[string]dashboard{}
	for name, text := range files(t, filepath.Join(grafana(t), "dashboards")) {
		var d dashboard
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = d
	}
	return out
}

// The committed dashboards are those that the generator writes.
func TestDashboardsAreCurrent(t *testing.T) {
	t.Parallel()
	fresh := t.TempDir()
	generate := exec.CommandContext(t.Context(), "go", "run", ".", fresh)
	generate.Dir = filepath.Join(grafana(t), "generate")
	generate.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if out, err := generate.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if diff := cmp.Diff(files(t, fresh), files(t, filepath.Join(grafana(t), "dashboards"))); diff != "" {
		t.Errorf("make dashboards mends this (-generator +committed):\n%s", diff)
	}
}

// Every panel says what it shows and in which unit, and leaves the choice of data
// source to the reader; both languages ask the same.
func TestDashboardsAreWhole(t *testing.T) {
	t.Parallel()
	uids := []string{}
	questions := map[string][]string{}
	for name, d := range dashboards(t) {
		uids = append(uids, d.UID)
		if filepath.Base(name) != d.UID+".json" || d.Title == "" || d.Description == "" {
			t.Errorf("%s: uid %q, title %q, description %q", name, d.UID, d.Title, d.Description)
		}
		if v := d.Templating.List; len(v) == 0 || v[0].Type != "datasource" || v[0].Name != "datasource" || v[0].Query != "prometheus" {
			t.Errorf("%s: the data source is no variable: %+v", name, v)
		}
		titles := map[string]bool{}
		for i, p := range d.Panels {
			variable := dashboardSource{"prometheus", "${datasource}"}
			if p.Title == "" || p.Description == "" || p.FieldConfig.Defaults.Unit == "" || p.Datasource != variable || len(p.Targets) == 0 || titles[p.Title] {
				t.Errorf("%s: panel %d %q: description %q, unit %q, source %v, %d queries", name, i, p.Title, p.Description, p.FieldConfig.Defaults.Unit, p.Datasource, len(p.Targets))
			}
			titles[p.Title] = true
			if p.GridPos.W == 0 || p.GridPos.X+p.GridPos.W > 24 {
				t.Errorf("%s: panel %q has no place: %+v", name, p.Title, p.GridPos)
			}
			for k, o := range d.Panels[:i] {
				if o.GridPos.X < p.GridPos.X+p.GridPos.W && p.GridPos.X < o.GridPos.X+o.GridPos.W && o.GridPos.Y < p.GridPos.Y+p.GridPos.H && p.GridPos.Y < o.GridPos.Y+o.GridPos.H {
					t.Errorf("%s: panels %d and %d lie on each other", name, k, i)
				}
			}
			for _, q := range p.Targets {
				if q.Datasource != variable || q.LegendFormat == "" {
					t.Errorf("%s: a query of panel %q has source %v and legend %q", name, p.Title, q.Datasource, q.LegendFormat)
				}
				questions[name] = append(questions[name], q.Expr)
			}
		}
	}
	slices.Sort(uids)
	want := []string{"treq-models", "treq-models", "treq-overview", "treq-overview", "treq-pipeline", "treq-pipeline", "treq-rag", "treq-rag"}
	if diff := cmp.Diff(want, uids); diff != "" {
		t.Errorf("uids (-want +got):\n%s", diff)
	}
	for _, uid := range want {
		if diff := cmp.Diff(questions["en/"+uid+".json"], questions["pt-BR/"+uid+".json"]); diff != "" {
			t.Errorf("%s asks otherwise in the other language:\n%s", uid, diff)
		}
	}
}

// What provisions Grafana names files that are there.
func TestGrafanaIsProvisioned(t *testing.T) {
	t.Parallel()
	var sources struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct {
			Name           string            `yaml:"name"`
			UID            string            `yaml:"uid"`
			Type           string            `yaml:"type"`
			Access         string            `yaml:"access"`
			URL            string            `yaml:"url"`
			JSONData       map[string]string `yaml:"jsonData"`
			SecureJSONData map[string]string `yaml:"secureJsonData"`
		} `yaml:"datasources"`
	}
	var boards struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Name     string            `yaml:"name"`
			Folder   string            `yaml:"folder"`
			Type     string            `yaml:"type"`
			AllowUI  bool              `yaml:"allowUiUpdates"`
			Interval int               `yaml:"updateIntervalSeconds"`
			Options  map[string]string `yaml:"options"`
		} `yaml:"providers"`
	}
	for name, into := range map[string]any{"datasources/treq.yaml": &sources, "dashboards/treq.yaml": &boards} {
		text, err := os.ReadFile(filepath.Join(grafana(t), "provisioning", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Load(text, into, yaml.WithKnownFields()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(sources.Datasources) != 1 || sources.Datasources[0].Type != "prometheus" || !strings.HasSuffix(sources.Datasources[0].URL, "/prometheus") {
		t.Errorf("data sources: %+v", sources)
	}
	if len(boards.Providers) != 1 {
		t.Fatalf("providers: %+v", boards)
	}
	readme, err := os.ReadFile(filepath.Join(grafana(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	at, inside, found := strings.Cut(boards.Providers[0].Options["path"], "/dashboards/")
	if _, err := os.Stat(filepath.Join(grafana(t), "dashboards", inside)); !found || err != nil || !strings.Contains(string(readme), "/dashboards:"+at+"/dashboards") {
		t.Errorf("the path %q is not where the dashboards are mounted: %v", boards.Providers[0].Options["path"], err)
	}
}

// Every query asks for metrics that are documented or recorded, and a service that
// saw the demo's traffic answers it with data.
func TestDashboardsShowTheDemo(t *testing.T) {
	t.Parallel()
	sink := e2etest.NewSink(t)
	s := e2etest.Start(t, e2etest.Spec{Config: quick + fmt.Sprintf(`
history: {step: 1s}
objectives: {interval: 1s}
sinks:
  - {name: backend, endpoint: %q}
`, sink.URL()+"/v1/traces")})
	s.Do(http.MethodPost, "/v1/traces", http.Header{"Content-Type": {"application/json"}}, strings.NewReader("{")) // refused
	binary, err := e2etest.Binary()
	if err != nil {
		t.Fatal(err)
	}
	demo := exec.CommandContext(t.Context(), binary, "demo", "--endpoint", s.URL(""), "--rate", "40", "--chats", "400")
	if out, err := demo.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	judge(t, s)

	known := documentedMetrics(t)
	asked := map[string]string{} // by query, where
	for name, d := range dashboards(t) {
		for _, v := range d.Templating.List {
			if text, ok := v.Query.(string); ok && v.Type == "query" {
				metric, _, _ := strings.Cut(strings.TrimPrefix(text, "label_values("), ",")
				asked[metric] = name + ": variable " + v.Name
			}
		}
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				asked[q.Expr] = fmt.Sprintf("%s: panel %q", name, p.Title)
			}
		}
	}
	replace := strings.NewReplacer("$__rate_interval", "1m", "$__range", "5m", "$service", ".*")
	for expr, where := range asked {
		expr = replace.Replace(expr)
		parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
		if err != nil {
			t.Errorf("%s: %v", where, err)
			continue
		}
		parser.Inspect(parsed, func(n parser.Node, _ []parser.Node) error {
			if v, ok := n.(*parser.VectorSelector); ok && !known(v.Name) {
				t.Errorf("%s asks for %s, which is neither documented nor recorded", where, v.Name)
			}
			return nil
		})
		e2etest.Eventually(t, settled, func() error {
			a := s.Get("/prometheus/api/v1/query?query=" + url.QueryEscape(expr))
			var answer struct {
				Data struct {
					Result []struct {
						Value []any `json:"value"`
					} `json:"result"`
				} `json:"data"`
			}
			if err := json.Unmarshal(a.Body, &answer); err != nil || a.Status != http.StatusOK {
				return fmt.Errorf("%s: %s: %d %s", where, expr, a.Status, a.Body)
			}
			for _, r := range answer.Data.Result {
				if r.Value[1] != "NaN" {
					return nil
				}
			}
			return fmt.Errorf("%s: %s gives no data: %s", where, expr, a.Body)
		})
	}
}

// judge gives a run a mark, as a person does.
func judge(t *testing.T, s *e2etest.Server) {
	t.Helper()
	var listed struct {
		Runs []struct {
			ID string `json:"run_id"`
		} `json:"runs"`
	}
	e2etest.Eventually(t, settled, func() error {
		s.JSON("/monitoring/runs", &listed)
		if len(listed.Runs) == 0 {
			return fmt.Errorf("no runs")
		}
		return nil
	})
	body, err := json.Marshal(map[string]any{"run_id": listed.Runs[0].ID, "key": "user-score", "score": 1})
	if err != nil {
		t.Fatal(err)
	}
	a := s.Do(http.MethodPost, "/monitoring/feedback", http.Header{"Content-Type": {"application/json"}}, bytes.NewReader(body))
	if a.Status != http.StatusOK {
		t.Fatalf("POST /monitoring/feedback: %d %s", a.Status, a.Body)
	}
}

// documentedMetrics tells which names Prometheus may know: those that the
// documented instruments get, those that our rules record, and the engine's own.
func documentedMetrics(t *testing.T) func(name string) bool {
	t.Helper()
	root := filepath.Dir(filepath.Dir(grafana(t)))
	text, err := os.ReadFile(filepath.Join(root, "docs", "instruments.md"))
	if err != nil {
		t.Fatal(err)
	}
	var bases []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z0-9_.]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		bases = append(bases, strings.ReplaceAll(m[1], ".", "_"))
	}
	rules, err := os.ReadFile(filepath.Join(root, "deploy", "prometheus", "treq.rules.yml"))
	if err != nil {
		t.Fatal(err)
	}
	recorded := map[string]bool{"ALERTS": true}
	for _, m := range regexp.MustCompile(`record: (\S+)`).FindAllStringSubmatch(string(rules), -1) {
		recorded[m[1]] = true
	}
	// What a unit and a kind add to an instrument's name.
	ending := regexp.MustCompile(`^(_(seconds|bytes|USD|ratio))?(_(total|sum|count|bucket))?$`)
	return func(name string) bool {
		if recorded[name] {
			return true
		}
		name = strings.TrimPrefix(name, "reported_")
		return slices.ContainsFunc(bases, func(base string) bool {
			rest, ok := strings.CutPrefix(name, base)
			return ok && ending.MatchString(rest)
		})
	}
}
