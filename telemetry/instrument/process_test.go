package instrument

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

func TestProcessSample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := usage{user: 3, system: 1, resident: 256 << 20, available: 2 << 30, threads: 4, processStarted: time.Now().Add(-10 * time.Second)}
		var failure error
		p, err := newProcess(func() (usage, error) {
			now.at = time.Now()
			return now, failure
		})
		if err != nil {
			t.Fatal(err)
		}
		expect := func(what string, want Sample) {
			t.Helper()
			got, err := p.Sample()
			if got != want || !errors.Is(err, failure) {
				t.Errorf("%s: got %+v and %v, want %+v and %v", what, got, err, want, failure)
			}
		}
		want := Sample{CPUPercent: 40, MemoryUsageMiB: 256, MemoryAvailableMiB: 2048, Threads: 4}
		expect("over the life so far", want)

		now.user += 3
		time.Sleep(minSampleAge - time.Nanosecond)
		expect("too soon", want)

		time.Sleep(2*time.Second - minSampleAge + time.Nanosecond)
		want.CPUPercent = 150
		expect("two seconds later", want)

		failure = errors.New("no /proc")
		time.Sleep(time.Second)
		expect("when it cannot be read", want)

		failure, now.user = nil, 0
		time.Sleep(time.Second)
		want.CPUPercent = 0
		expect("when the counters went back", want)
	})
}

func TestThisProcess(t *testing.T) {
	p, err := NewProcess()
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Sample()
	if err != nil || s.CPUPercent < 0 || s.MemoryUsageMiB <= 0 || s.MemoryAvailableMiB <= 0 || s.Threads < 1 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestObserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		process, err := newProcess(func() (usage, error) {
			return usage{user: 2, system: 1, resident: 64, available: 128, threads: 7, at: time.Now(), processStarted: time.Now().Add(-time.Minute)}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		reader := sdkmetric.NewManualReader()
		provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
		registration, err := Observe(provider.Meter(ProcessScope), Sources{
			Process:  process,
			Doors:    func() []Door { return []Door{{Door: "http", Signal: "traces", Requests: 1, Items: 2, Bytes: 3}} },
			Refusals: func() []Refusal { return []Refusal{{Door: "http", Reason: "loop", Requests: 4}} },
			Sinks: func() []Sink {
				return []Sink{{Name: "langsmith", Sent: 5, Retried: 6, Dropped: []Drop{{"dead_letter", 7}}, QueueSpans: 8, QueueBytes: 9, OldestAgeSeconds: 1.5}}
			},
			Receivers: func() []Receiver {
				return []Receiver{{Name: "team", Sent: 19, Failed: 20, Waiting: 21, OldestAgeSeconds: 2.5}}
			},
			Runs: func() Runs {
				return Runs{Running: 14, Bytes: 15, Spans: 16, Repeated: 17, Unended: []Drop{{"timed_out", 18}}}
			},
			Journal: func() Journal { return Journal{Bytes: 10, Unread: 11, Limit: 12, Room: 13} },
		})
		if err != nil {
			t.Fatal(err)
		}
		door := map[string]string{AttrDoor: "http", AttrSignal: "traces"}
		sink := map[string]string{AttrSink: "langsmith"}
		receiver, none := map[string]string{AttrReceiver: "team"}, map[string]string{}
		want := map[string][]one{
			PipelineRequests: {{door, 1, 0}}, PipelineReceived: {{door, 2, 0}}, PipelineBytes: {{door, 3, 0}},
			PipelineRefused:   {{map[string]string{AttrDoor: "http", AttrReason: "loop"}, 4, 0}},
			PipelineForwarded: {{sink, 5, 0}}, PipelineRetried: {{sink, 6, 0}},
			PipelineDropped:    {{map[string]string{AttrSink: "langsmith", AttrReason: "dead_letter"}, 7, 0}},
			PipelineQueueSpans: {{sink, 8, 0}}, PipelineQueueBytes: {{sink, 9, 0}}, PipelineQueueAge: {{sink, 1, 1.5}},
			AlertNotifications: {
				{map[string]string{AttrReceiver: "team", AttrOutcome: "failure"}, 20, 0},
				{map[string]string{AttrReceiver: "team", AttrOutcome: "success"}, 19, 0},
			},
			AlertWaiting: {{receiver, 21, 0}}, AlertWaitingAge: {{receiver, 1, 2.5}},
			JournalBytes: {{none, 10, 0}}, JournalUnread: {{none, 11, 0}}, JournalLimit: {{none, 12, 0}}, JournalRoom: {{none, 13, 0}},
			RunsRunning: {{none, 14, 0}}, RunsBytes: {{none, 15, 0}}, RunsSpans: {{none, 16, 0}}, RunsRepeated: {{none, 17, 0}},
			RunsUnended:    {{map[string]string{AttrReason: "timed_out"}, 18, 0}},
			ProcessCPUTime: {{map[string]string{AttrCPUMode: "user"}, 1, 2}, {map[string]string{AttrCPUMode: "system"}, 1, 1}},
			ProcessMemory:  {{none, 64, 0}}, ProcessThreads: {{none, 7, 0}}, ProcessUptime: {{none, 1, 60}}, SystemAvailable: {{none, 128, 0}},
		}
		compare(t, want, observed(t, reader))
		for _, def := range processTable() {
			if _, ok := want[def.Name]; !ok && def.Name != PipelineOpen {
				t.Errorf("%s stands in the table and is never observed", def.Name)
			}
		}
		if err := registration.Unregister(); err != nil {
			t.Fatal(err)
		}
		compare(t, nil, observed(t, reader))
	})
}
