package export

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// maxReason bounds what of an error is kept in words, in bytes.
const maxReason = 512

// partialSuccess reads the partial_success of an ExportTraceServiceResponse. An
// answer that is none, whatever it is, says nothing: the status was a success.
func partialSuccess(contentType string, content []byte) (rejected int64, message string) {
	if isJSON(contentType) {
		var answer struct {
			PartialSuccess struct {
				RejectedSpans json.RawMessage `json:"rejectedSpans"`
				ErrorMessage  string          `json:"errorMessage"`
			} `json:"partialSuccess"`
		}
		if json.Unmarshal(content, &answer) != nil {
			return 0, ""
		}
		n, _ := strconv.ParseInt(strings.Trim(string(answer.PartialSuccess.RejectedSpans), `"`), 10, 64)
		return max(0, n), answer.PartialSuccess.ErrorMessage
	}
	if eachField(content, 0, nil) != nil {
		return 0, ""
	}
	partial := lastField(content, 1)
	for b := partial; len(b) > 0; {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return 0, ""
		}
		m := protowire.ConsumeFieldValue(number, kind, b[n:])
		if m < 0 {
			return 0, ""
		}
		if number == 1 && kind == protowire.VarintType {
			v, _ := protowire.ConsumeVarint(b[n:])
			rejected = max(0, int64(v))
		}
		b = b[n+m:]
	}
	return rejected, string(lastField(partial, 2))
}

func partialReason(rejected int64, message string) string {
	if rejected == 0 {
		return "the sink warns: " + message
	}
	return strings.TrimSuffix(fmt.Sprintf("the sink rejected %d spans: %s", rejected, message), ": ")
}

// errorReason says in words what a sink answered: the status and, where it can
// be read, the message of a google.rpc.Status, or the text.
func errorReason(answer *http.Response, content []byte) string {
	reason := "HTTP " + strconv.Itoa(answer.StatusCode)
	if text := http.StatusText(answer.StatusCode); text != "" {
		reason += " " + text
	}
	contentType, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	message := string(content)
	switch {
	case contentType == "application/x-protobuf":
		message = ""
		if eachField(content, 0, nil) == nil {
			message = string(lastField(content, 2))
		}
	case isJSON(contentType):
		message = jsonMessage(content)
	}
	if message = strings.TrimSpace(message); message != "" {
		reason += ": " + message
	}
	return reason
}

// jsonMessage gives the message of a JSON error in the usual spellings, else the
// document.
func jsonMessage(content []byte) string {
	var document map[string]any
	if json.Unmarshal(content, &document) == nil {
		for _, key := range []string{"message", "detail", "error"} {
			if text, ok := document[key].(string); ok && text != "" {
				return text
			}
		}
	}
	return string(content)
}

func isJSON(contentType string) bool {
	return strings.HasPrefix(contentType, "application/json") || strings.Contains(contentType, "+json")
}

// scrubber keeps secrets out of what others say about us: a backend may repeat
// a key that it refuses.
type scrubber struct{ secrets []string }

// hide adds a secret, and the parts that a scheme word ("Bearer …") sets off.
func (s *scrubber) hide(secret string) {
	for _, text := range append(strings.Fields(secret), secret) {
		if len(text) >= 4 && !slices.Contains(s.secrets, text) &&
			!strings.EqualFold(text, "bearer") && !strings.EqualFold(text, "basic") {
			s.secrets = append(s.secrets, text)
		}
	}
	slices.SortFunc(s.secrets, func(a, b string) int { return len(b) - len(a) })
}

// scrub gives printable text of at most maxReason bytes without secrets.
func (s scrubber) scrub(text string) string {
	for _, secret := range s.secrets {
		text = strings.ReplaceAll(text, secret, "[REDACTED]")
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
	if len(text) > maxReason {
		cut := maxReason
		for !utf8.RuneStart(text[cut]) {
			cut--
		}
		text = text[:cut] + "…"
	}
	return text
}
