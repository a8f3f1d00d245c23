package bench

import "time"

// Progress is the state of a run, for who watches it.
type Progress struct {
	Plan   Plan
	Stage  string
	Done   float64 // of the stage, 0 to 1; less than 0 if its end is not known
	Left   time.Duration
	Sample Sample
	Failed, Dropped,
	Duplicated, OutOfOrder, Misdirected, Refused int64
	Server bool // its cost is known
	Last   bool
}

// progress tells who watches.
func (m *measurement) progress(s Sample, c counts, last bool) {
	tell := m.run.opts.Progress
	if tell == nil {
		return
	}
	p := Progress{
		Plan: m.run.opts.plan(), Stage: s.Stage, Done: -1, Sample: s, Last: last,
		Failed: int64(m.run.failures.count()), Dropped: int64(m.run.drops.count()),
		Duplicated: c.duplicates, OutOfOrder: c.late, Misdirected: c.misdirected, Refused: c.refused,
		Server: m.run.meter != nil,
	}
	at, o := m.run.stage.Load(), m.run.opts
	switch {
	case s.Stage == "connecting" && at.lasts == 0:
		p.Done = float64(s.Connected) / float64(o.Connections)
	case s.Stage == sending && o.Count > 0 && !(o.openLoop() && float64(o.Count*p.Plan.Senders)/o.Rate > o.Duration.Seconds()):
		p.Done = float64(s.Sent) / float64(o.Count*p.Plan.Senders)
	case at.lasts > 0:
		spent := m.run.now() - at.since
		p.Done, p.Left = min(1, float64(spent)/float64(at.lasts)), max(0, at.lasts-spent)
	}
	tell(p)
}
