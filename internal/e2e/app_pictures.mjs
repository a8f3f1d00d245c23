// The pictures of the docs: a conversation, as three people see it, wide and narrow, light and dark.
import { Person, test, until } from "./app_page.mjs";

const wide = { viewport: { width: 1280, height: 800 } };
const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

await test(async (browser) => {
  const light = { colorScheme: "light", reducedMotion: "reduce" };
  const dark = { ...light, colorScheme: "dark" };
  const ada = await Person.open(browser, "Ada", { ...wide, ...light });
  await ada.page.getByRole("textbox", { name: "Your name" }).waitFor();
  await ada.picture("app-login");
  await ada.login("Ada", "tea room");
  const grace = await Person.join(browser, "Grace", "tea room", { ...wide, ...dark });
  const joan = await Person.join(browser, "Joan", "tea room", { ...phone, ...light });
  const mary = await Person.join(browser, "Mary", "tea room", { ...phone, ...dark });
  const all = [ada, grace, joan, mary];
  const say = async (one, text) => {
    await one.say(text);
    for (const other of all) await other.message(text).waitFor();
  };
  await say(joan, "Good morning! Who is joining at ten?");
  await say(ada, "I am. The notes on the engine are at https://example.com/notes/engine");
  await say(ada, "There is a drawing as well, give me a moment.");
  const drawing = await drawn(ada.page);
  await ada.page.getByLabel("Attach a file").setInputFiles({ name: "engine.png", mimeType: "image/png", buffer: drawing });
  for (const other of [grace, joan, mary]) await other.log.getByRole("img", { name: "engine.png" }).waitFor();
  await say(grace, "Lovely. I have a question about the second wheel, but it can wait until ten.");
  await say(mary, "Me too. I bring the biscuits.");

  // What makes a page look lived in: another room with something new, somebody away, a cursor, somebody who types.
  await ada.joinRoom("garden");
  await grace.joinRoom("garden");
  await ada.room("tea room").click();
  await grace.say("The roses are out.");
  await until(() => ada.room("garden").locator(".unread").count(), 1, "the unread count");
  await grace.room("tea room").click();
  await ada.say("Shall we do it at the board?");
  await joan.drawer("rooms");
  await joan.page.getByRole("combobox", { name: "Your status" }).selectOption("away");
  await joan.page.keyboard.press("Escape");
  await ada.people.locator("li[data-status=away]").waitFor();
  const board = await ada.board.boundingBox();
  const wave = async (from) => from.page.mouse.move(board.x + board.width * (0.4 + Math.random() / 50), board.y + board.height * 0.55);
  await mary.composer.pressSequentially("At ten");
  const taken = [
    [ada, grace, "app-light"],
    [grace, ada, "app-dark"],
  ];
  for (const [one, other, name] of taken) {
    await until(async () => (await wave(other), one.board.locator(".cursor[data-user]").count()), (n) => n > 0, "a cursor");
    await one.picture(name);
  }
  await joan.picture("app-phone-light");
  await mary.picture("app-phone-dark");
  await mary.drawer("people");
  await mary.people.waitFor();
  await mary.picture("app-phone-people");
});

/** A picture, made by the browser. */
async function drawn(page) {
  const url = await page.evaluate(() => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [420, 180];
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#f6f1e7";
    pen.fillRect(0, 0, 420, 180);
    pen.strokeStyle = "#2d6a58";
    pen.lineWidth = 3;
    for (const [x, y, r, teeth] of [[120, 95, 48, 16], [205, 70, 30, 10], [290, 105, 52, 18]]) {
      pen.beginPath();
      for (let i = 0; i <= teeth * 4; i++) {
        const a = (i / (teeth * 4)) * 2 * Math.PI;
        const d = i % 4 < 2 ? r : r - 8;
        pen.lineTo(x + d * Math.cos(a), y + d * Math.sin(a));
      }
      pen.stroke();
      pen.beginPath();
      pen.arc(x, y, r / 4, 0, 2 * Math.PI);
      pen.stroke();
    }
    return canvas.toDataURL("image/png");
  });
  return Buffer.from(url.split(",")[1], "base64");
}
