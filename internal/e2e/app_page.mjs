// What the tests of the app share: people, each with a browser context of their own, and how their page is used
// and read. Everything here waits for what it expects, up to a deadline, and for nothing else.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import process from "node:process";
import { exitWithParent, report } from "../jstest/stdin.mjs";

exitWithParent();
/** What the test has given: url, control, tmp, pictures and more of its own. */
export const given = JSON.parse(process.argv[2]);
export const modules = createRequire(`${given.modules}/`);
const { chromium } = modules("playwright-core");
process.env.TMPDIR = given.tmp; // of the browser's profile

const PATIENCE = 60_000; // far above what anything takes, below the script's own deadline
const QUIET = [
  "--no-sandbox", // tests may run as root
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const problems = [];

/** Runs a test: with a browser, which is closed afterwards, and without complaints in any page's console. */
export async function test(run) {
  const browser = await chromium.launch({ executablePath: given.chromium, headless: true, args: QUIET });
  try {
    await run(browser);
    assert.deepEqual(problems, [], "errors in a page's console");
  } catch (err) {
    for (const [i, page] of browser.contexts().flatMap((c) => c.pages()).entries()) {
      console.error(`--- page ${i}: ${page.url()}\n${await page.locator("body").ariaSnapshot().catch((e) => e.message)}`);
      if (given.pictures) await page.screenshot({ path: `${given.pictures}/failed-${process.pid}-${i}.png` }).catch(() => {});
    }
    if (problems.length > 0) console.error("--- consoles:\n" + problems.join("\n"));
    throw err;
  } finally {
    await browser.close();
  }
}

/** Asks the Go side of the test to do something, such as stop the server; it answers with a text. */
export async function control(what, text = "") {
  const response = await fetch(`${given.control}/${what}`, { method: "POST", body: text });
  assert.ok(response.ok, `${what}: ${await response.clone().text()}`);
  return response.text();
}

/** Waits until a value that is read again and again is the wanted one, and says what it was if it never is. */
export async function until(read, wanted, what = "") {
  const end = Date.now() + PATIENCE;
  let last;
  for (;;) {
    try {
      last = await read();
      if (typeof wanted === "function" ? await wanted(last) : (assert.deepEqual(last, wanted), true)) return last;
    } catch (err) {
      if (Date.now() > end) throw err;
    }
    if (Date.now() > end) throw new Error(`${what || "a value"} is still ${JSON.stringify(last)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** The console's errors that belong to a test: a server that is gone, say. */
export const NETWORK = /ERR_(CONNECTION_REFUSED|CONNECTION_RESET|CONNECTION_CLOSED|EMPTY_RESPONSE|SOCKET_NOT_CONNECTED)|WebSocket (connection to .* failed|is (closed|already in CLOSING))/;

/** Has a page's errors, and those of its console that expect does not have, fail the test; and what else a test finds. */
export function watch(page, name, expect) {
  page.setDefaultTimeout(PATIENCE);
  page.on("pageerror", (err) => problems.push(`${name}: ${err.stack ?? err.message}`));
  page.on("console", (m) => {
    const text = `${m.text()} ${m.location().url}`;
    if (m.type() === "error" && !expect?.test(text)) problems.push(`${name}: ${text}`);
  });
  return (problem) => problems.push(`${name}: ${problem}`);
}

/** Somebody with a page of the app. */
export class Person {
  constructor(page, name) {
    this.page = page;
    this.name = name;
    this.sockets = []; // the WebSockets that the page has opened
    page.on("websocket", (ws) => this.sockets.push(ws));
    this.status = page.locator("[role=status][data-state]");
    this.log = page.getByRole("log", { name: "Messages" });
    this.messages = this.log.getByRole("article");
    this.composer = page.getByRole("textbox", { name: "Message", exact: true });
    this.send = page.getByRole("button", { name: "Send", exact: true });
    this.people = page.getByRole("list", { name: "People" });
    this.rooms = page.getByRole("navigation", { name: "Rooms" });
    this.typing = page.locator("[role=status].typing");
    this.board = page.getByRole("region", { name: "Board" });
  }

  /** Opens the app in a context of its own, or in another person's. */
  static async open(browser, name, { url = given.url, expect = null, context, ...options } = {}) {
    const own = context ?? (await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options }));
    const page = await own.newPage();
    const person = new Person(page, name);
    watch(page, name, expect);
    await page.goto(url);
    return person;
  }

  static async join(browser, name, room, options) {
    const person = await Person.open(browser, name, options);
    await person.login(name, room);
    return person;
  }

  async login(name, room) {
    const { page } = this;
    if (name) await page.getByRole("textbox", { name: "Your name" }).fill(name);
    await page.getByRole("textbox", { name: "Room", exact: true }).fill(room);
    await page.getByRole("button", { name: "Join", exact: true }).click();
    await this.in(room);
  }

  /** Opens the dialog for another room, and enters that. */
  async joinRoom(room) {
    await this.page.getByRole("button", { name: "Join a room" }).click();
    await this.typeRoom(room);
  }

  /** Names the room in the dialog, which has put the focus into its field. */
  async typeRoom(room) {
    const field = this.page.getByRole("dialog").getByRole("textbox", { name: "Room" });
    await until(() => field.evaluate((e) => e === document.activeElement), true, "the focus is in the field");
    await this.page.keyboard.type(room);
    await this.page.keyboard.press("Enter");
    await this.in(room);
  }

  /** Opens a drawer, on a narrow page: "rooms" or "people". */
  async drawer(name) {
    await this.page.getByRole("button", { name: `Show ${name}` }).click();
  }

  async useToken(token) {
    const field = this.page.getByRole("textbox", { name: "Access token" });
    if (!(await field.isVisible())) await this.page.getByRole("button", { name: "Sign in with a token" }).click();
    await field.fill(token);
  }

  /** Waits until the page is connected, and writing to a room is possible. */
  async in(room) {
    await this.state("connected");
    await this.page.getByRole("heading", { level: 1, name: room }).waitFor();
    await until(() => this.composer.isEnabled(), true, `${this.name}'s composer`);
  }

  /** Waits until the page says how its connection is. */
  state(...states) {
    return this.page.locator(states.map((s) => `[role=status][data-state=${s}]`).join(", ")).first().waitFor();
  }

  transport(name) {
    return this.page.locator(`[role=status][data-transport=${name}]`).first().waitFor();
  }

  room(name) {
    return this.rooms.getByRole("button", { name: new RegExp(`^\\W*${escaped(name)}\\b`) }).first();
  }

  person(name) {
    return this.people.getByRole("listitem").filter({ hasText: name });
  }

  async write(text) {
    await this.composer.fill(text);
    await this.composer.press("Enter");
  }

  /** Writes, and waits until the server has it. */
  async say(text) {
    await this.write(text);
    await this.message(text, "sent").waitFor();
  }

  /** A message by its text and, if given, by one of its states. */
  message(text, ...states) {
    const all = states.length === 0 ? this.messages : this.log.locator(states.map((s) => `article[data-state=${s}]`).join(", "));
    return all.filter({ has: this.page.locator(".body", { hasText: new RegExp(`^\\s*${escaped(text)}\\s*$`) }) });
  }

  hears(text) {
    return this.message(text, "received").waitFor();
  }

  /** The texts of the messages, in the order in which they are shown. */
  texts() {
    return this.messages.evaluateAll((all) => all.map((a) => a.querySelector(".body")?.textContent ?? ""));
  }

  /** Each message as [id, state, text]. */
  shown() {
    return this.messages.evaluateAll((all) => all.map((a) => [a.dataset.id, a.dataset.state, a.querySelector(".body")?.textContent ?? ""]));
  }

  async picture(name) {
    if (!given.pictures) return;
    await this.page.bringToFront();
    await this.page.screenshot({ path: `${given.pictures}/${name}.png`, animations: "disabled" });
  }

  /** No part of the page is wider than its window. */
  async fits() {
    const [content, window] = await this.page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok(content <= window, `the page is ${content} wide, its window ${window}`);
  }
}

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

export { assert, report };
