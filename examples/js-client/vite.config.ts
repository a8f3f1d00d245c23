import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The server that `npm run dev` and `npm run preview` stand in front of, so that the page and the
// socket have one origin, as they have in production.
const server = process.env.PARLOR_URL ?? "http://localhost:3000";
const proxy = { "/socket.io": { target: server, ws: true } };

export default defineConfig({
  plugins: [react()],
  server: { proxy },
  // As strict as the server is with the page in production: nothing inline, nothing from elsewhere.
  preview: {
    proxy,
    headers: {
      "Content-Security-Policy":
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob: data:; " +
        "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    },
  },
  build: {
    target: "es2022",
    // A page under a strict Content-Security-Policy has nothing inline, data: URLs included.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: {
    include: ["src/**/*.test.{ts,tsx}"],
    restoreMocks: true,
  },
});
