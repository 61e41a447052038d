package judgement

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math"
	"time"

	"treq/telemetry/otlp"
	"treq/telemetry/semconv"
)

// scope is the instrumentation scope of the records that Append makes.
const scope = "treq/feedback"

// defaultService is the service of judgements that name none.
const defaultService = "default"

// Append appends the judgement to dst as an ExportLogsServiceRequest with one log
// record, the form in which it enters the journal.
func Append(dst []byte, j *Judgement) []byte {
	service := j.Service
	if service == "" {
		service = defaultService
	}
	attributes := make([]otlp.KV, 0, 8)
	text := func(key, value string) {
		if value != "" {
			attributes = append(attributes, otlp.Str(key, value))
		}
	}
	text(semconv.TreqFeedbackID, j.ID)
	text(semconv.TreqRunID, j.RunID)
	text(semconv.TreqFeedbackKey, j.Key)
	text(semconv.TreqFeedbackSource, j.Source)
	if j.Scored {
		attributes = append(attributes, otlp.F64(semconv.TreqFeedbackScore, j.Score))
	}
	text(semconv.TreqFeedbackValue, j.Value)
	text(semconv.TreqFeedbackComment, j.Comment)
	told, correction := parted(j.Told)
	text(semconv.TreqFeedbackTold, string(told))
	text(semconv.TreqFeedbackCorrection, string(correction))
	if !j.Changed.IsZero() {
		attributes = append(attributes, otlp.I64(semconv.TreqFeedbackChanged, j.Changed.UnixNano()))
	}
	if j.Deleted {
		attributes = append(attributes, otlp.Flag(semconv.TreqFeedbackDeleted, true))
	}
	record := otlp.LogData{EventName: semconv.EventFeedback, Attributes: attributes}
	if n := j.Time.UnixNano(); n > 0 {
		record.Time, record.Observed = uint64(n), uint64(n)
	}
	return otlp.AppendLogsRequest(dst, []otlp.KV{otlp.Str(semconv.ServiceName, service)}, scope, record)
}

// correctionField is the field of Told that holds content: what people wrote.
const correctionField = "correction"

// parted takes the correction out of Told, so that whoever takes content away finds it
// by its name.
func parted(told json.RawMessage) (rest, correction json.RawMessage) {
	if !bytes.Contains(told, []byte(correctionField)) {
		return told, nil
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(told, &fields) != nil {
		return told, nil
	}
	correction = fields[correctionField]
	delete(fields, correctionField)
	rest, err := json.Marshal(fields)
	if err != nil || correction == nil {
		return told, nil
	}
	return rest, correction
}

// joined puts the correction back, unless it was taken away.
func joined(told, correction json.RawMessage) json.RawMessage {
	var fields map[string]json.RawMessage
	if !json.Valid(correction) || told != nil && json.Unmarshal(told, &fields) != nil {
		return told
	}
	if fields == nil {
		fields = map[string]json.RawMessage{}
	}
	fields[correctionField] = correction
	whole, err := json.Marshal(fields)
	if err != nil {
		return told
	}
	return whole
}

// Each tells the judgements of an ExportLogsServiceRequest in their order: records
// treq.feedback, and the evaluation results of the semantic conventions. Other
// records are passed over. The judgement is the visitor's to keep. A body that does
// not decode gives an error of kind Invalid after what came before the fault.
func Each(body []byte, see func(Judgement)) error {
	// Logs of other kinds are many, and are not worth a scan.
	if !bytes.Contains(body, []byte(semconv.EventFeedback)) && !bytes.Contains(body, []byte(semconv.EventEvaluationResult)) {
		return nil
	}
	var scanner otlp.Scanner
	return scanner.Logs(body, &visitor{see: see})
}

// visitor reads log records as judgements.
type visitor struct {
	see     func(Judgement)
	service string
}

// Resource is called by the scanner.
func (v *visitor) Resource(r *otlp.Resource) { v.service = text(r.Attributes, semconv.ServiceName) }

// Scope is called by the scanner.
func (v *visitor) Scope(*otlp.Scope) {}

// LogRecord is called by the scanner.
func (v *visitor) LogRecord(l *otlp.LogRecord) {
	j := Judgement{Service: v.service}
	if l.Time > 0 && l.Time <= math.MaxInt64 {
		j.Time = time.Unix(0, int64(l.Time)).UTC()
	}
	if s := text(l.Attributes, semconv.ServiceName); s != "" {
		j.Service = s
	}
	switch string(l.EventName) {
	case semconv.EventFeedback:
		v.feedback(&j, l)
	case semconv.EventEvaluationResult:
		v.evaluation(&j, l)
	default:
		return
	}
	if j.Key == "" {
		j.Key = DefaultKey
	}
	if j.RunID == "" && (j.Told == nil || j.ID == "") {
		return // of no run: nothing to tell a sink, nothing to show
	}
	if j.ID == "" {
		j.ID = ID(j.RunID, j.Key, j.Source)
	}
	v.see(j)
}

func (v *visitor) feedback(j *Judgement, l *otlp.LogRecord) {
	j.ID = text(l.Attributes, semconv.TreqFeedbackID)
	j.RunID = text(l.Attributes, semconv.TreqRunID)
	j.Key = text(l.Attributes, semconv.TreqFeedbackKey)
	j.Value = text(l.Attributes, semconv.TreqFeedbackValue)
	j.Comment = text(l.Attributes, semconv.TreqFeedbackComment)
	if j.Source = text(l.Attributes, semconv.TreqFeedbackSource); j.Source == "" {
		j.Source = FromAPI
	}
	if told := text(l.Attributes, semconv.TreqFeedbackTold); told != "" {
		j.Told = []byte(told)
	}
	if correction := text(l.Attributes, semconv.TreqFeedbackCorrection); correction != "" {
		j.Told = joined(j.Told, []byte(correction))
	}
	j.Score, j.Scored = score(l.Attributes, semconv.TreqFeedbackScore)
	if at, ok := find(l.Attributes, semconv.TreqFeedbackChanged); ok && at.Type == otlp.Int {
		j.Changed = time.Unix(0, int64(at.Num)).UTC()
	}
	if deleted, ok := find(l.Attributes, semconv.TreqFeedbackDeleted); ok {
		j.Deleted, _ = deleted.Truth()
	}
}

// evaluation reads a gen_ai.evaluation.result: of the span it is a child of, else of
// the answer it names.
func (v *visitor) evaluation(j *Judgement, l *otlp.LogRecord) {
	j.Source = FromOTLP
	j.Key = text(l.Attributes, semconv.GenAIEvaluationName)
	j.Value = text(l.Attributes, semconv.GenAIEvaluationLabel)
	j.Comment = text(l.Attributes, semconv.GenAIEvaluationExplanation)
	if l.TraceID != [16]byte{} {
		j.TraceID = hex.EncodeToString(l.TraceID[:])
		j.RunID = j.TraceID
	}
	if l.SpanID != [8]byte{} {
		j.SpanID = hex.EncodeToString(l.SpanID[:])
		j.RunID = Canonical(j.SpanID)
	}
	if j.RunID == "" {
		j.RunID = text(l.Attributes, semconv.GenAIResponseID)
	}
	if j.Score, j.Scored = score(l.Attributes, semconv.GenAIEvaluationScore); !j.Scored {
		j.Score, j.Scored = semconv.ScoreOfLabel([]byte(j.Value))
	}
}

func find(list []otlp.Attribute, name string) (otlp.Value, bool) {
	for i := range list {
		if string(list[i].Key) == name && list[i].Value.Type != otlp.Empty {
			return list[i].Value, true
		}
	}
	return otlp.Value{}, false
}

func text(list []otlp.Attribute, name string) string {
	if v, ok := find(list, name); ok && v.Type == otlp.String {
		return string(v.Bytes)
	}
	return ""
}

func score(list []otlp.Attribute, name string) (float64, bool) {
	v, ok := find(list, name)
	if !ok {
		return 0, false
	}
	if truth, is := v.Truth(); is {
		if truth {
			return 1, true
		}
		return 0, true
	}
	n, ok := v.Number()
	if !ok || math.IsNaN(n) || math.IsInf(n, 0) {
		return 0, false
	}
	return n, true
}
