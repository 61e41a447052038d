package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Level says how bad a finding is.
type Level int

// The levels, the worst last.
const (
	Fine Level = iota
	Note
	Problem
)

// Finding is one thing that was looked at, and what to do about it.
type Finding struct {
	Level  Level
	Title  string
	Remedy string
}

// The bounds from which on the doctor speaks.
const (
	clockMayDiffer = 30 * time.Second
	dataMayRest    = 15 * time.Minute
	sinkMayLag     = 5 * time.Minute
	shareMayLack   = 0.05
)

// Doctor looks at a service the way its owner would: does it receive, count,
// forward; are prices and scores known; is the clock right. An error means that it
// could not be asked at all; everything else is a finding.
func Doctor(ctx context.Context, c *Client, s Screen, now func() time.Time) ([]Finding, error) {
	d := &doctor{s: s}
	if err := d.reach(ctx, c, now); err != nil {
		return d.found, err
	}
	var m metrics
	if _, err := c.get(ctx, "/monitoring/metrics", &m); err != nil {
		if status, ok := errors.AsType[*StatusError](err); ok && (status.Status == http.StatusUnauthorized || status.Status == http.StatusForbidden) {
			d.problem(s.say("the numbers need a token", "os números exigem um token"),
				s.say("give one of the scope “read”: --api-token or TREQ_API_TOKEN", "informe um com o escopo “read”: --api-token ou TREQ_API_TOKEN"))
			return d.found, nil
		}
		d.problem(Clean(err.Error()), s.say("wait if it has just started; /readyz and the log tell more", "espere, se acabou de iniciar; /readyz e o log dizem mais"))
		return d.found, nil
	}
	d.numbers(m)
	var mo models
	var si sinks
	var al alerts
	var he health
	for _, document := range []struct {
		path string
		v    any
		look func()
	}{
		{"/monitoring/health?verbose=1", &he, func() { d.quality(&he) }},
		{"/monitoring/models", &mo, func() { d.prices(&mo) }},
		{"/monitoring/sinks", &si, func() { d.sinks(&si) }},
		{"/monitoring/alerts", &al, func() { d.alerts(&al) }},
	} {
		if _, err := c.get(ctx, document.path, document.v); err == nil {
			document.look()
		} else if !absent(err) {
			d.problem(Clean(document.path+": "+err.Error()), s.say("see the service's log", "veja o log do serviço"))
		}
	}
	return d.found, nil
}

// Report writes findings, the worst first, and tells whether any is a problem.
func (s Screen) Report(w io.Writer, found []Finding) (problems int, err error) {
	var b strings.Builder
	for level := Problem; level >= Fine; level-- {
		for _, f := range found {
			if f.Level != level {
				continue
			}
			mark, tone := "✓", Good
			switch f.Level {
			case Problem:
				mark, tone = "✗", Bad
				problems++
			case Note:
				mark, tone = "!", Warn
			}
			lines := wrap(f.Title, s.columns()-2)
			for i, line := range lines {
				if i == 0 {
					b.WriteString(s.paint(tone, mark) + " " + line + "\n")
				} else {
					b.WriteString("  " + line + "\n")
				}
			}
			for i, line := range wrap(f.Remedy, s.columns()-4) {
				arrow := "  "
				if i == 0 {
					arrow = "→ "
				}
				b.WriteString("  " + s.paint(Dim, arrow+line) + "\n")
			}
		}
	}
	_, err = io.WriteString(w, b.String())
	return problems, err
}

type doctor struct {
	s     Screen
	found []Finding
}

func (d *doctor) fine(title string) { d.found = append(d.found, Finding{Fine, title, ""}) }

func (d *doctor) note(title, remedy string) {
	d.found = append(d.found, Finding{Note, title, remedy})
}

func (d *doctor) problem(title, remedy string) {
	d.found = append(d.found, Finding{Problem, title, remedy})
}

func (d *doctor) reach(ctx context.Context, c *Client, now func() time.Time) error {
	s := d.s
	var ready readiness
	before := now()
	date, err := c.get(ctx, "/readyz?verbose", &ready)
	status, answered := errors.AsType[*StatusError](err)
	if err != nil && (!answered || status.Status != http.StatusServiceUnavailable) {
		return err
	}
	d.fine(fmt.Sprintf(s.say("%s answers", "%s responde"), c.Address()))
	if len(ready.Reasons) > 0 {
		for _, reason := range ready.Reasons {
			d.problem(s.say("not ready: ", "não está pronto: ")+Clean(reason), s.say("data is kept meanwhile if the doors answer 200", "os dados são guardados enquanto as portas respondem 200"))
		}
	} else {
		d.fine(s.say("the journal takes data", "o diário aceita dados"))
	}
	for _, n := range ready.Notices {
		d.note(Clean(n), s.say("use a data directory on a disk: --data-dir", "use um diretório de dados em disco: --data-dir"))
	}
	if !date.IsZero() {
		if off := date.Sub(before).Abs(); off > clockMayDiffer {
			d.problem(fmt.Sprintf(s.say("the clocks of this machine and of the service differ by %s", "os relógios desta máquina e do serviço diferem em %s"), s.span(off)),
				s.say("set both by NTP; alerts and charts go by the service's", "acerte ambos por NTP; alertas e gráficos seguem o do serviço"))
		} else {
			d.fine(s.say("the clocks agree", "os relógios concordam"))
		}
	}
	return nil
}

func (d *doctor) numbers(m metrics) {
	s := d.s
	if m.Chat.Total == 0 && m.LLM.Calls == 0 && m.RAG.Searches == 0 {
		d.problem(s.say("nothing was counted yet", "nada foi contado ainda"),
			s.say("point a service at this address: the dashboard's page “First steps” has the lines", "aponte um serviço para este endereço: a página “Primeiros passos” do painel traz as linhas"))
		return
	}
	d.fine(fmt.Sprintf(s.say("counted: %s chats, %s searches, %s model calls", "contados: %s chats, %s buscas, %s chamadas de modelo"),
		s.number(m.Chat.Total, 0), s.number(m.RAG.Searches, 0), s.number(m.LLM.Calls, 0)))
	if m.Chat.Total == 0 {
		d.note(s.say("model calls are counted, but no chat", "chamadas de modelo são contadas, mas nenhum chat"),
			s.say("say which span is a chat: chats.entries in the settings; GET /monitoring/chats/entries lists what was seen", "diga qual span é um chat: chats.entries nas configurações; GET /monitoring/chats/entries lista o que foi visto"))
	}
}

func (d *doctor) prices(m *models) {
	s := d.s
	var unpriced []string
	for _, model := range m.Models {
		if model.Unpriced > 0 {
			unpriced = append(unpriced, Clean(model.Model))
		}
	}
	switch {
	case len(m.Models) == 0:
	case len(unpriced) == 0:
		d.fine(s.say("every token has a price", "todo token tem preço"))
	default:
		d.note(s.say("no price is known for ", "não há preço conhecido para ")+strings.Join(unpriced, ", "),
			s.say("add it to a file of prices, named by prices.file; treq-telemetry prices lookup tells how a model is found", "inclua-o em um arquivo de preços, indicado em prices.file; treq-telemetry prices lookup mostra como um modelo é encontrado"))
	}
}

func (d *doctor) sinks(v *sinks) {
	s := d.s
	if len(v.Sinks) == 0 {
		d.note(s.say("traces are forwarded to nobody", "os traces não são encaminhados a ninguém"),
			s.say("set LANGSMITH_TRACING=true and LANGSMITH_API_KEY, or sinks in the file, if they should be", "defina LANGSMITH_TRACING=true e LANGSMITH_API_KEY, ou sinks no arquivo, se for o caso"))
	}
	for _, k := range v.Sinks {
		name := Clean(k.Name)
		switch {
		case k.State == "paused":
			d.problem(fmt.Sprintf(s.say("the sink %s is paused: %s", "o destino %s está pausado: %s"), name, Clean(k.LastError)),
				s.say("check its address and key; what waits is kept", "confira o endereço e a chave; o que espera fica guardado"))
		case k.LastError != "" && time.Duration(k.OldestAge)*time.Second > sinkMayLag:
			d.problem(fmt.Sprintf(s.say("the sink %s is %s behind: %s", "o destino %s está %s atrasado: %s"), name, s.span(time.Duration(k.OldestAge)*time.Second), Clean(k.LastError)),
				s.say("it is tried again until it works; what waits is kept", "tenta-se de novo até funcionar; o que espera fica guardado"))
		case k.State == "stopped":
			d.problem(fmt.Sprintf(s.say("the sink %s is stopped", "o destino %s está parado"), name), s.say("see the service's log", "veja o log do serviço"))
		case k.State == "retrying" && k.Sent == 0:
			// Who has just set it up wants to hear of it now, and not when it is late.
			d.problem(fmt.Sprintf(s.say("the sink %s has taken nothing yet: %s", "o destino %s ainda não recebeu nada: %s"), name, Clean(k.LastError)),
				s.say("check its address and that it runs, or try: treq-telemetry sinks test; what waits is kept", "confira o endereço e se ele está no ar, ou experimente: treq-telemetry sinks test; o que espera fica guardado"))
		case k.State == "retrying":
			d.note(fmt.Sprintf(s.say("the sink %s is being tried again: %s", "tenta-se de novo o destino %s: %s"), name, Clean(k.LastError)),
				s.say("nothing to do unless it lasts; what waits is kept", "nada a fazer, a não ser que dure; o que espera fica guardado"))
		default:
			d.fine(fmt.Sprintf(s.say("the sink %s took %s spans", "o destino %s recebeu %s spans"), name, s.number(k.Sent, 0)))
		}
		if lost := k.DeadLettered + k.Expired; lost > 0 {
			d.problem(fmt.Sprintf(s.say("the sink %s will not get %s spans", "o destino %s não receberá %s spans"), name, s.number(lost, 0)),
				s.say("the dead-letter file has those it refused, with the reason; raise journal.max_bytes for those that expired", "o arquivo de não entregues tem os recusados, com o motivo; aumente journal.max_bytes para os expirados"))
		}
	}
}

func (d *doctor) alerts(v *alerts) {
	s := d.s
	firing := 0
	for _, a := range v.Alerts {
		if a.Error != "" {
			d.problem(fmt.Sprintf(s.say("the alert %s cannot be evaluated: %s", "o alerta %s não pode ser avaliado: %s"), Clean(a.Name), Clean(a.Error)), s.say("see treq-telemetry objectives check", "veja treq-telemetry objectives check"))
		}
		for _, i := range a.Instances {
			if i.State == "firing" {
				firing++
			}
		}
	}
	switch {
	case firing == 1:
		d.note(s.say("an alert fires", "há um alerta disparado"), "treq-telemetry top")
	case firing > 1:
		d.note(fmt.Sprintf(s.say("%d alerts fire", "%d alertas disparados"), firing), "treq-telemetry top")
	}
	if len(v.Receivers) == 0 {
		d.note(s.say("nobody is told of alerts", "ninguém é avisado dos alertas"), s.say("set notifications.receivers in the file, then try: treq-telemetry alert send-test", "defina notifications.receivers no arquivo e experimente: treq-telemetry alert send-test"))
	}
	for _, r := range v.Receivers {
		// The last error stays on show when the receiver takes messages again.
		if r.State == "retrying" {
			d.problem(fmt.Sprintf(s.say("the receiver %s could not be told: %s", "o destinatário %s não pôde ser avisado: %s"), Clean(r.Name), Clean(r.LastError)), "treq-telemetry alert send-test --receiver "+Clean(r.Name))
		}
	}
}

func (d *doctor) quality(h *health) {
	s := d.s
	if h.Telemetry == nil {
		return
	}
	lacks := func(share *float64, service, english, portuguese, remedy, remedio string) bool {
		if share != nil && *share > shareMayLack {
			d.note(fmt.Sprintf(s.say(english, portuguese), Clean(service), s.percent(share)), s.say(remedy, remedio))
			return true
		}
		return false
	}
	scored, unscored := false, false
	for _, v := range h.Telemetry.Services {
		if age := time.Duration(v.LastSeen) * time.Second; age > dataMayRest {
			d.note(fmt.Sprintf(s.say("%s sent nothing for %s", "%s não envia nada há %s"), Clean(v.Service), s.span(age)),
				s.say("is it running, and does it still point here?", "está rodando, e ainda aponta para cá?"))
		} else {
			d.fine(fmt.Sprintf(s.say("%s sent data %s ago", "%s enviou dados há %s"), Clean(v.Service), s.span(age)))
		}
		scored = scored || v.SearchesWithoutScores != nil
		unscored = lacks(v.SearchesWithoutScores, v.Service, "%s: %s of the searches tell no scores", "%s: %s das buscas não informam pontuação",
			"return documents with a score, or record gen_ai.retrieval.documents", "devolva documentos com score, ou registre gen_ai.retrieval.documents") || unscored
		lacks(v.StreamsWithoutUsage, v.Service, "%s: %s of the streams tell no usage", "%s: %s dos streams não informam uso",
			"ask for it: stream_options={\"include_usage\": true}", "peça: stream_options={\"include_usage\": true}")
	}
	if scored && !unscored {
		d.fine(s.say("the searches tell their scores", "as buscas informam a pontuação"))
	}
}
