package server

import (
	"treq/server/alerting"
	"treq/server/api"
	"treq/server/history"
	"treq/server/runs"
	"treq/telemetry/snapshot"
	"treq/telemetry/understand"
)

// shapes are what the documents are made of, for the description of the API.
func shapes() api.Shapes {
	return api.Shapes{
		Metrics: snapshot.Metrics{}, Summary: snapshot.Summary{}, Models: snapshot.Models{},
		Sinks: []shownSink{}, ChatEntries: []understand.EntryCount{},
		Charts: []history.Chart{}, Chart: history.ChartData{},
		KPIs: alerting.Scorecard{}, Alerts: shownAlerts{}, Telemetry: qualityDocument{},
		RunList: runs.List{}, Run: runs.Run{}, Erased: runs.Erased{}, FeedbackStatistics: judgedSoFar{}, Fleet: shownFleet{},
	}
}
