package terminal

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// Explain writes one run as a tree, with what each span counted for and why. id is
// a LangSmith run id, a trace id or a span id.
func Explain(ctx context.Context, c *Client, s Screen, id string, w io.Writer) error {
	var r run
	if _, err := c.get(ctx, "/monitoring/runs/"+url.PathEscape(id)+"?explain=1", &r); err != nil {
		return err
	}
	var b strings.Builder
	tone := Good
	if r.Outcome == "failure" {
		tone = Bad
	}
	b.WriteString(s.paint(Strong, Clean(r.Name)) + "  " + s.paint(tone, s.outcome(r.Outcome)) + "  " + s.ms(r.DurationMS) + "  " + s.paint(Dim, Clean(r.Service)) + "\n")
	if k := r.Counted; k != nil {
		b.WriteString(s.say("counted as: ", "contou como: ") + strings.Join(s.counted(k.Chats, k.Searches, k.LLMCalls, k.LLMTokens, k.Cost), ", ") + "\n")
	}
	if r.Repeated > 0 {
		fmt.Fprintf(&b, s.say("%d spans came more than once and are shown once\n", "%d spans chegaram mais de uma vez e são mostrados uma só\n"), r.Repeated)
	}
	b.WriteString("\n")
	for i, root := range r.Tree {
		s.branch(&b, root, "", i == len(r.Tree)-1, true)
	}
	if r.LangSmithURL != "" {
		b.WriteString("\nLangSmith: " + Clean(r.LangSmithURL) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s Screen) outcome(o string) string {
	switch o {
	case "success":
		return s.say("succeeded", "com sucesso")
	case "failure":
		return s.say("failed", "com falha")
	case "running":
		return s.say("running", "em andamento")
	}
	return Clean(o)
}

func (s Screen) counted(chats, searches, calls int, tokens, cost float64) []string {
	var said []string
	add := func(n int, one, many, um, muitos string) {
		switch {
		case n == 1:
			said = append(said, "1 "+s.say(one, um))
		case n > 1:
			said = append(said, s.number(float64(n), 0)+" "+s.say(many, muitos))
		}
	}
	add(chats, "chat", "chats", "chat", "chats")
	add(searches, "search", "searches", "busca", "buscas")
	add(calls, "model call", "model calls", "chamada de modelo", "chamadas de modelo")
	if tokens > 0 {
		said = append(said, s.number(tokens, 0)+" tokens")
	}
	if cost > 0 {
		said = append(said, s.money(cost, "USD"))
	}
	if len(said) == 0 {
		return []string{s.say("nothing", "nada")}
	}
	return said
}

// branch writes a span, what it counted for, and those below it.
func (s Screen) branch(b *strings.Builder, n *span, indent string, last, root bool) {
	fork, below := "├─ ", "│  "
	if last {
		fork, below = "└─ ", "   "
	}
	if root {
		fork, below = "", ""
	}
	tone := Plain
	if n.Outcome == "failure" {
		tone = Bad
	}
	times := s.ms(n.DurationMS)
	name := cut(Clean(n.Name), max(8, s.columns()-columns(indent+fork)-columns(times)-columns(s.named(n.Kind))-4))
	b.WriteString(s.paint(Dim, indent+fork) + s.paint(tone, name) + "  " + s.paint(Dim, s.named(n.Kind)) + "  " + times + "\n")
	under := indent + below + "   "
	if len(n.Children) > 0 {
		under = indent + below + "│  "
	}
	write := func(style Style, text string) {
		for _, line := range wrap(text, max(20, s.columns()-columns(under))) {
			b.WriteString(s.paint(Dim, under) + s.paint(style, line) + "\n")
		}
	}
	if n.ErrorType != "" || n.Message != "" {
		write(Bad, strings.TrimSpace(Clean(n.ErrorType+" "+n.Message)))
	}
	if e := n.Explanation; e != nil {
		write(Good, s.became(e))
		if why := s.why(e); why != "" {
			write(Dim, why)
		}
	}
	for i, child := range n.Children {
		s.branch(b, child, indent+below, i == len(n.Children)-1, false)
	}
}

// wrap breaks a clean text between words into lines of at most n columns.
func wrap(text string, n int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = cut(word, n)
		case columns(line)+1+columns(word) <= n:
			line += " " + word
		default:
			lines = append(lines, line)
			line = cut(word, n)
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
