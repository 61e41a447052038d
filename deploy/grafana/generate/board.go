package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

type language string

const (
	portuguese language = "pt-BR"
	english    language = "en"
)

// text is what a person reads, in both languages.
type text struct{ pt, en string }

func (t text) in(l language) string {
	if l == portuguese {
		return t.pt
	}
	return t.en
}

// board is a dashboard. Its uid never changes: links and bookmarks hold it.
type board struct {
	uid    string
	title  text
	about  text
	panels []panel
}

// panel shows one number, or its course where it is no single number.
type panel struct {
	title, about text
	unit         string
	// single shows the newest value in large type.
	single bool
	// width is of 24 columns.
	width uint32
	// target colours the value: above it red when below is wanted, and the reverse.
	target *target
	stack  bool
	// max is the end of the axis, 0 for none.
	max     float64
	queries []query
}

type target struct {
	value float64
	above bool // values above are good
}

func below(v float64) *target { return &target{v, false} }
func above(v float64) *target { return &target{v, true} }

type query struct {
	expr   string
	legend text
}

// one is the only query of a panel.
func one(expr string) []query { return []query{{expr: expr}} }

// by is a query whose series are named by a label.
func by(label, expr string) query {
	name := "{{" + label + "}}"
	return query{expr, text{name, name}}
}

// source is the data source that the reader chooses.
func source() common.DataSourceRef {
	kind, uid := "prometheus", "${datasource}"
	return common.DataSourceRef{Type: &kind, Uid: &uid}
}

func (b board) build(l language) (dashboard.Dashboard, error) {
	names := "label_values(treq_chat_duration_seconds_count, service_name)"
	d := dashboard.NewDashboardBuilder(b.title.in(l)).
		Uid(b.uid).Description(b.about.in(l)).Tags([]string{"treq"}).
		Time("now-6h", "now").Refresh("30s").Timezone("browser").Tooltip(dashboard.DashboardCursorSyncCrosshair).
		Link(dashboard.NewDashboardLinkBuilder("Treq").Type(dashboard.DashboardLinkTypeDashboards).Tags([]string{"treq"}).KeepTime(true).IncludeVars(true)).
		WithVariable(dashboard.NewDatasourceVariableBuilder("datasource").
			Label(text{"Fonte de dados", "Data source"}.in(l)).Type("prometheus")).
		WithVariable(dashboard.NewQueryVariableBuilder("service").
			Label(text{"Serviço", "Service"}.in(l)).Datasource(source()).
			Query(dashboard.StringOrMap{String: &names}).Refresh(dashboard.VariableRefreshOnTimeRangeChanged).
			Multi(true).IncludeAll(true).AllValue(".*"))
	for _, p := range b.panels {
		d.WithPanel(p.build(l))
	}
	return d.Build()
}

const (
	singleHeight = 4
	courseHeight = 8
)

func (p panel) build(l language) cog.Builder[dashboard.Panel] {
	if p.single {
		b := stat.NewPanelBuilder().Title(p.title.in(l)).Description(p.about.in(l)).Unit(p.unit).
			Datasource(source()).Height(singleHeight).Span(p.width).Thresholds(p.thresholds()).
			ReduceOptions(common.NewReduceDataOptionsBuilder().Calcs([]string{"lastNotNull"})).
			GraphMode(common.BigValueGraphModeArea).ColorMode(common.BigValueColorModeValue).
			NoValue(text{"sem dados", "no data"}.in(l))
		for _, q := range p.targets(l) {
			b.WithTarget(q)
		}
		return b
	}
	b := timeseries.NewPanelBuilder().Title(p.title.in(l)).Description(p.about.in(l)).Unit(p.unit).
		Datasource(source()).Height(courseHeight).Span(p.width).Min(0).LineWidth(1).FillOpacity(10).
		NoValue(text{"sem dados", "no data"}.in(l)).
		Legend(common.NewVizLegendOptionsBuilder().DisplayMode(common.LegendDisplayModeList).Placement(common.LegendPlacementBottom).ShowLegend(true)).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti))
	if p.max != 0 {
		b.Max(p.max)
	}
	if p.stack {
		b.FillOpacity(40).Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal))
	}
	if p.target != nil {
		b.Thresholds(p.thresholds()).
			ThresholdsStyle(common.NewGraphThresholdsStyleConfigBuilder().Mode(common.GraphThresholdsStyleModeDashed))
	}
	for _, q := range p.targets(l) {
		b.WithTarget(q)
	}
	return b
}

func (p panel) targets(l language) (out []*prometheus.DataqueryBuilder) {
	for i, q := range p.queries {
		b := prometheus.NewDataqueryBuilder().Expr(q.expr).Datasource(source()).RefId(string(rune('A' + i))).Range()
		if legend := q.legend.in(l); legend != "" {
			b.LegendFormat(legend)
		} else {
			b.LegendFormat(p.title.in(l))
		}
		out = append(out, b)
	}
	return out
}

func (p panel) thresholds() *dashboard.ThresholdsConfigBuilder {
	steps := []dashboard.Threshold{{Color: "text"}}
	if t := p.target; t != nil {
		low, high := "green", "red"
		if t.above {
			low, high = high, low
		}
		steps = []dashboard.Threshold{{Color: low}, {Value: &t.value, Color: high}}
	}
	return dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps(steps)
}
