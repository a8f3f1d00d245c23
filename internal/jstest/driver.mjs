// The process behind jstest.Driver: it hosts any number of socket.io-client clients, takes commands as
// lines of JSON on stdin and writes two kinds of lines on stdout: the answer to a command
// ({re, ok} or {re, err}) and what happened to a client ({c, k, …}), in the order it happened.
// Bytes travel as {"$bin": base64}, dates to a client as {"$date": milliseconds}.
import process from "node:process";
import { createInterface } from "node:readline";
import { io } from "socket.io-client";
import msgpackParser from "socket.io-msgpack-parser";
import { report } from "./stdin.mjs";

const clients = new Map(); // number → { socket, hooks, collected, acks, … }
const FRAME_TYPES = { open: "0", close: "1", ping: "2", pong: "3", message: "4", upgrade: "5", noop: "6" };
const MANAGER_EVENTS = ["open", "error", "close", "ping", "reconnect", "reconnect_attempt", "reconnect_error", "reconnect_failed"];

// ---- values

const isBytes = (v) => ArrayBuffer.isView(v) || v instanceof ArrayBuffer;

function out(v) {
  if (isBytes(v)) {
    return { $bin: (v instanceof ArrayBuffer ? Buffer.from(v) : Buffer.from(v.buffer, v.byteOffset, v.byteLength)).toString("base64") };
  }
  if (Array.isArray(v)) return v.map(out);
  if (v instanceof Error) return { message: v.message };
  if (v && typeof v === "object") return Object.fromEntries(Object.entries(v).map(([k, w]) => [k, out(w)]));
  return v === undefined ? null : v;
}

function into(v) {
  if (Array.isArray(v)) return v.map(into);
  if (v && typeof v === "object") {
    if (typeof v.$bin === "string" && Object.keys(v).length === 1) return Buffer.from(v.$bin, "base64");
    if (typeof v.$date === "number" && Object.keys(v).length === 1) return new Date(v.$date);
    return Object.fromEntries(Object.entries(v).map(([k, w]) => [k, into(w)]));
  }
  return v;
}

// ---- recording

const engineOf = (client) => client.socket.io.engine;
const transportOf = (client) => engineOf(client)?.transport?.name ?? "";

/** Follows every engine that the manager opens, the ones after a reconnection too. */
function followEngines(c, manager, frames) {
  const open = manager.open;
  manager.open = function (fn) {
    const before = this.engine;
    const result = open.call(this, fn);
    const engine = this.engine;
    if (engine === before) return result;
    engine.on("upgrade", (t) => report({ c, k: "manager", name: "upgrade", args: [t.name] }));
    engine.on("upgradeError", (e) => report({ c, k: "manager", name: "upgrade_error", args: [e.message] }));
    if (frames) {
      const record = (k) => (p) => {
        const type = FRAME_TYPES[p.type];
        report(isBytes(p.data) ? { c, k, args: [out(p.data)] } : { c, k, name: type + (p.data ?? "") });
      };
      engine.on("packet", record("in"));
      engine.on("packetCreate", record("out"));
    }
    return result;
  };
  manager.connect = manager.open;
}

function follow(c, client) {
  const { socket } = client;
  socket.on("connect", () => {
    if (client.hooks.onConnect) client.hooks.onConnect();
    report({ c, k: "connect", name: socket.id, args: [transportOf(client), engineOf(client)?.id ?? ""] });
  });
  socket.on("disconnect", (reason, details) => {
    report({ c, k: "disconnect", name: reason, args: [String(details?.description ?? details?.message ?? "")] });
  });
  socket.on("connect_error", (err) => {
    report({ c, k: "connect_error", name: err.message, args: "data" in err && err.data !== undefined ? [out(err.data)] : [] });
  });
  socket.onAny((name, ...args) => {
    const collector = client.collected.get(name);
    if (collector) return collector.push(args[0]);
    let ack = 0;
    if (typeof args.at(-1) === "function") {
      const fn = args.pop();
      const answer = client.answers.get(name);
      if (answer) fn(...answer);
      else client.acks.set((ack = ++client.ackCount), fn);
    }
    report({ c, k: "event", name: String(name), args: args.map(out), ack });
  });
}

class Collector {
  values = [];
  waiting = null;
  push(v) {
    this.values.push(v);
    if (this.waiting && this.values.length >= this.waiting.n) {
      this.waiting.done(this.values);
      this.waiting = null;
    }
  }
  wait(n, done) {
    if (this.values.length >= n) done(this.values);
    else this.waiting = { n, done }; // one at a time: the test waits for each
  }
}

// ---- commands: each gets the message and a function that answers it

const commands = {
  connect({ c, url, nsp, opts, auth, share, frames, msgpack, collect, numbers }, done) {
    if (msgpack) opts.parser = msgpackParser;
    let socket;
    if (share) {
      socket = clients.get(share).socket.io.socket(nsp, { auth: into(auth) ?? undefined });
    } else {
      socket = io(url + nsp, { ...opts, auth: into(auth) ?? undefined, forceNew: true, autoConnect: false });
      followEngines(c, socket.io, frames);
      for (const name of MANAGER_EVENTS) {
        socket.io.on(name, (...args) => report({ c, k: "manager", name, args: args.map(out) }));
      }
    }
    const client = { socket, collected: new Map(), answers: new Map(), acks: new Map(), ackCount: 0, hooks: {}, ticker: null };
    clients.set(c, client);
    for (const name of collect ?? []) client.collected.set(name, new Collector());
    if (numbers) client.hooks.onConnect = () => startNumbers(client, numbers);
    follow(c, client);
    socket.connect();
    done();
  },
  emit({ client, ev, args }, done) {
    client.socket.emit(ev, ...into(args));
    done();
  },
  volatile({ client, ev, args }, done) {
    client.socket.volatile.emit(ev, ...into(args));
    done();
  },
  call({ client, ev, args, timeout }, done, fail) {
    client.socket.timeout(timeout).emit(ev, ...into(args), (err, ...values) => {
      if (err) fail(err);
      else done(values.map(out));
    });
  },
  /** Emits 0 … n-1 in one turn of the event loop. */
  burst({ client, ev, n, pad }, done) {
    for (let i = 0; i < n; i++) pad ? client.socket.emit(ev, i, pad) : client.socket.emit(ev, i);
    done();
  },
  /** Ends the numbers of connect's option and says how many there were. */
  stopNumbers({ client }, done) {
    clearTimeout(client.ticker);
    client.ticker = null;
    done(client.next ?? 0);
  },
  collect({ client, ev }, done) {
    client.collected.set(ev, new Collector());
    done();
  },
  collected({ client, ev, n }, done) {
    client.collected.get(ev).wait(n, (values) => done(values.map(out)));
  },
  answer({ client, ev, args }, done) {
    client.answers.set(ev, into(args));
    done();
  },
  ack({ client, ack, args }, done) {
    client.acks.get(ack)(...into(args));
    done();
  },
  auth({ client, auth }, done) {
    client.socket.auth = into(auth);
    done();
  },
  reconnect({ client }, done) {
    client.socket.connect();
    done();
  },
  disconnect({ client }, done) {
    client.socket.disconnect();
    done();
  },
  state({ client }, done) {
    const { socket } = client;
    done({
      id: socket.id ?? "",
      connected: socket.connected,
      active: socket.active,
      reconnecting: Boolean(socket.io._reconnecting),
      transport: transportOf(client),
      engine: engineOf(client)?.id ?? "",
    });
  },
  // ---- below the client's API, for what a well-behaved client does not do
  /** One Engine.IO message on the current transport. */
  message({ client, text }, done) {
    engineOf(client).write(text);
    done();
  },
  /** One WebSocket text frame as it is. */
  frame({ client, text }, done) {
    engineOf(client).transport.ws.send(text);
    done();
  },
  /** Closes the engine without a word of the Socket.IO layer. */
  closeEngine({ client }, done) {
    engineOf(client).close();
    done();
  },
  /** Ends the TCP connection under a WebSocket, without a close frame. */
  terminate({ client }, done) {
    engineOf(client).transport.ws.terminate();
    done();
  },
};

function startNumbers(client, ev) {
  if (client.ticker) return;
  client.next = 0;
  const tick = () => {
    client.socket.emit(ev, client.next++);
    client.ticker = setTimeout(tick, 1);
  };
  tick();
}

const input = createInterface({ input: process.stdin });
input.on("close", () => process.exit(0)); // the test that started us is over, whatever its clients are doing
input.on("line", (line) => {
  const message = JSON.parse(line);
  const done = (value) => report({ re: message.id, ok: value === undefined ? null : value });
  const fail = (err) => report({ re: message.id, err: String(err?.message ?? err) });
  try {
    commands[message.cmd]({ ...message, client: clients.get(message.c) }, done, fail);
  } catch (err) {
    fail(err);
  }
});
