//go:build linux

package deploy_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/seed3686fee0/parlor/internal/jstest"
	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/internal/wire"
)

// picturesEnv names the folder that the test leaves pictures in: those of the
// documentation are made with it.
const picturesEnv = "PARLOR_PICTURES"

// loadTime is how long TestDashboard lets clients be there before it asks.
const loadTime = 2 * time.Minute

// Prometheus takes the rules.
func TestRules(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("there is no promtool here; on Debian: apt-get install prometheus")
	}
	if out, err := exec.Command(promtool, "check", "rules", "alerts.yaml").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// Each question of the dashboard has an answer, of two instances under load, and each rule can be evaluated.
func TestDashboard(t *testing.T) {
	folder := os.Getenv(picturesEnv)
	if folder == "" {
		t.Skip(picturesEnv + " names no folder; clients put a load on two instances for " + loadTime.String())
	}
	redis := "--redis=redis://" + redistest.Start(t).Addr
	one, other := serve(t, redis, "--chat-rate=0"), serve(t, redis, "--chat-rate=0")
	prometheus := scrape(t, one.ops, other.ops)
	for _, load := range [][]string{
		{"--load=broadcast", "--connections=100", "--rooms=3", "--senders=3", "--rate=30", "--transport=upgrade"},
		{"--load=echo", "--connections=20", "--transport=polling"},
		{"--load=acks", "--connections=20"},
	} {
		run(t, nil, parlor, append([]string{"bench", "http://" + one.addr, "http://" + other.addr, "--duration=" + (loadTime + patience).String()}, load...)...)
	}
	for begun := time.Now(); time.Since(begun) < loadTime; time.Sleep(100 * time.Millisecond) {
		get("http://" + one.addr + "/socket.io/?EIO=4&transport=smoke") // is refused
		if err := talks(other.addr, wire.Upgraded); err != nil {        // comes and goes
			t.Fatal(err)
		}
	}

	for _, question := range questions(t) {
		answers, err := ask(prometheus, question)
		none := strings.Contains(question, "parlor_ack_duration_seconds") // of nothing: the chat asks no client for one
		if err != nil || len(answers) == 0 && !none {
			t.Errorf("%s: %v, %v", question, answers, err)
		}
		t.Logf("%s: %v", question, answers)
	}
	var rules struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError string }
		}
	}
	if err := query(prometheus+"/api/v1/rules", &rules); err != nil || len(rules.Groups) != 1 {
		t.Fatalf("rules: %+v, %v", rules, err)
	}
	for _, rule := range rules.Groups[0].Rules {
		if rule.Health != "ok" {
			t.Errorf("%s: %s %s", rule.Name, rule.Health, rule.LastError)
		}
	}
	jstest.RunFor(t, time.Minute, "metrics_picture.mjs", jstest.Chromium(t), prometheus, t.TempDir(), filepath.Join(folder, "metrics.png"))
}

// scrape starts Prometheus, with the rules, for the addresses of metrics, and returns where it is asked.
func scrape(t *testing.T, targets ...string) (prometheus string) {
	t.Helper()
	name := program(t, "prometheus")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	alerts, err := filepath.Abs("alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	instances := make([]any, len(targets))
	for i, target := range targets {
		instances[i] = map[string]any{"targets": []string{target}, "labels": map[string]string{"instance": fmt.Sprint("parlor", i+1)}}
	}
	config, err := yaml.Marshal(map[string]any{
		"global":         map[string]string{"scrape_interval": "1s", "evaluation_interval": "5s"},
		"rule_files":     []string{alerts},
		"scrape_configs": []any{map[string]any{"job_name": "parlor", "static_configs": instances}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, nil, name, "--config.file="+write(t, "prometheus.yml", string(config)), "--storage.tsdb.path="+t.TempDir(), "--web.listen-address="+addr)
	until(t, "Prometheus", func() bool {
		select {
		case <-r.eof:
			t.Fatalf("it has ended:\n%s", r.text())
		default:
		}
		status, _ := get("http://" + addr + "/-/ready")
		return status == http.StatusOK
	})
	return "http://" + addr
}

// questions are the expressions of the dashboard, as Grafana asks them for all instances.
func questions(t *testing.T) (all []string) {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "dashboard.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	as := strings.NewReplacer("$instance", ".*", "$__rate_interval", "30s")
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			all = append(all, as.Replace(target.Expr))
		}
	}
	return all
}

// ask returns what Prometheus answers, but for what is not a number.
func ask(prometheus, question string) (answers []float64, err error) {
	var data struct {
		Result []struct{ Value [2]any }
	}
	if err := query(prometheus+"/api/v1/query?query="+url.QueryEscape(question), &data); err != nil {
		return nil, err
	}
	for _, r := range data.Result {
		text, _ := r.Value[1].(string)
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, err
		}
		if !math.IsNaN(value) {
			answers = append(answers, value)
		}
	}
	return answers, nil
}

// query reads the data of an answer of Prometheus.
func query(address string, data any) error {
	status, body := get(address)
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.Status != "success" {
		return fmt.Errorf("%d %s: %w", status, body, err)
	}
	return nil
}
