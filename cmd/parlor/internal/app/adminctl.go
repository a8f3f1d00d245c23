package app

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"strings"

	"github.com/seed3686fee0/parlor/cmd/parlor/internal/admincli"
	"github.com/seed3686fee0/parlor/cmd/parlor/internal/config"
	"github.com/seed3686fee0/parlor/namespaces/admin/adminapi"
)

// runAdmin runs a command of `parlor admin` that asks a server, until it has its
// answer or is interrupted.
func runAdmin(command config.Command, stdin io.Reader, stdout, stderr io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	with := func(server *config.AdminServer, do func(*admincli.Client, admincli.Output) error) error {
		client, err := openAdminClient(ctx, server, stdin, stderr)
		if err != nil {
			return err
		}
		defer client.Close()
		return do(client, admincli.Output{Out: stdout, Remarks: stderr, JSON: server.JSON})
	}
	switch command := command.(type) {
	case *config.AdminSockets:
		return with(&command.AdminServer, func(c *admincli.Client, o admincli.Output) error {
			return c.Sockets(ctx, command.Query, admincli.Listing(command.Listing), o)
		})
	case *config.AdminRooms:
		return with(&command.AdminServer, func(c *admincli.Client, o admincli.Output) error {
			query := url.Values{}
			for name, value := range map[string]string{"namespace": command.Namespace, "prefix": command.Prefix} {
				if value != "" {
					query.Set(name, value)
				}
			}
			return c.Rooms(ctx, query, admincli.Listing(command.Listing), o)
		})
	case *config.AdminKick:
		return with(&command.AdminServer, func(c *admincli.Client, o admincli.Output) error {
			body := adminapi.Disconnect{Namespace: command.Namespace, Close: command.Close}
			switch command.Kind {
			case "socket":
				body.Target.Socket = command.Value
			case "user":
				body.Target.User = command.Value
			case "name":
				body.Target.Name = command.Value
			case "room":
				body.Target.Room = command.Value
			case "all":
				body.Target.All = true
			}
			return c.Kick(ctx, body, o)
		})
	case *config.AdminBroadcast:
		body := adminapi.Emit{Namespace: command.Namespace, Event: command.Event}
		body.Target = adminapi.Target{Room: command.Room, All: command.Room == ""}
		for _, arg := range command.Args {
			if !json.Valid([]byte(arg)) {
				return &config.Error{Problem: fmt.Sprintf("the argument %q is not JSON; a text has quotes of its own, as in '\"hello\"'", arg)}
			}
			body.Args = append(body.Args, json.RawMessage(arg))
		}
		return with(&command.AdminServer, func(c *admincli.Client, o admincli.Output) error { return c.Broadcast(ctx, body, o) })
	case *config.AdminStats:
		return with(&command.AdminServer, func(c *admincli.Client, o admincli.Output) error { return c.Stats(ctx, o) })
	}
	return fmt.Errorf("there is no such command: %T", command)
}

// openAdminClient reads what the flags name, and asks for a password if need be.
func openAdminClient(ctx context.Context, server *config.AdminServer, stdin io.Reader, stderr io.Writer) (*admincli.Client, error) {
	opts := admincli.Options{URL: server.URL, Timeout: server.Timeout}
	var err error
	switch {
	case server.TokenFile != "":
		opts.Token, err = readAdminSecret("token-file", "PARLOR_ADMIN_TOKEN_FILE", server.TokenFile, stderr)
		opts.Token = strings.TrimSpace(opts.Token)
	case server.PasswordFile != "":
		opts.User = server.User
		opts.Password, err = readAdminSecret("password-file", "PARLOR_ADMIN_PASSWORD_FILE", server.PasswordFile, stderr)
	case server.User != "":
		opts.User = server.User
		opts.Password, err = askPassword(ctx, stdin, stderr)
	}
	if err != nil {
		return nil, err
	}
	if server.CAFile != "" {
		text, _, err := readAdminFile("ca-file", "PARLOR_ADMIN_CA_FILE", server.CAFile, false)
		if err != nil {
			return nil, err
		}
		opts.Roots = x509.NewCertPool()
		if !opts.Roots.AppendCertsFromPEM(text) {
			return nil, &config.Error{Flag: "--ca-file", Env: "PARLOR_ADMIN_CA_FILE", Problem: fmt.Sprintf("%q holds no certificate; it is to be PEM, with BEGIN CERTIFICATE in it", server.CAFile)}
		}
	}
	client := admincli.NewClient(opts)
	if client.Exposed() {
		complain(stderr, fmt.Errorf("the credentials go to %s unencrypted; use https where the network is not yours alone", server.URL.Host))
	}
	return client, nil
}

// readAdminFile is readKeyFile for a flag whose variable is named otherwise.
func readAdminFile(flag, env, path string, secret bool) (content []byte, warning string, err error) {
	content, warning, err = readKeyFile(flag, path, secret)
	if wrong, ok := errors.AsType[*config.Error](err); ok {
		wrong.Env = env
	}
	return content, warning, err
}

// readAdminSecret reads a secret, blanks included: they may be part of a password.
func readAdminSecret(flag, env, path string, stderr io.Writer) (string, error) {
	content, warning, err := readAdminFile(flag, env, path, true)
	if err != nil {
		return "", err
	}
	if warning != "" {
		complain(stderr, errors.New(warning))
	}
	return string(content), nil
}

// askPassword reads the password to log in with.
func askPassword(ctx context.Context, stdin io.Reader, stderr io.Writer) (string, error) {
	password, err := readPassword(ctx, stdin, stderr)
	switch {
	case err != nil:
		return "", fmt.Errorf("cannot read the password: %w", err)
	case password == "":
		return "", errors.New("there is no password; write it to the standard input, or give --password-file (PARLOR_ADMIN_PASSWORD_FILE)")
	}
	return password, nil
}
