package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/seed3686fee0/parlor/cmd/parlor/internal/bench"
	"github.com/seed3686fee0/parlor/cmd/parlor/internal/config"
)

// errFlawed is a load of which something was wrong. Its report has been printed.
var errFlawed = errors.New("not all is well")

// runBench puts a load on a server, shows how it goes on stderr, and reports.
func runBench(command *config.Bench, stdout, stderr io.Writer) error {
	opts, err := benchOptions(command)
	if err != nil {
		return err
	}
	view := bench.NewView(stderr)
	opts.Progress = view.Show
	ctx, stop := withSignals(context.Background(), os.Exit)
	defer stop()
	report, err := bench.Run(ctx, opts)
	view.Close()
	if err != nil {
		if wrong, ok := errors.AsType[*bench.OptionError](err); ok {
			return &config.Error{Flag: "--" + wrong.Option, Problem: wrong.Problem}
		}
		return err
	}
	if command.HTML != "" {
		var page bytes.Buffer
		if err := report.WriteHTML(&page); err != nil {
			return err
		}
		if err := os.WriteFile(command.HTML, page.Bytes(), 0o644); err != nil { //nolint:gosec // it is there to be shown
			return fmt.Errorf("cannot write the report: %w", err)
		}
	}
	write := report.WriteText
	if command.JSON {
		write = report.WriteJSON
	}
	if err := write(stdout); err != nil {
		return err
	}
	if flaws := report.Flawed(); flaws != "" {
		return fmt.Errorf("%w: %s", errFlawed, flaws)
	}
	return nil
}

func benchOptions(c *config.Bench) (bench.Options, error) {
	opts := bench.Options{
		Targets: c.Targets, Namespace: c.Namespace, Transport: bench.Transport(c.Transport), Header: c.Headers, Auth: c.Credentials,
		Load: bench.Load(c.Load), Connections: c.Connections, Senders: c.Senders, Rooms: c.Rooms,
		Dialing: c.Dialing, ConnectRate: c.ConnectRate, From: c.From,
		Rate: c.Rate, Count: c.Count, Duration: c.Duration, Settle: c.Settle, Timeout: c.Timeout,
		Join: c.Join, JoinPayload: c.JoinPayload, JoinAck: c.JoinAck,
		Event: c.Event, Payload: c.Payload, Expect: c.Expect, Size: c.Size,
		PIDs: c.PID, Metrics: c.MetricsURL, Version: versionLine(),
	}
	if c.CAFile != "" {
		text, _, err := readAdminFile("ca-file", "", c.CAFile, false)
		if err != nil {
			return opts, err
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(text) {
			return opts, &config.Error{Flag: "--ca-file", Problem: fmt.Sprintf("%q holds no certificate; it is to be PEM, with BEGIN CERTIFICATE in it", c.CAFile)}
		}
		opts.TLS = &tls.Config{RootCAs: roots}
	}
	if c.Insecure {
		opts.TLS = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // it is what was asked for
	}
	return opts, nil
}
