package notify

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"treq/server/alerting"
)

// style is how one receiver's messages are worded.
type style struct {
	language alerting.Language
	zone     *time.Location
	external string
	link     func(*alerting.Alert) string
}

// words give the fixed parts of messages in both languages.
type words struct {
	firing, resolved     string
	severities           map[alerting.Severity]string
	many, manyResolved   string // with two, or one, number
	since, lasted, value string
	late                 string // with two times
	again                string
	sample, sampleBody   string
	details, footer      string
}

var portuguese = words{
	firing: "Alerta", resolved: "Resolvido",
	severities:   map[alerting.Severity]string{alerting.Critical: "crítico", alerting.Warning: "aviso", alerting.Info: "informação"},
	many:         "Alertas disparados: %d · resolvidos: %d",
	manyResolved: "Alertas resolvidos: %d",
	since:        "desde", lasted: "durou", value: "valor",
	late:   "este aviso não pôde ser entregue a tempo: disparou em %s e terminou em %s",
	again:  "continua disparado",
	sample: "TESTE", sampleBody: "Mensagem de teste da Treq Telemetry: a entrega de alertas funciona. Nenhuma ação é necessária.",
	details: "Detalhes", footer: "Treq Telemetry",
}

var english = words{
	firing: "Alert", resolved: "Resolved",
	severities:   map[alerting.Severity]string{alerting.Critical: "critical", alerting.Warning: "warning", alerting.Info: "info"},
	many:         "Alerts firing: %d · resolved: %d",
	manyResolved: "Alerts resolved: %d",
	since:        "since", lasted: "lasted", value: "value",
	late:   "this could not be delivered in time: it fired at %s and ended at %s",
	again:  "still firing",
	sample: "TEST", sampleBody: "Test message of Treq Telemetry: alerts are delivered. There is nothing to do.",
	details: "Details", footer: "Treq Telemetry",
}

func (s style) words() *words {
	if s.language == alerting.English {
		return &english
	}
	return &portuguese
}

// time writes a moment as people of the language do, in the receiver's zone.
func (s style) time(t time.Time) string {
	t = t.In(s.zone)
	if s.language == alerting.English {
		return t.Format("Jan 2, 2006 15:04 MST")
	}
	return t.Format("02/01/2006 15:04 MST")
}

// number writes a value with four significant digits, its thousands apart.
func (s style) number(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case math.IsInf(v, 0):
		return strings.ReplaceAll(strconv.FormatFloat(v, 'f', -1, 64), "Inf", "∞")
	}
	decimals := 0
	if a := math.Abs(v); a > 0 && a < 1000 {
		decimals = min(6, max(0, 3-int(math.Floor(math.Log10(a)))))
	}
	text := strconv.FormatFloat(v, 'f', decimals, 64)
	whole, fraction, _ := strings.Cut(text, ".")
	fraction = strings.TrimRight(fraction, "0")
	sign := ""
	if rest, negative := strings.CutPrefix(whole, "-"); negative {
		sign, whole = "-", rest
	}
	point, comma := ",", "."
	if s.language == alerting.English {
		point, comma = ".", ","
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + comma + whole[i:]
	}
	if fraction != "" {
		whole += point + fraction
	}
	return sign + whole
}

// span writes a duration in its two largest units.
func (s style) span(d time.Duration) string {
	d = max(0, d).Round(time.Second)
	days, hours := int(d/(24*time.Hour)), int(d/time.Hour)%24
	minute, second := int(d/time.Minute)%60, int(d/time.Second)%60
	switch {
	case days > 0:
		return fmt.Sprintf("%d d %d h", days, hours)
	case hours > 0:
		return fmt.Sprintf("%d h %d min", hours, minute)
	case minute > 0:
		return fmt.Sprintf("%d min %d s", minute, second)
	}
	return fmt.Sprintf("%d s", second)
}
