package instrument

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"treq/telemetry"
)

func TestAdmittedStateSurvives(t *testing.T) {
	first, _ := newInstruments(t, Options{MaxValues: 3, MaxSeries: 8})
	record := func(in *Instruments, from, to int) {
		for i := from; i < to; i++ {
			in.LLMCall(llmCall(fmt.Sprintf("s%d", i%5), fmt.Sprintf("glm-%d", i%7)))
		}
	}
	record(first, 0, 20)
	saved, err := first.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	second, reader := newInstruments(t, Options{MaxValues: 3, MaxSeries: 8})
	if err := second.UnmarshalBinary(saved); err != nil {
		t.Fatal(err)
	}
	if got := collect(t, reader); len(got) > 0 {
		t.Errorf("restoring measured %v", got)
	}
	again, err := second.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(decoded(t, saved), decoded(t, again)); diff != "" {
		t.Errorf("saved again (-first +second):\n%s", diff)
	}

	// What comes next folds as it would have without the restart.
	record(first, 20, 60)
	record(second, 20, 60)
	one, _ := first.MarshalBinary()
	other, _ := second.MarshalBinary()
	if diff := cmp.Diff(decoded(t, one), decoded(t, other)); diff != "" {
		t.Errorf("after more events (-first +second):\n%s", diff)
	}
}

func decoded(t *testing.T, data []byte) (s state) {
	t.Helper()
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestUnchangedStateIsNotEncodedAgain(t *testing.T) {
	in, _ := newInstruments(t, Options{})
	in.Late(1)
	first, _ := in.MarshalBinary()
	in.Late(1)
	second, _ := in.MarshalBinary()
	if &first[0] != &second[0] {
		t.Error("nothing was admitted, yet the state was encoded anew")
	}
	in.Span(telemetry.Recorded, "", "new", 1)
	if third, _ := in.MarshalBinary(); bytes.Equal(second, third) {
		t.Error("a new service is not in the state")
	}
}

func TestBadStateIsRefusedWhole(t *testing.T) {
	for name, data := range map[string]string{
		"no JSON":          "{",
		"another version":  `{"version":2}`,
		"an unclean value": `{"version":1,"values":{"service.name":[" a"]}}`,
		"a value twice":    `{"version":1,"values":{"service.name":["a","a"]}}`,
		"an empty value":   `{"version":1,"values":{"service.name":[""]}}`,
	} {
		in, _ := newInstruments(t, Options{})
		before, _ := in.MarshalBinary()
		if err := in.UnmarshalBinary([]byte(data)); err == nil {
			t.Errorf("%s was taken", name)
		}
		if after, _ := in.MarshalBinary(); !bytes.Equal(before, after) {
			t.Errorf("%s changed the state", name)
		}
	}
}

func TestStateOfAnotherTable(t *testing.T) {
	in, reader := newInstruments(t, Options{MaxValues: 1})
	err := in.UnmarshalBinary([]byte(`{"version":1,"values":{"service.name":["unknown_service","a","b"],"gone":["x"]},"series":{
		"treq.chat.tokens":{"attributes":["service.name"],"keys":[[3],[4],[9],[3,3]]},
		"treq.chat.llm_calls":{"attributes":["other"],"keys":[[3]]},
		"gone":{"attributes":["gone"],"keys":[[2]]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	// Only one service has room now; "b" folds.
	for _, service := range []string{"a", "b"} {
		in.Chat(&telemetry.Chat{Origin: telemetry.Origin{Service: service}, Duration: time.Second, Tokens: 1})
	}
	compareOnly(t, collect(t, reader)[ChatTokens],
		one{map[string]string{AttrService: "a"}, 1, 0}, one{map[string]string{AttrService: Other}, 1, 0})
}

func compareOnly(t *testing.T, got []one, want ...one) {
	t.Helper()
	compare(t, map[string][]one{"": want}, map[string][]one{"": got})
}
