package config

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/seed3686fee0/parlor/cmd/parlor/internal/printable"
)

// width is how long the lines of comments in the sample get.
const width = 96

const sampleHead = `# Settings of parlor. A flag wins over a variable, and a variable over this file.
# What is commented out is the default, or shows how a value is written.
#
#   parlor serve --config parlor.yaml          serves with it
#   parlor config check --config parlor.yaml   says what is wrong with it
#   parlor config show --config parlor.yaml    shows what holds, and where it is from
`

// Describe returns the settings of `parlor serve`, in the order in which they are
// documented, without values.
func Describe() ([]Setting, error) {
	parser, err := newParser(&commandLine{})
	if err != nil {
		return nil, fmt.Errorf("the flags are declared wrongly: %w", err)
	}
	var list []Setting
	for _, node := range parser.Model.Children {
		for _, flag := range node.Flags {
			if node.Name == "serve" && settable(flag) {
				list = append(list, describe(flag))
			}
		}
	}
	return list, nil
}

// WriteSample writes a file with every setting in it as a comment: the default, or
// how a value looks.
func WriteSample(w io.Writer) error {
	list, err := Describe()
	if err != nil {
		return err
	}
	var out strings.Builder
	out.WriteString(sampleHead)
	group := ""
	for _, s := range list {
		if s.Group != group {
			group = s.Group
			fmt.Fprintf(&out, "\n# ---- %s ----\n", group)
		}
		out.WriteString("\n")
		help := s.Help
		if s.Reload != "" {
			help += " On SIGHUP " + s.Reload + "."
		}
		for _, line := range wrap(help, width) {
			fmt.Fprintf(&out, "# %s\n", line)
		}
		values := []string{s.Default}
		if s.Default == "" {
			values = []string{s.Example}
		}
		fmt.Fprintf(&out, "#%s: %s\n", s.Name, s.yaml(values))
	}
	_, err = io.WriteString(w, out.String())
	return err
}

// Write writes the effective configuration as a file, each value with where it is
// from. What may be secret is left out. Serve takes the file: in it are the settings
// that were given, and defaults are comments, for some of them, when given, ask for
// other settings.
func (c *Config) Write(w io.Writer) error {
	var out strings.Builder
	if c.File != "" {
		fmt.Fprintf(&out, "# from the flags, the environment, %s and the defaults\n", printable.Text(c.File))
	}
	out.WriteString("# what is commented out is the default\n")
	if slices.ContainsFunc(c.settings, func(s Setting) bool { return s.whole != s.Value }) {
		fmt.Fprintf(&out, "# in place of what may be secret there is %q: write that in before you serve with this file\n", hidden)
	}
	for _, s := range c.settings {
		line := s.Name + ":"
		if len(s.Values) > 0 {
			line += " " + s.yaml(s.Values)
		}
		if len(s.Values) == 0 || s.Source == byDefault {
			line = "#" + line
		}
		fmt.Fprintf(&out, "%-40s # %s\n", line, printable.Text(s.Source))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// yaml returns a setting's values as they are written in the file.
func (s Setting) yaml(values []string) string {
	style := yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, value := range values {
		style.Content = append(style.Content, scalar(value))
	}
	node := &style
	if !s.Many {
		node = style.Content[0]
	}
	text, err := yaml.Marshal(node)
	if err != nil { // of texts alone there is none
		return err.Error()
	}
	return strings.TrimSpace(string(text))
}

// nothing is how YAML writes that there is no value.
var nothing = []string{"", "~", "null", "Null", "NULL"}

// scalar is a value that is read back as it is.
func scalar(text string) *yaml.Node {
	node := &yaml.Node{Kind: yaml.ScalarNode, Value: text}
	if slices.Contains(nothing, text) || strings.ContainsAny(text, ":#{}[],&*!|>'\"%@`\n ") {
		node.Style = yaml.DoubleQuotedStyle
	}
	return node
}

// wrap breaks a text into lines.
func wrap(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
