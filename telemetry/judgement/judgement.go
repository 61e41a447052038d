package judgement

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/google/uuid"
)

// DefaultKey is what a judgement without a key is about: LangSmith's name for the
// thumb of a user.
const DefaultKey = "user-score"

// The sources that are told apart. LangSmith's clients may name others.
const (
	// FromAPI is a server that calls this one, or the front end behind it.
	FromAPI = "api"
	// FromBrowser is a page that showed a token bound to the run.
	FromBrowser = "browser"
	// FromModel is a model that judged, as LangSmith names it.
	FromModel = "model"
	// FromOTLP is an evaluation that came as a log record of the semantic conventions.
	FromOTLP = "otlp"
)

// Judgement is one judgement of a run. The zero value judges nothing; whoever
// holds one may copy it, but not change Told.
type Judgement struct {
	// ID is a UUID by which sinks know it: what its sender chose, else ID(RunID,
	// Key, Source), so that a changed vote takes the place of the one before.
	ID string
	// RunID is the run in whatever spelling it came: a UUID, a trace id, a span id,
	// or what a service calls its run.
	RunID string
	// TraceID and SpanID are where OpenTelemetry has it, lower-case hexadecimal; ""
	// where only RunID says so.
	TraceID, SpanID string
	// Key is what was judged, DefaultKey if not named.
	Key string
	// Source is who judged.
	Source string
	// Scored tells whether Score is known; it lies in 0..1, higher is better.
	Scored bool
	Score  float64
	// Value is a category or any other text in place of a score or beside it.
	Value   string
	Comment string
	// Service is whose run it is, "" if not known.
	Service string
	// Time is when it was made; Changed when it was changed or withdrawn last, the zero
	// time for one that never was.
	Time, Changed time.Time
	// Deleted tells that its maker withdrew it. What else it holds is what was withdrawn.
	Deleted bool
	// Told are the further fields of a judgement in LangSmith's own form, as a JSON
	// object, its score as it came among them; nil for any other.
	Told json.RawMessage
}

// space is the name space of the ids that are derived.
var space = uuid.MustParse("8f4b7a52-6a0e-5d1c-9d3b-5a1f0c2e7b64")

// ID derives the id of the judgement of a run by a source under a key, the same
// for every spelling of the run and over restarts.
func ID(run, key, source string) string {
	if key == "" {
		key = DefaultKey
	}
	return uuid.NewSHA1(space, []byte(Canonical(run)+"\x00"+key+"\x00"+source)).String()
}

// Renamed gives the judgement under another key, with the id that belongs to it.
func (j Judgement) Renamed(key string) Judgement {
	j.Key = key
	j.ID = ID(j.RunID, key, j.Source)
	return j
}

// Same tells whether two judgements of one id say the same; when and by which
// words they were sent is no difference.
func (j *Judgement) Same(o *Judgement) bool {
	return j.Deleted == o.Deleted && j.Scored == o.Scored && (!j.Scored || math.Float64bits(j.Score) == math.Float64bits(o.Score)) &&
		j.Value == o.Value && j.Comment == o.Comment
}

// Slot names what is told apart where judgements are counted: a run, a key and a
// source, of which the last judgement holds. One of no run stands for itself.
func (j *Judgement) Slot() string {
	if j.RunID == "" {
		return j.ID
	}
	return ID(j.RunID, j.Key, j.Source)
}

// Canonical gives the spelling that all spellings of a run id have in common: a
// UUID in lower case with dashes, also for a trace id; a span id stands right-aligned
// in a zero UUID, as LangSmith's clients have it. Any other text stands for itself.
func Canonical(run string) string {
	packed := strings.ReplaceAll(run, "-", "")
	var id uuid.UUID
	switch len(packed) {
	case 2 * len(id):
		if _, err := hex.Decode(id[:], []byte(packed)); err == nil {
			return id.String()
		}
	case len(id):
		if _, err := hex.Decode(id[8:], []byte(packed)); err == nil {
			return id.String()
		}
	}
	return run
}
