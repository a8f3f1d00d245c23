// A picture, another file, and one that is too large.
import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { assert, given, Person, test, until } from "./app_page.mjs";

// The smallest red dot.
const DOT = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==", "base64");

await test(async (browser) => {
  const ada = await Person.join(browser, "Ada", "files");
  const grace = await Person.join(browser, "Grace", "files");
  const attach = (file) => ada.page.getByLabel("Attach a file").setInputFiles(file);

  await attach({ name: "dot.png", mimeType: "image/png", buffer: DOT });
  const picture = grace.log.getByRole("img", { name: "dot.png" });
  await picture.waitFor();
  await until(() => picture.evaluate((img) => img.complete && img.naturalWidth), 1, "the picture's width");

  const bytes = randomBytes(100_000);
  await attach({ name: "notes <b>.bin", mimeType: "application/octet-stream", buffer: bytes });
  const link = grace.log.getByRole("link", { name: /notes <b>\.bin/ });
  await link.waitFor();
  const [download] = await Promise.all([grace.page.waitForEvent("download"), link.click()]);
  const got = await readFile(await download.path());
  assert.equal(sha(got), sha(bytes), "the file that arrived");
  assert.match(download.suggestedFilename(), /notes.*\.bin/);

  // A file that could run as a page of this origin does not.
  await attach({ name: "page.svg", mimeType: "image/svg+xml", buffer: Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg"><script>top.document.title="no"</script></svg>`) });
  await until(() => grace.log.getByText("page.svg").or(grace.log.getByAltText("page.svg")).count(), (n) => n > 0, "the svg");

  // Over the limit, and well over it: said before anything is sent.
  const articles = await grace.messages.count();
  const sent = [];
  ada.sockets[0]?.on("framesent", ({ payload }) => sent.push(payload.length));
  for (const size of [given.limit + 1, 4 << 20]) {
    await attach({ name: `large-${size}.bin`, mimeType: "application/octet-stream", buffer: Buffer.alloc(size) });
    await ada.page.getByText(/too (large|big)|at most|larger than/i).first().waitFor();
  }
  assert.ok(sent.every((n) => n < given.limit), `sent ${sent}`);

  // The exact limit passes.
  await attach({ name: "exact.bin", mimeType: "application/octet-stream", buffer: Buffer.alloc(given.limit) });
  await grace.log.getByRole("link", { name: /exact\.bin/ }).waitFor();
  assert.equal(await grace.messages.count(), articles + 1);
});

function sha(data) {
  return createHash("sha256").update(data).digest("hex");
}
