// Package logging gives the command its logs: log/slog at the front, because
// that is what the library takes, logrus behind it, and a writer that never
// makes the server wait for whoever reads the lines.
//
// What is logged about a client is where it connects from and what went wrong,
// never a token, a session id or what it sent.
package logging

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/sirupsen/logrus"
)

// maxPending bounds the lines that wait for a reader of the log that is slow.
const maxPending = 1 << 20

// timeFormat is RFC 3339 with milliseconds: seconds do not tell the order of
// what happens in a server.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

// Log is a logger together with the writer behind it.
type Log struct {
	*slog.Logger

	level  *slog.LevelVar
	writer *writer
}

// New returns a Log that writes to out lines of at least the given level
// ("debug", "info", "warn", "error") in the given format ("text", "json"). An
// unknown level is info, an unknown format text: the configuration has refused
// both before.
//
// New starts a goroutine, which [Log.Close] ends.
func New(out io.Writer, level, format string) *Log {
	asJSON := format == "json"
	var formatter logrus.Formatter = &logrus.TextFormatter{
		// Colours would let escape sequences through unquoted.
		DisableColors:   true,
		FullTimestamp:   true,
		TimestampFormat: timeFormat,
	}
	if asJSON {
		formatter = &logrus.JSONFormatter{TimestampFormat: timeFormat}
	}
	formatter = lenient{formatter}

	log := logrus.New()
	log.SetLevel(logrus.TraceLevel) // the handler decides
	log.SetFormatter(formatter)
	w := newWriter(out, maxPending, func(lost uint64) []byte {
		line, err := formatter.Format(&logrus.Entry{
			Logger:  log,
			Time:    time.Now(),
			Level:   logrus.WarnLevel,
			Message: "log lines were lost: they could not be written fast enough, or at all",
			Data:    logrus.Fields{"lines": lost},
		})
		if err != nil {
			return nil
		}
		return line
	})
	log.SetOutput(w)
	least := new(slog.LevelVar)
	least.Set(slogLevel(level))
	return &Log{Logger: slog.New(newHandler(log, least, asJSON)), level: least, writer: w}
}

// SetLevel changes the least level that is logged, also by loggers that were
// derived before.
func (l *Log) SetLevel(level string) { l.level.Set(slogLevel(level)) }

// Lost returns how many lines could not be written so far.
func (l *Log) Lost() uint64 { return l.writer.totalLost() }

// Close writes what is pending, for at most the given time, and ends the Log;
// lines that come later are lost. It reports whether everything was written. A
// writer that blocks for ever keeps its goroutine: nothing can end it.
func (l *Log) Close(timeout time.Duration) bool { return l.writer.close(timeout) }

func slogLevel(name string) slog.Level {
	var level slog.Level // the zero Level is info
	if err := level.UnmarshalText([]byte(name)); err != nil {
		return slog.LevelInfo
	}
	return level
}

// lenient prints what the formatter in it cannot, such as a NaN in JSON, rather
// than lose the line.
type lenient struct{ logrus.Formatter }

// Format implements [logrus.Formatter].
func (f lenient) Format(entry *logrus.Entry) ([]byte, error) {
	line, err := f.Formatter.Format(entry)
	if err == nil {
		return line, nil
	}
	printed := make(logrus.Fields, len(entry.Data))
	for key, value := range entry.Data {
		printed[key] = fmt.Sprint(value)
	}
	retry := *entry
	retry.Data = printed
	retry.Buffer = &bytes.Buffer{} // the first attempt may have left half a line
	return f.Formatter.Format(&retry)
}
