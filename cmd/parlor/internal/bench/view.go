package bench

import (
	"fmt"
	"io"
	"time"
)

// A View shows how a run goes.
type View struct {
	w     io.Writer
	shown time.Time
}

// NewView returns one that writes to w.
func NewView(w io.Writer) *View { return &View{w: w} }

// Show shows the state of a run.
func (v *View) Show(p Progress) {
	if time.Since(v.shown) < 5*time.Second {
		return
	}
	v.shown = time.Now()
	_, _ = fmt.Fprintf(v.w, "%6.1f s  %s: %s connected, %s sent, %s delivered (%s/s)\n", p.Sample.At, p.Stage,
		grouped(int64(p.Sample.Connected)), grouped(p.Sample.Sent), grouped(p.Sample.Delivered), grouped(int64(p.Sample.DeliveredRate)))
}

// Close ends the view.
func (v *View) Close() {}
