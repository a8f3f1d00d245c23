package config

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// ErrHelp is what [Parse] returns when help was asked for and has been printed.
var ErrHelp = errors.New("help was printed")

// Error is a command line or an environment that cannot be used. Its text is
// one line that names what is wrong, where it was given and what to do.
type Error struct {
	// Flag and Env name the setting, "--addr" and "PARLOR_ADDR"; both are empty
	// when the command line as a whole is at fault, Env for a flag that has none.
	Flag, Env string
	// Problem says what is wrong with the value and how to mend it.
	Problem string
}

// Error implements error.
func (e *Error) Error() string {
	switch {
	case e.Flag == "":
		return e.Problem
	case e.Env == "":
		return e.Flag + ": " + e.Problem
	}
	return fmt.Sprintf("%s (%s): %s", e.Flag, e.Env, e.Problem)
}

// commandLine is the shape kong parses into.
type commandLine struct {
	Serve   Config   `cmd:"" default:"withargs" help:"Serve Socket.IO clients (what parlor does without a command)."`
	Token   token    `cmd:"" help:"Make, check and prepare tokens."`
	Version struct{} `cmd:"" help:"Print the version and leave."`
}

// Parse reads args (without the program's name) and the environment, and returns
// the command that they ask for. Help, when asked for, goes to out. The error is
// [ErrHelp] or an [*Error].
func Parse(args []string, out io.Writer) (Command, error) {
	var (
		line   commandLine
		bad    *Error // the first value that could not be read; kong would lose its parts
		helped bool
	)
	parser, err := kong.New(&line,
		kong.Name("parlor"),
		kong.Description("Parlor is a Socket.IO server. Each flag of serve can be given as an environment variable: "+
			EnvPrefix+"_ and the flag's name in capitals, with - as _."),
		kong.DefaultEnvars(EnvPrefix),
		kong.Writers(out, out),
		kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Help(help),
		mapper(&bad, "a duration; write it like 25s or 1m30s", time.ParseDuration),
		mapper(&bad, "a whole number; write it like 100", strconv.Atoi),
		mapper(&bad, "a whole number; write it like 1000000", func(s string) (int64, error) {
			return strconv.ParseInt(s, 10, 64)
		}),
		mapper(&bad, "a network in CIDR form; write it like 10.0.0.0/8, or 10.0.0.1/32 for one address", netip.ParsePrefix),
	)
	if err != nil {
		return nil, &Error{Problem: "the flags are declared wrongly: " + err.Error()}
	}
	ctx, err := parser.Parse(args)
	switch {
	case helped:
		return nil, ErrHelp
	case err != nil && bad != nil: // a bad variable does not matter to a command that has no use for it
		return nil, bad
	case err != nil:
		return nil, &Error{Problem: fmt.Sprintf("%s (%s --help lists what there is)", withoutSecrets(err.Error()), meant(err))}
	}
	command := line.command(ctx.Command())
	if err := command.validate(given(ctx)); err != nil {
		return nil, err
	}
	return command, nil
}

// meant is the command whose help is of use to who wrote a line that is wrong.
func meant(err error) string {
	if wrong, ok := errors.AsType[*kong.ParseError](err); ok && strings.HasPrefix(wrong.Context.Command(), "token") {
		return "parlor token"
	}
	return "parlor serve"
}

// given returns the names of the selected command's flags that have a value from
// the command line or the environment, even an empty one.
func given(ctx *kong.Context) map[string]bool {
	names := map[string]bool{}
	for _, path := range ctx.Path {
		if path.Flag != nil {
			names[path.Flag.Name] = true
		}
		for _, flag := range path.Flags {
			for _, env := range flag.Envs {
				if _, ok := os.LookupEnv(env); ok {
					names[flag.Name] = true
				}
			}
		}
	}
	return names
}

// help prints the help of the command that a command alone stands for, where it
// has flags to show: "parlor token" is "parlor token mint".
func help(options kong.HelpOptions, ctx *kong.Context) error {
	if node := ctx.Selected(); node != nil && node.DefaultCmd != nil {
		ctx.Path = append(ctx.Path, &kong.Path{Parent: node, Command: node.DefaultCmd, Flags: node.DefaultCmd.Flags})
	}
	return kong.DefaultHelpPrinter(options, ctx)
}

// mapper reads a flag's text with parse. A text that parse refuses is kept in
// *bad, "is not" what want says: kong's own messages name the Go type and leave
// out the remedy.
func mapper[T any](bad **Error, want string, parse func(string) (T, error)) kong.Option {
	return kong.TypeMapper(reflect.TypeFor[T](), kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
		var text string
		err := ctx.Scan.PopValueInto("", &text)
		problem := "needs a value; it is to be " + want
		if err == nil {
			var value T
			if value, err = parse(text); err == nil {
				target.Set(reflect.ValueOf(value))
				return nil
			}
			problem = fmt.Sprintf("%q is not %s", withoutSecrets(text), want)
		}
		if *bad == nil {
			*bad = newError(ctx.Value.Name, "%s", problem)
			if len(ctx.Value.Tag.Envs) == 0 {
				(*bad).Env = ""
			}
		}
		return err
	}))
}
