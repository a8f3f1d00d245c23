package redisadapter

import (
	"context"
	"errors"
	"time"

	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/link"
)

// How much is published in one go: enough that a burst costs a few writes, little
// enough that Redis answers within the time that it is given.
const (
	batchMessages = 512
	batchBytes    = 1 << 20
)

// publish publishes what is queued, in its order. One batch is on its way at a
// time; what is not answered is not sent again, since it may have been published.
func (l *line) publish() {
	defer close(l.flushed)
	var batch []outgoing
	pause := minPause
	var settled time.Time // the upSince for which others have been waited for
	for {
		if !l.due() {
			return
		}
		if since, again, err := l.listening(); err == nil && again && since != settled {
			l.together(since)
			settled = since
		}
		l.queue.expire(time.Now().Add(-l.config.maxAge))
		if batch = l.queue.take(batch[:0], batchMessages, batchBytes); len(batch) == 0 {
			continue
		}
		again, err := l.send(batch)
		if err == nil {
			pause = minPause
			continue
		}
		l.queue.putBack(again)
		select {
		case <-time.After(pause):
		case <-l.closing:
			return
		}
		pause = min(2*pause, maxPause)
	}
}

// due waits until there is something to be published and somewhere to publish it.
// It reports false when that is not waited for any more.
func (l *line) due() bool {
	for {
		oldest := l.queue.expire(time.Now().Add(-l.config.maxAge))
		_, _, err := l.listening()
		if err == nil && !oldest.IsZero() {
			return true
		}
		var probe <-chan time.Time
		if err == nil && l.mayAnswerAgain() {
			probe = time.After(maxPause)
		}
		select { // what is there goes out before the line is closed, if it can
		case <-l.closing:
			return false
		default:
		}
		var expiry <-chan time.Time
		if !oldest.IsZero() {
			expiry = time.After(time.Until(oldest.Add(l.config.maxAge)) + time.Millisecond)
		}
		select {
		case <-l.queue.wake:
		case <-expiry:
		case <-probe:
			l.probe()
		case <-l.closing:
		}
	}
}

// mayAnswerAgain reports whether the last batch has failed in a way that passes.
func (l *line) mayAnswerAgain() bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.failing != nil && !errors.Is(l.failing, link.ErrRefused)
}

// probe asks Redis something, by the connection that publishes: an instance with
// nothing to publish would not find out that it could again, and one that says it
// cannot is given no clients who would have it publish.
func (l *line) probe() {
	n := l.anyNode()
	if n == nil {
		return
	}
	ctx, cancel := context.WithTimeout(l.ctx, l.config.publishTimeout)
	defer cancel()
	if _, err := l.driver.NumSub(ctx, n.counted); err == nil {
		l.outcome(nil)
	}
}

// together waits, after a reconnection, for the other instances to be back as
// well: what is published before does not reach them. It does not wait long.
func (l *line) together(since time.Time) {
	for time.Since(since) < l.config.maxAge/2 {
		n := l.anyNode()
		if n == nil || n.known.Load() <= 1 {
			return
		}
		ctx, cancel := context.WithTimeout(l.ctx, l.config.publishTimeout)
		count, err := l.driver.NumSub(ctx, n.counted)
		cancel()
		if err != nil || count >= int(n.known.Load()) {
			return
		}
		select {
		case <-time.After(minPause):
		case <-l.closing:
			return
		}
	}
}

func (l *line) anyNode() *node {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, r := range l.routes {
		return r.node
	}
	return nil
}

// send publishes a batch and returns what of it may be tried again.
func (l *line) send(batch []outgoing) (again []outgoing, err error) {
	messages := make([]link.Outgoing, len(batch))
	for i := range batch {
		messages[i] = batch[i].Outgoing
	}
	ctx, cancel := context.WithTimeout(l.ctx, l.config.publishTimeout)
	outcomes, err := l.driver.Publish(ctx, messages)
	cancel()
	counts := &l.cluster.counts
	again = batch[:0]
	var published, unanswered, refused uint64
	for i, o := range outcomes {
		if told := batch[i].told; told != nil && o != link.Unsent {
			told(o)
		}
		switch o {
		case link.Unsent:
			again = append(again, batch[i])
		case link.Unanswered:
			unanswered++
		case link.Refused:
			refused++
		default:
			published++
		}
	}
	clear(batch[len(again):])
	counts.published.Add(published)
	counts.unanswered.Add(unanswered)
	counts.refused.Add(refused)
	l.outcome(err)
	return again, err
}

// outcome remembers how the last batch went, which is part of the state while the
// line is up; else that it is not says all, and what failed before it is again says
// nothing.
func (l *line) outcome(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.up || errors.Is(err, context.Canceled) { // by Close
		return
	}
	was := l.failing
	l.failing = err
	switch {
	case err != nil && was == nil:
		l.tell(false, err, "cannot publish to the other instances; own clients are served")
	case err == nil && was != nil:
		l.tell(true, nil, "can publish to the other instances again")
	}
}
