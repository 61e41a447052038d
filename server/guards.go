package server

import "github.com/prometheus/client_golang/prometheus"

// guards are the process's own figures on who it lets in and whether its settings
// are current. They are of the process's life.
func (s *Server) guards() []prometheus.Collector {
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	counter := func(name, help string, value func() uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(value()) })
	}
	list := []prometheus.Collector{
		gauge("treq_config_last_reload_successful", "Whether the settings were good when they were last read: 1 or 0.", func() float64 {
			if s.reloads.failed.Load() {
				return 0
			}
			return 1
		}),
		gauge("treq_config_last_reload_success_timestamp_seconds", "When the settings in force were read.", func() float64 {
			return float64(s.reloads.success.Load())
		}),
		gauge("treq_connections_open", "Connections that are open, on all doors.", func() float64 { return float64(s.gate.connections()) }),
		counter("treq_connections_refused_total", "Connections that were closed at once, for want of a place.", s.gate.refusedConnections.Load),
		counter("treq_requests_crowded_total", "Requests that were refused because their connection had too many in flight.", s.gate.refusedRequests.Load),
	}
	if s.certificates != nil {
		list = append(list, gauge("treq_tls_certificate_expiry_timestamp_seconds", "When the certificate that the doors show ends.", func() float64 {
			return float64(s.certificates.expiry().Unix())
		}))
	}
	if r := s.redaction.redactor; r != nil {
		list = append(list, redactedCounts{r})
	}
	return list
}
