package instrument

// The names of the instruments of the process.
const (
	PipelineRequests   = "treq.pipeline.requests"
	PipelineReceived   = "treq.pipeline.received"
	PipelineBytes      = "treq.pipeline.received.bytes"
	PipelineRefused    = "treq.pipeline.refused"
	PipelineForwarded  = "treq.pipeline.forwarded"
	PipelineDropped    = "treq.pipeline.dropped"
	PipelineRetried    = "treq.pipeline.retried"
	PipelineQueueSpans = "treq.pipeline.queue.spans"
	PipelineQueueBytes = "treq.pipeline.queue.bytes"
	PipelineQueueAge   = "treq.pipeline.queue.age"
	PipelineOpen       = "treq.pipeline.open"
	AlertNotifications = "treq.alert.notifications"
	AlertWaiting       = "treq.alert.waiting"
	AlertWaitingAge    = "treq.alert.waiting.age"
	RunsRunning        = "treq.runs.running"
	RunsBytes          = "treq.runs.running.bytes"
	RunsSpans          = "treq.runs.spans"
	RunsUnended        = "treq.runs.unended"
	RunsRepeated       = "treq.runs.repeated"
	JournalBytes       = "treq.journal.bytes"
	JournalUnread      = "treq.journal.unread.bytes"
	JournalLimit       = "treq.journal.limit.bytes"
	JournalRoom        = "treq.journal.room.bytes"
	ProcessCPUTime     = "process.cpu.time"
	ProcessMemory      = "process.memory.usage"
	ProcessThreads     = "process.thread.count"
	ProcessUptime      = "process.uptime"
	SystemAvailable    = "system.memory.linux.available"
)

func processTable() []Definition {
	door := []string{AttrDoor, AttrSignal}
	sink, receiver := []string{AttrSink}, []string{AttrReceiver}
	table := []Definition{
		{Name: PipelineRequests, Kind: ObservableCounter, Unit: "{request}", Attributes: door, Description: "Requests that a door took."},
		{Name: PipelineReceived, Kind: ObservableCounter, Unit: "{item}", Attributes: door, Description: "Spans, data points and log records that a door took."},
		{Name: PipelineBytes, Kind: ObservableCounter, Unit: "By", Attributes: door, Description: "Bytes that a door took, as sent."},
		{Name: PipelineRefused, Kind: ObservableCounter, Unit: "{request}", Attributes: []string{AttrDoor, AttrReason}, Description: "Requests that a door refused."},
		{Name: PipelineForwarded, Kind: ObservableCounter, Unit: "{span}", Attributes: sink, Description: "Spans that a sink accepted."},
		{Name: PipelineDropped, Kind: ObservableCounter, Unit: "{span}", Attributes: []string{AttrSink, AttrReason}, Description: "Spans that a sink will not get."},
		{Name: PipelineRetried, Kind: ObservableCounter, Unit: "{request}", Attributes: sink, Description: "Requests to a sink that were sent again."},
		{Name: PipelineQueueSpans, Kind: ObservableUpDown, Unit: "{span}", Attributes: sink, Description: "Spans that wait for a sink."},
		{Name: PipelineQueueBytes, Kind: ObservableUpDown, Unit: "By", Attributes: sink, Description: "Bytes that wait for a sink."},
		{Name: PipelineQueueAge, Kind: ObservableGauge, Unit: "s", Attributes: sink, Description: "Age of the oldest record that waits for a sink."},
		openSpans(),
		{Name: AlertNotifications, Kind: ObservableCounter, Unit: "{notification}", Attributes: []string{AttrReceiver, AttrOutcome}, Description: "Attempts to tell a receiver of alerts, since the process started. One that fails is made again, so that every success behind failures is one told late."},
		{Name: AlertWaiting, Kind: ObservableUpDown, Unit: "{alert}", Attributes: receiver, Description: "Firings and ends of alerts that a receiver is owed."},
		{Name: AlertWaitingAge, Kind: ObservableGauge, Unit: "s", Attributes: receiver, Description: "For how long the oldest of them has been owed."},
		{Name: RunsRunning, Kind: ObservableUpDown, Unit: "{run}", Description: "Native runs that go on: begun, and their end has not come."},
		{Name: RunsBytes, Kind: ObservableUpDown, Unit: "By", Description: "Memory of native runs that go on."},
		{Name: RunsSpans, Kind: ObservableCounter, Unit: "{span}", Description: "Spans that native runs became."},
		{Name: RunsUnended, Kind: ObservableCounter, Unit: "{run}", Attributes: []string{AttrReason}, Description: "Native runs that were not told whole: timed_out (no end came), evicted (no room to wait), orphan (no beginning came)."},
		{Name: RunsRepeated, Kind: ObservableCounter, Unit: "{item}", Description: "Told again of native runs that had become spans."},
		{Name: JournalBytes, Kind: ObservableUpDown, Unit: "By", Description: "Bytes of the journal on disk."},
		{Name: JournalUnread, Kind: ObservableUpDown, Unit: "By", Description: "Bytes of the journal that were not counted yet."},
		{Name: JournalLimit, Kind: ObservableUpDown, Unit: "By", Description: "Bytes that the journal may have on disk."},
		{Name: JournalRoom, Kind: ObservableUpDown, Unit: "By", Description: "Bytes that the journal can take before it refuses, after all that may expire has."},
		{Name: ProcessCPUTime, Kind: ObservableFloatCounter, Unit: "s", Attributes: []string{AttrCPUMode}, Description: "CPU time of this process."},
		{Name: ProcessMemory, Kind: ObservableUpDown, Unit: "By", Description: "Resident memory of this process."},
		{Name: ProcessThreads, Kind: ObservableUpDown, Unit: "{thread}", Description: "Operating system threads of this process."},
		{Name: ProcessUptime, Kind: ObservableGauge, Unit: "s", Description: "Time since this process started."},
		{Name: SystemAvailable, Kind: ObservableUpDown, Unit: "By", Description: "Memory of the machine that can be had without swapping."},
	}
	for i := range table {
		table[i].Scope = ProcessScope
	}
	return table
}

// openSpans is told by the meter with its own instruments, so that the two agree.
func openSpans() Definition {
	return Definition{
		Name: PipelineOpen, Kind: ObservableUpDown, Unit: "{span}", Scope: ProcessScope,
		Description: "Spans that were read and wait for the rest of their trace.",
	}
}
