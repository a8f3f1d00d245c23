package bench

import "slices"

// A verdict is what a number's arrival means.
type verdict int

const (
	inOrder   verdict = iota
	late              // behind a later one
	duplicate         // not the first time
)

// A ledger says which numbers of a sender, counted from 0, have come. It takes room
// for what is missing, not for what there is.
type ledger struct {
	next uint32 // the least number above all that have come
	gaps []gap  // below next, in order
	seen int    // numbers that have come, each once
}

// A gap is missing numbers, from first to before end.
type gap struct{ first, end uint32 }

// take notes a number.
func (l *ledger) take(seq uint32) verdict {
	switch {
	case seq == l.next:
		l.next++
	case seq > l.next:
		l.gaps = append(l.gaps, gap{l.next, seq})
		l.next = seq + 1
	default:
		if !l.fill(seq) {
			return duplicate
		}
		l.seen++
		return late
	}
	l.seen++
	return inOrder
}

// fill takes a number out of the gap that it is in.
func (l *ledger) fill(seq uint32) bool {
	i, _ := slices.BinarySearchFunc(l.gaps, seq, func(g gap, seq uint32) int {
		switch {
		case g.end <= seq:
			return -1
		case g.first > seq:
			return 1
		}
		return 0
	})
	if i == len(l.gaps) || l.gaps[i].first > seq {
		return false
	}
	g := l.gaps[i]
	switch {
	case g.first == seq && g.end == seq+1:
		l.gaps = slices.Delete(l.gaps, i, i+1)
	case g.first == seq:
		l.gaps[i].first++
	case g.end == seq+1:
		l.gaps[i].end--
	default:
		l.gaps[i].end = seq
		l.gaps = slices.Insert(l.gaps, i+1, gap{seq + 1, g.end})
	}
	return true
}
