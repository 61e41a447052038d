package terminal

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Language of the texts that people read.
type Language string

// The languages.
const (
	English    Language = "en"
	Portuguese Language = "pt-BR"
)

// LanguageOf chooses by the environment as POSIX has it: LC_ALL, LC_MESSAGES, LANG.
func LanguageOf(env func(string) string) Language {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := env(name); v != "" {
			if strings.HasPrefix(strings.ToLower(v), "pt") {
				return Portuguese
			}
			return English
		}
	}
	return English
}

// say gives the text of the screen's language.
func (s Screen) say(english, portuguese string) string {
	if s.Language == Portuguese {
		return portuguese
	}
	return english
}

const none = "–"

// number writes a number with so many decimals and groups of thousands.
func (s Screen) number(v float64, decimals int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return none
	}
	text := strconv.FormatFloat(math.Abs(v), 'f', decimals, 64)
	whole, part, _ := strings.Cut(text, ".")
	point, group := ".", ","
	if s.Language == Portuguese {
		point, group = ",", "."
	}
	var b strings.Builder
	if v < 0 && strings.Trim(text, "0.") != "" {
		b.WriteByte('-')
	}
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(group)
		}
		b.WriteRune(digit)
	}
	if part != "" {
		b.WriteString(point + part)
	}
	return b.String()
}

// words are what the service calls states, in Portuguese. English readers get its own.
var words = map[string]string{
	"healthy": "saudável", "degraded": "degradado", "critical": "crítico", "recovering": "iniciando",
	"warning": "aviso", "info": "nota",
	"running": "funcionando", "retrying": "repetindo", "paused": "pausado", "stopped": "parado",
	"llm": "modelo", "retriever": "busca", "tool": "ferramenta", "chain": "cadeia", "agent": "agente", "other": "span",
	"reranker": "reordenador", "parser": "analisador", "guardrail": "guarda", "evaluator": "avaliador",
}

// named is a clean name of the service's in the reader's language; itself where there is none.
func (s Screen) named(code string) string {
	if word, ok := words[code]; ok && s.Language == Portuguese {
		return word
	}
	return Clean(code)
}

// short writes a large number in few columns: 37.7K, 1.2M.
func (s Screen) short(v float64) string {
	units := []string{"", "K", "M", "G"}
	i := 0
	for math.Abs(v) >= 1000 && i < len(units)-1 {
		v /= 1000
		i++
	}
	if i == 0 {
		return s.number(v, 0)
	}
	return s.number(v, 1) + units[i]
}

// ms writes a time of milliseconds; nil is unknown.
func (s Screen) ms(v *float64) string {
	switch {
	case v == nil:
		return none
	case *v < 1000:
		return s.number(*v, 0) + " ms"
	}
	return s.number(*v/1000, 2) + " s"
}

func (s Screen) percent(ratio *float64) string {
	if ratio == nil {
		return none
	}
	return s.number(*ratio*100, 1) + " %"
}

// amount writes an amount of money with the decimals that it needs.
func (s Screen) amount(v float64) string {
	decimals := 2
	switch a := math.Abs(v); {
	case a == 0 || a >= 1:
	case a >= 0.01:
		decimals = 4
	default:
		decimals = 6
	}
	return s.number(v, decimals)
}

func currencySign(currency string) string {
	if currency == "USD" || currency == "" {
		return "US$"
	}
	return currency
}

func (s Screen) money(v float64, currency string) string {
	return currencySign(currency) + " " + s.amount(v)
}

// span writes a longer time: 45 s, 3 min, 5 h, 2 d.
func (s Screen) span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return s.number(math.Floor(d.Seconds()), 0) + " s"
	case d < time.Hour:
		return s.number(math.Floor(d.Minutes()), 0) + " min"
	case d < 48*time.Hour:
		return s.number(math.Floor(d.Hours()), 0) + " h"
	}
	return s.number(math.Floor(d.Hours()/24), 0) + " d"
}
