package terminal

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"treq/telemetry"
)

// stages answers each question about runs with the next of some answers, and after the
// last calls ended.
func stages(t *testing.T, answers []string, ended func()) *Client {
	t.Helper()
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		body := answers[min(asked, len(answers)-1)]
		if asked++; asked > len(answers)+2 {
			ended()
		}
		if status, rest, given := strings.Cut(body, " "); given && len(status) == 3 {
			code, _ := strconv.Atoi(status)
			w.WriteHeader(code)
			body = rest
		}
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	c, err := NewClient(server.URL, telemetry.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Runs go on when the service is back, none of them twice, and it is said once that it
// was away; who is refused is told so.
func TestTailWaitsForTheService(t *testing.T) {
	line := func(id, outcome string) string {
		return fmt.Sprintf(`{"run_id":%q,"name":"POST /chat","service":"app","outcome":%q}`, id, outcome)
	}
	of := func(lines ...string) string { return `{"runs":[` + strings.Join(lines, ",") + `]}` }
	a, b := line("00000000-0000-0000-aaaa-aaaaaaaaaaaa", "success"), line("00000000-0000-0000-bbbb-bbbbbbbbbbbb", "failure")
	run := func(answers ...string) (out, notes string, err error) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		c := stages(t, answers, cancel)
		var o, n bytes.Buffer
		err = Tail(ctx, c, Screen{Language: English}, TailOptions{Follow: true, Pace: time.Millisecond, Notes: &n}, &o)
		return o.String(), strings.ReplaceAll(n.String(), c.Address(), "http://service"), err
	}
	out, notes, err := run(of(), of(a), `503 {"detail":"the journal is being replayed"}`, "503 {}", of(b, a))
	if err != nil || strings.Count(out, "aaaaaaaaaaaaaaaa") != 1 || strings.Count(out, "bbbbbbbbbbbbbbbb") != 1 {
		t.Errorf("%v\n%s", err, out)
	}
	if want := "No run is there yet; waiting for the first. Ctrl-C ends.\n503: the journal is being replayed; trying again\nhttp://service answers again\n"; notes != want {
		t.Errorf("%q, want %q", notes, want)
	}
	if _, _, err := run(of(a), `401 {"detail":"a token is needed"}`, of(b)); err == nil || !strings.Contains(err.Error(), "a token is needed; here: --api-token or TREQ_API_TOKEN") {
		t.Errorf("refused: %v", err)
	}
	if _, _, err := run("503 {}", of(b)); err == nil {
		t.Error("a service that never answered is waited for")
	}
}

// A picture is as high as the terminal, whatever the service has, and says what is left out.
func TestAPictureFitsTheTerminal(t *testing.T) {
	c := busy().client(t)
	for rows, more := range map[int]string{0: "", 40: "", 24: "", 12: "more lines", 2: "more lines"} {
		ctx, cancel := context.WithCancel(t.Context())
		var picture string
		err := Follow(ctx, c, func() Screen { return Screen{Rows: rows} }, time.Millisecond, func(f string) error {
			picture = f
			cancel()
			return nil
		})
		n := strings.Count(picture, "\n")
		if err != nil || rows > 0 && n >= rows || strings.Contains(picture, "more lines") != (more != "") {
			t.Errorf("%d rows: %d lines, %v\n%s", rows, n, err, picture)
		}
	}
}

// Tables keep to narrow terminals too: what has no room is left out, no line is broken.
func TestAPictureKeepsToNarrowTerminals(t *testing.T) {
	c := busy().client(t)
	for _, language := range []Language{English, Portuguese} {
		for _, wide := range []int{40, 60, 72, 80, 200} {
			picture, err := Top(t.Context(), c, Screen{Columns: wide, Language: language}, now)
			if err != nil {
				t.Fatal(err)
			}
			for i, line := range strings.Split(picture, "\n") {
				if i > 0 && columns(line) > wide {
					t.Errorf("%d columns in %d: %s", columns(line), wide, line)
				}
			}
			if !strings.Contains(picture, "llama") || !strings.Contains(picture, "824") {
				t.Errorf("in %d columns the models and their calls are not shown:\n%s", wide, picture)
			}
		}
	}
}

// A service to which nothing has come yet says what to do; one that is away, since when.
func TestThePictureOfNothing(t *testing.T) {
	s := service{"/monitoring/metrics": `{}`}
	c := s.client(t)
	for language, want := range map[Language]string{English: "Nothing has arrived yet", Portuguese: "Nada chegou ainda"} {
		picture, err := Top(t.Context(), c, Screen{Language: language}, now)
		if err != nil || !strings.Contains(picture, want) || !strings.Contains(picture, "treq-telemetry demo --endpoint "+c.Address()) {
			t.Errorf("%v\n%s", err, picture)
		}
	}
	if picture, _ := Top(t.Context(), busy().client(t), Screen{}, now); strings.Contains(picture, "Nothing has") {
		t.Errorf("of a busy service:\n%s", picture)
	}
	gone := Screen{}.interrupted(c, fmt.Errorf("no answer from %s: %s", c.Address(), strings.Repeat("refused ", 20)), now, now.Add(90*time.Second))
	if !strings.Contains(gone, "The last answer came 1 min ago. Trying again; q ends.") {
		t.Errorf("%s", gone)
	}
	for line := range strings.Lines(gone) {
		if columns(strings.TrimSuffix(line, "\n")) > 80 {
			t.Errorf("%d columns: %s", columns(line), line)
		}
	}
}

// What a program reads is not cut, and begins with what comes if it is asked to.
func TestTailForPrograms(t *testing.T) {
	long := strings.Repeat("m", 200)
	c := service{"/monitoring/runs": `{"runs":[{"run_id":"00000000-0000-0000-aaaa-aaaaaaaaaaaa","name":"chat","service":"app","outcome":"success","model":"` + long + `","tokens":5}]}`}.client(t)
	for _, tt := range []struct {
		screen Screen
		o      TailOptions
		want   bool
	}{
		{Screen{Whole: true}, TailOptions{}, true},
		{Screen{}, TailOptions{}, false},
		{Screen{Whole: true}, TailOptions{None: true}, false},
	} {
		var b strings.Builder
		if err := Tail(t.Context(), c, tt.screen, tt.o, &b); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "app · chat · 5 tok · "+long+" aaaaaaaaaaaaaaaa\n") != tt.want {
			t.Errorf("%+v %+v: %q", tt.screen, tt.o, b.String())
		}
	}
}
