package config

import "time"

// Objectives say which targets and alerts there are.
type Objectives struct {
	// File is laid over the objectives of the program; "" is none.
	File string `yaml:"file"`
	// Interval is how often they are evaluated; longer windows more seldom.
	Interval Duration `yaml:"interval"`
}

func defaultObjectives() Objectives { return Objectives{Interval: Duration(15 * time.Second)} }

func (v *checker) objectives(o *Objectives) {
	v.no(o.Interval < Duration(time.Second) || o.Interval > Duration(2*time.Minute), "objectives.interval", "must be within 1s and 2m")
}
