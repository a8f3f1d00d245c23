package config

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

// clearEnv keeps the variables of whoever runs the tests out of them.
func clearEnv(t *testing.T) {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, EnvPrefix+"_") {
			t.Setenv(name, "") // so that it is restored
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// An acceptance is what can be used: arguments, variables, and what is made of them.
type acceptance struct {
	args  string
	env   map[string]string
	check func(*Config) bool
}

func accepted(t *testing.T, tests map[string]acceptance) {
	t.Helper()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			clearEnv(t)
			for key, value := range test.env {
				t.Setenv(key, value)
			}
			command, err := Parse(strings.Fields(test.args), io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			if cfg, ok := command.(*Config); !ok || !test.check(cfg) {
				t.Errorf("got %T %+v", command, command)
			}
		})
	}
}

// A refusal is what cannot be used: arguments, one variable as NAME=value, and the whole line that is said of them.
type refusal struct{ args, env, want string }

func refused(t *testing.T, tests []refusal) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.args+test.env, func(t *testing.T) {
			clearEnv(t)
			if name, value, ok := strings.Cut(test.env, "="); ok {
				t.Setenv(name, value)
			}
			command, err := Parse(strings.Fields(test.args), io.Discard)
			if err == nil {
				t.Fatalf("accepted: %+v", command)
			}
			if err.Error() != test.want {
				t.Errorf("\n got %s\nwant %s", err, test.want)
			}
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Errorf("the error is a %T", err)
			}
		})
	}
}
