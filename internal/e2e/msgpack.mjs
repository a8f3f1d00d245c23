// The server's own client for MessagePack, in a browser, over each transport: msgpack.mjs CHROMIUM URL PROFILE
import process from "node:process";
import { openBrowser } from "../jstest/browser.mjs";
import { exitWithParent, report } from "../jstest/stdin.mjs";

exitWithParent();
const [executable, url, profile] = process.argv.slice(2);
const browser = await openBrowser(executable, profile);
try {
  const tab = await browser.newPage();
  tab.setDefaultTimeout(15_000);
  for (const transports of [["websocket"], ["polling"], ["polling", "websocket"]]) {
    await tab.goto(url);
    await tab.addScriptTag({ url: url + "/socket.io/socket.io.msgpack.min.js" });
    const answer = await tab.evaluate(async (transports) => {
      const socket = window.io({ transports });
      if (transports.length > 1) {
        await new Promise((done) => socket.io.once("open", () => socket.io.engine.once("upgrade", done)));
      }
      const shown = (v) => (v instanceof ArrayBuffer ? { bytes: [...new Uint8Array(v)] } : v);
      const sent = ["é", 1.5, null, new Uint8Array([1, 2]).buffer, new ArrayBuffer(0), new Date(0)];
      const values = await new Promise((done) => socket.emit("echo", ...sent, (...values) => done(values)));
      socket.disconnect();
      return values.map(shown);
    }, transports);
    report({ transports, answer });
  }
} finally {
  await browser.close();
}
