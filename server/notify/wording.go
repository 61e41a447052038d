package notify

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"treq/server/alerting"
)

// page is a message in words: plain text, which each kind of receiver escapes as
// it must. Labels may hold what came in telemetry.
type page struct {
	title string
	state alerting.State
	items []item
	color int // RGB of the severity
	link  string
}

// item is one alert in words.
type item struct {
	mark, heading, body string
	facts               []fact
	link                string
}

// fact is one line below an alert.
type fact struct{ name, value string }

// The colours of the severities, and of what is over.
const (
	red    = 0xD92D20
	orange = 0xF79009
	blue   = 0x2E90FA
	green  = 0x12B76A
)

func (m *message) page(s style) page {
	w := s.words()
	p := page{state: m.state(), link: s.external, color: green}
	if p.state == alerting.Firing {
		p.color = map[alerting.Severity]int{alerting.Critical: red, alerting.Info: blue}[m.severity()]
		if p.color == 0 {
			p.color = orange
		}
	}
	for i := range m.notices {
		p.items = append(p.items, m.notices[i].item(s, m))
	}
	firing := m.firing()
	switch {
	case len(m.notices) == 1:
		p.title = p.items[0].mark + " " + p.items[0].heading
	case firing > 0:
		p.title = mark(alerting.Firing, m.severity()) + " " + fmt.Sprintf(w.many, firing, len(m.notices)-firing)
	default:
		p.title = mark(alerting.Resolved, "") + " " + fmt.Sprintf(w.manyResolved, len(m.notices))
	}
	if m.sample {
		p.title = "[" + w.sample + "] " + p.title
	}
	return p
}

func mark(state alerting.State, severity alerting.Severity) string {
	switch {
	case state == alerting.Resolved:
		return "✅"
	case severity == alerting.Critical:
		return "🔴"
	case severity == alerting.Info:
		return "🔵"
	}
	return "🟠"
}

func (n *notice) item(s style, m *message) item {
	w := s.words()
	text := n.Text(s.language)
	if text.Summary == "" {
		text.Summary = n.Rule
	}
	out := item{mark: mark(n.State, n.Severity), body: text.Description, link: s.link(&n.Alert)}
	if n.State == alerting.Resolved {
		out.heading = w.resolved + ": " + text.Summary
		out.facts = append(out.facts, fact{w.lasted, s.span(n.EndsAt.Sub(n.StartsAt))})
		out.body = ""
		if n.late {
			out.body = fmt.Sprintf(w.late, s.time(n.StartsAt), s.time(n.EndsAt))
		}
	} else {
		severity := w.severities[n.Severity]
		if severity == "" {
			severity = w.severities[alerting.Warning]
		}
		out.heading = fmt.Sprintf("%s (%s): %s", w.firing, severity, text.Summary)
		since := s.time(n.StartsAt)
		if n.again {
			since += ", " + w.again
		}
		out.facts = append(out.facts, fact{w.since, since}, fact{w.value, s.number(n.Value)})
	}
	if m.sample {
		out.body, out.facts = w.sampleBody, out.facts[:1]
	}
	for _, name := range slices.Sorted(maps.Keys(n.Labels)) {
		if name != "alertname" && name != "severity" && n.Labels[name] != "" {
			out.facts = append(out.facts, fact{name, oneLine(n.Labels[name])})
		}
	}
	return out
}

// oneLine keeps a text that came in telemetry from looking like several.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// line gives the facts in one line.
func (i item) line() string {
	parts := make([]string, len(i.facts))
	for k, f := range i.facts {
		parts[k] = f.name + ": " + f.value
	}
	return strings.Join(parts, " · ")
}

// plain gives the page as plain text.
func (p page) plain(s style) string {
	var b strings.Builder
	for k, i := range p.items {
		if k > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString(i.mark + " " + i.heading)
		for _, line := range []string{i.body, i.line(), i.link} {
			if line != "" {
				b.WriteString("\n" + line)
			}
		}
	}
	return b.String()
}

// shorten cuts a text to at most so many characters, and says so with "…".
func shorten(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-1]) + "…"
}
