package admincli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed3686fee0/parlor/cmd/parlor/internal/printable"
	"github.com/seed3686fee0/parlor/namespaces/admin/adminapi"
)

// ErrPartial is that what was printed is not all: some servers did not answer.
var ErrPartial = errors.New("the answer is not complete")

// partial is the error of an answer that some servers have no part in.
func partial(reach adminapi.Reach, what string) error {
	switch reach.Missing {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("%w: 1 server did not answer in time, and %s", ErrPartial, what)
	}
	return fmt.Errorf("%w: %d servers did not answer in time, and %s", ErrPartial, reach.Missing, what)
}

const notCounted = "its sockets are not counted"

// An Output is where answers go: what was asked for to Out, remarks to Remarks.
type Output struct {
	Out, Remarks io.Writer
	JSON         bool
}

func (o Output) remarkf(format string, args ...any) {
	_, _ = fmt.Fprintf(o.Remarks, format+"\n", args...) // there is nowhere else to say it
}

// pageSize is how much is asked for at a time.
const pageSize = 1000

// A Listing is how much of a list is wanted: Limit rows, or with All every one.
type Listing struct {
	Limit int
	All   bool
}

// pages asks for a list page by page, as far as it is wanted.
func (l Listing) pages(query url.Values, page func(query url.Values) (rows int, next string, err error)) error {
	left := l.Limit
	for {
		ask := pageSize
		if !l.All {
			ask = min(left, pageSize)
		}
		query.Set("limit", strconv.Itoa(ask))
		rows, next, err := page(query)
		if left -= rows; err != nil || next == "" || !l.All && left <= 0 {
			return err
		}
		query.Set("cursor", next)
	}
}

func (l Listing) remark(o Output, shown, total int, what string) {
	if shown < total {
		o.remarkf("%d of %s; --limit or --all shows more", shown, count(total, what))
		return
	}
	o.remarkf("%s", count(total, what))
}

// Sockets lists sockets that match: query has the parameters of the API.
func (c *Client) Sockets(ctx context.Context, query url.Values, l Listing, o Output) error {
	all := adminapi.Sockets{Sockets: []adminapi.Socket{}}
	err := l.pages(query, func(query url.Values) (int, string, error) {
		var page adminapi.Sockets
		err := c.get(ctx, "sockets", query, &page)
		all.Sockets = append(all.Sockets, page.Sockets...)
		all.Total, all.Next = page.Total, page.Next
		all.Missing = max(all.Missing, page.Missing)
		return len(page.Sockets), page.Next, err
	})
	if err != nil {
		return err
	}
	missing := partial(all.Reach, "its sockets are not in the list")
	if o.JSON {
		return cmp.Or(writeJSON(o.Out, all), missing)
	}
	rows := [][]string{{"ID", "NAMESPACE", "USER", "NAME", "TRANSPORT", "ADDRESS", "AGE", "ROOMS"}}
	for _, s := range all.Sockets {
		rows = append(rows, []string{
			orNone(s.ID), orNone(s.Namespace), orNone(s.User), orNone(s.Name), orNone(s.Transport), orNone(s.Address),
			span(time.Since(s.Connected)), orNone(strings.Join(s.Rooms, ", ")),
		})
	}
	if len(all.Sockets) > 0 {
		if err := table(o.Out, rows); err != nil {
			return err
		}
	}
	l.remark(o, len(all.Sockets), all.Total, "socket")
	return missing
}

// Rooms lists rooms.
func (c *Client) Rooms(ctx context.Context, query url.Values, l Listing, o Output) error {
	all := adminapi.Rooms{Rooms: []adminapi.Room{}}
	err := l.pages(query, func(query url.Values) (int, string, error) {
		var page adminapi.Rooms
		err := c.get(ctx, "rooms", query, &page)
		all.Rooms = append(all.Rooms, page.Rooms...)
		all.Total, all.Next = page.Total, page.Next
		all.Missing = max(all.Missing, page.Missing)
		return len(page.Rooms), page.Next, err
	})
	if err != nil {
		return err
	}
	missing := partial(all.Reach, notCounted)
	if o.JSON {
		return cmp.Or(writeJSON(o.Out, all), missing)
	}
	rows := [][]string{{"NAMESPACE", "ROOM", "SOCKETS"}}
	for _, r := range all.Rooms {
		rows = append(rows, []string{orNone(r.Namespace), orNone(r.Name), strconv.Itoa(r.Sockets)})
	}
	if len(all.Rooms) > 0 {
		if err := table(o.Out, rows); err != nil {
			return err
		}
	}
	l.remark(o, len(all.Rooms), all.Total, "room")
	return missing
}

// Kick disconnects sockets.
func (c *Client) Kick(ctx context.Context, command adminapi.Disconnect, o Output) error {
	missing := notCounted
	if command.Target.User != "" || command.Target.Name != "" {
		missing = "who is connected to it still is"
	}
	return c.command(ctx, "disconnect", command, o, "%s disconnected", missing)
}

// Broadcast sends an event.
func (c *Client) Broadcast(ctx context.Context, command adminapi.Emit, o Output) error {
	return c.command(ctx, "emit", command, o, "sent to %s", notCounted)
}

func (c *Client) command(ctx context.Context, path string, body any, o Output, done, unreached string) error {
	var answer adminapi.Done
	if err := c.post(ctx, path, body, &answer); err != nil {
		return err
	}
	missing := partial(answer.Reach, unreached)
	if o.JSON {
		return cmp.Or(writeJSON(o.Out, answer), missing)
	}
	_, err := fmt.Fprintf(o.Out, done+"\n", count(answer.Sockets, "socket"))
	return cmp.Or(err, missing)
}

// Stats prints the statistics of all servers.
func (c *Client) Stats(ctx context.Context, o Output) error {
	var stats adminapi.Stats
	if err := c.get(ctx, "stats", nil, &stats); err != nil {
		return err
	}
	missing := partial(stats.Reach, "it is not in the list")
	if o.JSON {
		return cmp.Or(writeJSON(o.Out, stats), missing)
	}
	rows := [][]string{{"SERVER", "UPTIME", "CLIENTS", "POLLING", "OPENED", "CLOSED", "PACKETS IN", "PACKETS OUT", "BYTES IN", "BYTES OUT", "HEAP"}}
	row := func(s *adminapi.Server, uptime string) []string {
		return []string{
			orNone(s.ID), uptime, strconv.Itoa(s.Clients), strconv.Itoa(s.Polling),
			strconv.FormatInt(s.Opened, 10), strconv.FormatInt(s.Closed, 10),
			strconv.FormatInt(s.PacketsIn, 10), strconv.FormatInt(s.PacketsOut, 10),
			size(s.BytesIn), size(s.BytesOut), size(s.HeapBytes),
		}
	}
	sum := adminapi.Server{ID: "all"}
	sockets := map[string]int{}
	for i := range stats.Servers {
		s := &stats.Servers[i]
		rows = append(rows, row(s, span(time.Duration(s.Uptime*float64(time.Second)))))
		sum.Clients += s.Clients
		sum.Polling += s.Polling
		sum.Opened += s.Opened
		sum.Closed += s.Closed
		sum.PacketsIn += s.PacketsIn
		sum.PacketsOut += s.PacketsOut
		sum.BytesIn += s.BytesIn
		sum.BytesOut += s.BytesOut
		sum.HeapBytes += s.HeapBytes
		for _, ns := range s.Namespaces {
			sockets[ns.Name] += ns.Sockets
		}
	}
	if len(stats.Servers) > 1 {
		rows = append(rows, row(&sum, "-"))
	}
	if err := table(o.Out, rows); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(o.Out); err != nil {
		return err
	}
	names := make([]string, 0, len(sockets))
	for name := range sockets {
		names = append(names, name)
	}
	slices.Sort(names)
	rows = [][]string{{"NAMESPACE", "SOCKETS"}}
	for _, name := range names {
		rows = append(rows, []string{printable.Text(name), strconv.Itoa(sockets[name])})
	}
	return cmp.Or(table(o.Out, rows), missing)
}
