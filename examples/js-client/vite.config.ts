import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The server that `npm run dev` and `npm run preview` stand in front of, so that the page and the
// socket have one origin, as they have in production.
const server = process.env.PARLOR_URL ?? "http://localhost:3000";
const proxy = { "/socket.io": { target: server, ws: true } };

export default defineConfig({
  plugins: [react()],
  server: { proxy },
  preview: { proxy },
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
