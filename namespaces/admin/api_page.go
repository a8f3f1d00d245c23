package admin

import "slices"

// A socketPage is what an answer has of all sockets that are added: the first so many
// after a cursor. It holds about twice as many, however many are added.
type socketPage struct {
	limit int
	after *socketKey // nil: from the beginning
	total int        // that were added
	list  []foundSocket
}

func (p *socketPage) add(s foundSocket) {
	p.total++
	if p.after != nil && p.after.compare(s.key()) >= 0 {
		return
	}
	p.list = append(p.list, s)
	if len(p.list) >= 2*(p.limit+1) {
		p.cut()
	}
}

// cut leaves the first, in their order, and one more if there is one.
func (p *socketPage) cut() {
	slices.SortFunc(p.list, func(a, b foundSocket) int { return a.key().compare(b.key()) })
	n := min(len(p.list), p.limit+1)
	clear(p.list[n:])
	p.list = p.list[:n]
}

// sockets are those of the page, in their order, and whether there are more.
func (p *socketPage) sockets() (list []foundSocket, more bool) {
	p.cut()
	return p.list[:min(len(p.list), p.limit)], len(p.list) > p.limit
}
