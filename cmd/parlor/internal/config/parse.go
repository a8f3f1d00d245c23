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

// commandLine is the shape kong parses into.
type commandLine struct {
	Serve     Config        `cmd:"" default:"withargs" help:"Serve Socket.IO clients (what parlor does without a command)."`
	Token     token         `cmd:"" help:"Make, check and prepare tokens."`
	Configure configuration `cmd:"" help:"Write, check and show the configuration." name:"config"`
	Admin     admin         `cmd:"" help:"Ask a running server, and what its administrators need."`
	Bench     Bench         `cmd:"" help:"Put a load on a Socket.IO server, and report what it did."`
	Version   struct{}      `cmd:"" help:"Print the version and leave."`
}

// Parse reads args (without the program's name), the environment and the file that
// they name, and returns the command that they ask for. Help, when asked for, goes
// to out. The error is [ErrHelp] or an [*Error].
func Parse(args []string, out io.Writer) (Command, error) {
	var (
		line   commandLine
		bad    *Error // the first value that could not be read; kong would lose its parts
		helped bool
		file   layer
	)
	parser, err := newParser(&line,
		kong.Writers(out, out),
		kong.Exit(func(int) { helped = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Help(help),
		kong.Resolvers(&file),
		mapper(&bad, "a duration; write it like 25s or 1m30s", time.ParseDuration),
		mapper(&bad, "a whole number; write it like 100", strconv.Atoi),
		mapper(&bad, "a whole number; write it like 1000000", func(s string) (int64, error) {
			return strconv.ParseInt(s, 10, 64)
		}),
		mapper(&bad, "a number; write it like 100 or 0.5", func(s string) (float64, error) { return strconv.ParseFloat(s, 64) }),
		mapper(&bad, "a network in CIDR form; write it like 10.0.0.0/8, or 10.0.0.1/32 for one address", netip.ParsePrefix),
	)
	if err != nil {
		return nil, &Error{Problem: "the flags are declared wrongly: " + err.Error()}
	}
	ctx, err := parser.Parse(args)
	if helped {
		return nil, ErrHelp
	}
	if err != nil {
		if problem, ok := errors.AsType[*Error](err); ok { // of the file
			return nil, problem
		}
		if bad != nil { // a bad variable does not matter to a command that has no use for it
			return nil, file.place(bad)
		}
		return nil, &Error{Problem: fmt.Sprintf("%s (%s --help lists what there is)", withoutSecrets(err.Error()), meant(err))}
	}
	command := line.command(ctx.Command())
	if err := command.validate(given(ctx)); err != nil {
		return nil, file.place(err)
	}
	if configured, ok := command.(interface{ configured() *Config }); ok {
		configured.configured().settings = settings(ctx, &file)
	}
	return command, nil
}

// newParser makes a parser that knows the flags and their variables.
func newParser(line *commandLine, options ...kong.Option) (*kong.Kong, error) {
	return kong.New(line, append(options,
		kong.Name("parlor"),
		kong.Description("Parlor is a Socket.IO server. Each flag of serve can be given as an environment variable: "+
			EnvPrefix+"_ and the flag's name in capitals, with - as _; and in a file, which --config names."),
		kong.DefaultEnvars(EnvPrefix),
	)...)
}

// meant is the command whose help is of use to who wrote a line that is wrong.
func meant(err error) string {
	if wrong, ok := errors.AsType[*kong.ParseError](err); ok {
		switch command, _, _ := strings.Cut(wrong.Context.Command(), " "); command {
		case "token", "config", "admin", "bench":
			return "parlor " + command
		}
	}
	return "parlor serve"
}

// given returns the names of the selected command's flags that have a value from
// the command line, the environment or the file, even an empty one.
func given(ctx *kong.Context) map[string]bool {
	names := map[string]bool{}
	for _, path := range ctx.Path {
		if path.Flag != nil {
			names[path.Flag.Name] = true
		}
		for _, flag := range path.Flags {
			if variable(flag) != "" {
				names[flag.Name] = true
			}
		}
	}
	return names
}

// variable returns the name of the flag's variable that is set, even to nothing.
func variable(flag *kong.Flag) string {
	for _, env := range flag.Envs {
		if _, ok := os.LookupEnv(env); ok {
			return env
		}
	}
	return ""
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
			(*bad).Env = ""
			if envs := ctx.Value.Tag.Envs; len(envs) > 0 {
				(*bad).Env = envs[0]
			}
		}
		return err
	}))
}
