// What the tests of the Admin UI share: an administrator with the page, and clients to look after.
import assert from "node:assert/strict";
import { control, given, modules, NETWORK, test, until, watch } from "./app_page.mjs";

const { io } = modules("socket.io-client");

/** Runs a test with a browser, and with clients that are gone afterwards. */
export async function adminTest(run) {
  try {
    await test(run);
  } finally {
    for (const socket of clients) socket.disconnect();
  }
}

const clients = [];

/** A client of the real library, connected. */
export async function client(nsp, { url = given.url, manager, ...options } = {}) {
  const socket = manager ? manager.socket(nsp) : io(new URL(nsp, url).href, { forceNew: true, reconnection: false, ...options });
  clients.push(socket);
  socket.reasons = [];
  socket.on("disconnect", (reason) => socket.reasons.push(reason));
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("connect_error", reject));
  return socket;
}

/** Asks the server itself, or tells it something. */
export async function api(path, command) {
  const login = Buffer.from(`${given.user}:${given.password}`).toString("base64");
  const response = await fetch(`${given.url}admin/api/v1/${path}`, {
    headers: { authorization: `Basic ${login}`, "content-type": "application/json" },
    ...(command && { method: "POST", body: JSON.stringify(command) }),
  });
  assert.equal(response.status, 200, `${path}: ${await response.clone().text()}`);
  return response.json();
}

/** A packet of a poll; binary ones are in base64 there. */
const plain = (packet) => (packet.startsWith("b") ? Buffer.from(packet.slice(1), "base64").toString("latin1") : packet);

/** An administrator, with the page in a window of its own. */
export class Admin {
  constructor(page) {
    this.page = page;
    this.dialog = page.locator(".v-dialog--active");
    this.main = page.getByRole("main");
    this.received = []; // packets, as texts whatever they are
    this.transports = new Set();
  }

  static async open(browser, { url = given.url, context, clock = false } = {}) {
    const own = context ?? (await browser.newContext({ viewport: { width: 1280, height: 800 } }));
    const page = await own.newPage();
    const admin = new Admin(page);
    const problem = watch(page, "the Admin UI", NETWORK);
    if (clock) await page.clock.install();
    const { origin } = new URL(url);
    page.on("request", (r) => {
      if (!r.url().startsWith(`${origin}/`) && !r.url().startsWith("data:")) problem(`it asks for ${r.url()}`);
      if (r.url().includes("transport=polling")) admin.transports.add("polling");
    });
    page.on("response", async (r) => {
      if (r.status() >= 400) problem(`${r.status()} for ${r.url()}`);
      if (r.url().includes("transport=polling")) admin.received.push(...(await r.text().catch(() => "")).split("\x1e").map(plain));
    });
    page.on("websocket", (ws) => {
      if (!ws.url().startsWith(origin.replace("http", "ws"))) problem(`it connects to ${ws.url()}`);
      admin.transports.add("websocket");
      ws.on("framereceived", ({ payload }) => admin.received.push(payload.toString("latin1")));
    });
    await page.goto(`${url}admin/`);
    return admin;
  }

  /** How often the server has refused the page. */
  refusals() {
    return this.received.filter((packet) => packet.includes("invalid credentials")).length;
  }

  /** Fills in the form, and waits until the server has answered. */
  async login(user, password, { refused = false } = {}) {
    await until(() => this.refusals() > 0, true, "the form"); // which the page shows when its session is refused
    const before = this.refusals();
    await this.dialog.getByLabel("Username").fill(user);
    await this.dialog.getByLabel("Password").fill(password);
    await this.dialog.getByRole("button", { name: "Connect" }).click();
    if (refused) {
      await until(() => this.refusals(), before + 1, "refusals");
      await this.dialog.getByText("Invalid credentials").waitFor();
      await this.status("disconnected");
      return;
    }
    await this.connected();
  }

  status(text) {
    return this.page.getByRole("banner").getByText(new RegExp(`^\\s*${text}\\s*$`)).filter({ visible: true }).waitFor();
  }

  async connected() {
    await this.status("connected");
    await this.dialog.waitFor({ state: "hidden" });
  }

  /** Opens one of the pages, by its name in the menu. */
  async go(name) {
    await this.page.getByRole("navigation").getByRole("link", { name, exact: true }).click();
    await this.at(name);
  }

  /** Waits until a page alone is there, by the end of its breadcrumbs: the one before leaves slowly. */
  async at(name) {
    await until(() => this.main.locator(".v-breadcrumbs li:last-child").allInnerTexts(), [name], "the page");
  }

  menu() {
    return this.page.getByRole("navigation").getByRole("link").allInnerTexts();
  }

  /** The rows of the tables, those that have all these texts in them. */
  row(...texts) {
    let rows = this.main.locator("tbody tr");
    for (const text of texts) rows = rows.filter({ hasText: text });
    return rows;
  }

  /** Waits until there are so many such rows. */
  rows(n, ...texts) {
    return until(() => this.row(...texts).count(), n, `rows with ${texts}`);
  }

  /** Clicks the button of a row that has an icon. */
  async press(row, icon) {
    await row.locator(`button:has(.mdi-${icon})`).click();
  }

  /** The number of the dashboard's tables beside a name. */
  number(name) {
    return this.row(name).first().locator("td").nth(1).innerText().then((text) => parseInt(text, 10));
  }

  /** Chooses a namespace to be shown. */
  async choose(nsp) {
    await this.page.getByRole("button", { name: "Select namespace" }).click();
    await this.page.getByRole("option", { name: nsp, exact: true }).click();
  }

  async picture(name) {
    if (!given.pictures) return;
    await this.page.evaluate(() => document.activeElement?.blur());
    await this.page.mouse.move(400, 100); // where nothing changes under it
    await this.page.screenshot({ path: `${given.pictures}/${name}.png`, animations: "disabled" });
  }

  /** What the page keeps. */
  stored(key) {
    return this.page.evaluate((key) => localStorage.getItem(key), key);
  }
}

export { assert, control, given, modules, until };
