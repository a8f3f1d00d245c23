import { expect, test } from "vitest";
import { linkify } from "./linkify";

const links = (text: string) => linkify(text).flatMap((part) => part.href ?? []);

test("nothing is lost", () => {
  const text = "see https://a.example/x, (http://b.example/y) and\nhttps://c.example.";
  expect(linkify(text).map((part) => part.text).join("")).toBe(text);
});

test("what ends the sentence is not part of the link", () => {
  expect(links("https://a.example/x. Really? https://b.example/?q=1!")).toEqual(["https://a.example/x", "https://b.example/?q=1"]);
  expect(links("(see https://a.example/x) https://a.example/x_(y)")).toEqual(["https://a.example/x", "https://a.example/x_(y)"]);
});

test.each([
  "javascript:alert(1)",
  "data:text/html,<script>alert(1)</script>",
  "ftp://a.example/",
  "//a.example/",
  "https://",
  "http://:",
  "vbscript:https",
  "",
])("%j has no link", (text) => {
  expect(links(text)).toEqual([]);
});

test("a link ends where markup could begin", () => {
  expect(links('https://a.example/"onmouseover="alert(1)')).toEqual(["https://a.example/"]);
  expect(links("https://a.example/<b>")).toEqual(["https://a.example/"]);
});
