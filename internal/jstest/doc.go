// Package jstest lets a Go test drive the real JavaScript client, socket.io-client from npm at the version
// that package.json pins, in a Node process of its own.
//
// There are two ways in. [Start] gives a [Driver]: one Node process that hosts any number of clients, each
// commanded from the test and recorded there, so that the test reads as one story:
//
//	d := jstest.Start(t)
//	c := d.Connect(url, jstest.Options{Namespace: "/chat", Transports: jstest.Polling})
//	c.WaitConnect()
//	c.Emit("join", "lobby")
//	if got := c.Wait("joined").String(); got != `["lobby"]` { … }
//
// [Run] runs a script to its end and collects the lines of JSON that it prints.
//
// Every wait has a deadline and no wait is a sleep. A process started here is stopped when its test ends,
// together with what it started itself, and with nothing else. Where Node is missing the test fails and says
// what to install; missing modules are installed once, by npm ci.
package jstest
