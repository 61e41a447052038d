package terminal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Top gives one picture of the service: its numbers, services, models, sinks and
// what fires, in at most the screen's columns. now is the clock. It fails if the
// service does not answer or does not let the reader see its numbers; what only
// some services have is left out where they have it not.
func Top(ctx context.Context, c *Client, s Screen, now time.Time) (string, error) {
	var m metrics
	if _, err := c.get(ctx, "/monitoring/metrics", &m); err != nil {
		return "", err
	}
	var mo models
	var si sinks
	var al alerts
	var he health
	for path, v := range map[string]any{
		"/monitoring/models": &mo, "/monitoring/sinks": &si, "/monitoring/alerts": &al, "/monitoring/health?verbose=1": &he,
	} {
		if _, err := c.get(ctx, path, v); err != nil && !absent(err) {
			return "", err
		}
	}
	var b strings.Builder
	s.head(&b, c, m, now)
	s.figures(&b, m, mo)
	if m.Chat.Total == 0 && m.LLM.Calls == 0 && m.RAG.Searches == 0 {
		s.nothingYet(&b, c)
	}
	s.firing(&b, al, now)
	s.modelRows(&b, mo)
	s.serviceRows(&b, he)
	s.sinkRows(&b, si)
	return b.String(), nil
}

// nothingYet says how the first numbers come.
func (s Screen) nothingYet(b *strings.Builder, c *Client) {
	s.title(b, s.say("Nothing has arrived yet", "Nada chegou ainda"))
	for _, line := range wrap(s.say(
		"Point a service at this address: the page “First steps” of the dashboard has the lines. To see how it looks with traffic:",
		"Aponte um serviço para este endereço: a página “Primeiros passos” do painel traz as linhas. Para ver com tráfego:"), s.columns()-2) {
		b.WriteString("  " + line + "\n")
	}
	b.WriteString("  " + s.paint(Strong, "treq-telemetry demo --endpoint "+Clean(c.Address())) + "\n")
}

// absent tells that a service does not have a document.
func absent(err error) bool {
	status, ok := errors.AsType[*StatusError](err)
	return ok && status.Status == http.StatusNotFound
}

func (s Screen) head(b *strings.Builder, c *Client, m metrics, now time.Time) {
	tone := map[string]Style{"healthy": Good, "degraded": Warn, "critical": Bad}[m.System.Status]
	status := s.named(m.System.Status)
	left := "treq-telemetry " + c.Address()
	right := now.Format("15:04:05")
	room := s.columns() - columns(right) - columns(status) - 4
	b.WriteString(s.paint(Strong, fit(Clean(left), room, false)) + "  " + s.paint(tone, status) + "  " + right + "\n\n")
}

func (s Screen) figures(b *strings.Builder, m metrics, mo models) {
	success := none
	if m.Chat.Total > 0 {
		ratio := 1 - m.Chat.Failed/m.Chat.Total
		success = s.percent(&ratio)
	}
	similarity := none
	if m.RAG.Searches > 0 {
		similarity = s.number(m.RAG.Similarity, 3)
	}
	figures := [][2]string{
		{s.say("chats", "chats"), s.number(m.Chat.Total, 0)},
		{s.say("success", "sucesso"), success},
		{s.say("mean time", "tempo médio"), s.ms(&m.Chat.Average)},
		{s.say("searches", "buscas"), s.number(m.RAG.Searches, 0)},
		{s.say("similarity", "similaridade"), similarity},
		{s.say("model calls", "chamadas"), s.number(m.LLM.Calls, 0)},
		{"tokens", s.short(m.LLM.Tokens)},
		{s.say("cost", "custo"), s.money(mo.Total.Cost, mo.Currency)},
		{s.say("up for", "no ar há"), s.span(time.Duration(m.UptimeSeconds) * time.Second)},
		{s.say("memory", "memória"), s.number(m.System.MemoryMB, 0) + " MB"},
	}
	// As many figures a line as there is room for.
	const each = 26
	perLine := max(1, s.columns()/each)
	for i, f := range figures {
		b.WriteString(s.paint(Dim, fit(f[0], 13, false)) + s.paint(Strong, fit(f[1], each-14, false)))
		if (i+1)%perLine == 0 || i == len(figures)-1 {
			b.WriteString("\n")
		} else {
			b.WriteString(" ")
		}
	}
}

func (s Screen) title(b *strings.Builder, text string) {
	b.WriteString("\n" + s.paint(Strong, text) + "\n")
}

func (s Screen) firing(b *strings.Builder, al alerts, now time.Time) {
	var rows []string
	for _, a := range al.Alerts {
		for _, i := range a.Instances {
			if i.State != "firing" {
				continue
			}
			text := i.Texts[string(s.Language)].Summary
			if text == "" {
				text = a.Name
			}
			tone := Warn
			if i.Severity == "critical" {
				tone = Bad
			}
			since := s.say("for ", "há ") + s.span(now.Sub(i.Since))
			rows = append(rows, "  "+s.paint(tone, fit(s.named(i.Severity), 9, false))+" "+cut(Clean(text), s.columns()-14-columns(since))+"  "+since+"\n")
		}
	}
	if len(rows) == 0 {
		return
	}
	s.title(b, s.say("Alerts", "Alertas"))
	b.WriteString(strings.Join(rows, ""))
}

func (s Screen) modelRows(b *strings.Builder, mo models) {
	if len(mo.Models) == 0 {
		return
	}
	s.title(b, s.say("Models", "Modelos"))
	var rows [][]cell
	for _, m := range mo.Models {
		cost := plain(s.amount(m.Cost))
		if m.Unpriced > 0 && m.Cost == 0 {
			cost = cell{s.say("no price", "sem preço"), Warn}
		}
		failed := plain(s.number(m.Errors, 0))
		if m.Errors > 0 {
			failed.style = Bad
		}
		rows = append(rows, []cell{
			plain(Clean(m.Model)), plain(s.number(m.Calls, 0)), failed, plain(s.ms(m.Latency.P50)), plain(s.ms(m.Latency.P95)),
			plain(s.ms(m.FirstToken.P95)), plain(s.short(m.Tokens.Total)), cost,
		})
	}
	b.WriteString(s.table([]string{
		s.say("model", "modelo"), s.say("calls", "cham."), s.say("errors", "erros"), "p50", "p95", "ttft p95", "tokens", s.say("cost ", "custo ") + currencySign(mo.Currency),
	}, []bool{false, true, true, true, true, true, true, true}, rows, 2))
}

func (s Screen) serviceRows(b *strings.Builder, he health) {
	if he.Telemetry == nil || len(he.Telemetry.Services) == 0 {
		return
	}
	s.title(b, s.say("Services", "Serviços"))
	var rows [][]cell
	for _, v := range he.Telemetry.Services {
		rows = append(rows, []cell{
			plain(Clean(v.Service)), plain(s.span(time.Duration(v.LastSeen) * time.Second)),
			plain(s.percent(v.Unpriced)), plain(s.percent(v.StreamsWithoutUsage)), plain(s.percent(v.SearchesWithoutScores)),
		})
	}
	b.WriteString(s.table([]string{
		s.say("service", "serviço"), s.say("last data", "últimos dados"), s.say("unpriced", "sem preço"), s.say("no usage", "sem uso"), s.say("no scores", "sem pontuação"),
	}, []bool{false, true, true, true, true}, rows, 2))
}

func (s Screen) sinkRows(b *strings.Builder, si sinks) {
	if len(si.Sinks) == 0 {
		return
	}
	s.title(b, s.say("Sinks", "Destinos"))
	var rows [][]cell
	for _, k := range si.Sinks {
		tone := Good
		if k.LastError != "" {
			tone = Warn
		}
		if k.State == "paused" {
			tone = Bad
		}
		lost := k.DeadLettered + k.Expired
		rows = append(rows, []cell{
			plain(Clean(k.Name)),
			{s.named(k.State), tone},
			plain(s.short(k.QueueSpans)), plain(s.span(time.Duration(k.OldestAge * float64(time.Second)))),
			plain(s.short(k.Sent)), plain(s.short(lost)), plain(Clean(k.LastError)),
		})
	}
	b.WriteString(s.table([]string{
		s.say("sink", "destino"), s.say("state", "estado"), s.say("waiting", "na fila"), s.say("oldest", "mais antigo"), s.say("sent", "enviados"), s.say("lost", "perdidos"), s.say("last error", "último erro"),
	}, []bool{false, false, true, true, true, true, false}, rows, 2))
}

// Follow writes a picture every pace until ctx ends, each over the one before, by
// write, as many lines of it as the screen has. While the service cannot be asked, what
// went wrong stands where the picture was, and it is tried again; the first picture
// must succeed.
func Follow(ctx context.Context, c *Client, s func() Screen, pace time.Duration, write func(string) error) error {
	first, last := true, time.Time{}
	for {
		screen, now := s(), time.Now()
		picture, err := Top(ctx, c, screen, now)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && first:
			return err
		case err != nil:
			picture = screen.interrupted(c, err, last, now)
		default:
			last = now
		}
		first = false
		if err := write(frame(screen.crop(picture))); err != nil {
			return fmt.Errorf("writing to the terminal: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pace):
		}
	}
}

// interrupted is what stands in place of a picture while there is none.
func (s Screen) interrupted(c *Client, err error, last, now time.Time) string {
	var b strings.Builder
	right := now.Format("15:04:05")
	b.WriteString(s.paint(Strong, fit(Clean("treq-telemetry "+c.Address()), s.columns()-columns(right)-2, false)) + "  " + right + "\n\n")
	for _, line := range wrap(Clean(err.Error()), s.columns()) {
		b.WriteString(s.paint(Bad, line) + "\n")
	}
	b.WriteString("\n" + fmt.Sprintf(s.say("The last answer came %s ago. Trying again; q ends.", "A última resposta veio há %s. Tentando de novo; q encerra."), s.span(now.Sub(last))) + "\n")
	return b.String()
}

// crop leaves as many lines as the screen has, and says that there are more.
func (s Screen) crop(picture string) string {
	lines := strings.Split(strings.TrimSuffix(picture, "\n"), "\n")
	if s.Rows <= 1 || len(lines) <= s.Rows-1 {
		return picture
	}
	more := len(lines) - (s.Rows - 2)
	rest := s.paint(Dim, fmt.Sprintf(s.say("… %d more lines: a taller terminal shows them", "… mais %d linhas: um terminal mais alto as mostra"), more))
	return strings.Join(append(lines[:s.Rows-2], rest), "\n") + "\n"
}

// frame puts a picture over the one before without a flicker: every line is
// cleared behind its end, and the rest of the screen below the last.
func frame(picture string) string {
	return "\x1b[H" + strings.ReplaceAll(picture, "\n", "\x1b[K\r\n") + "\x1b[J"
}
