import { defineConfig } from "vite";

// `server` is for work on the page: `npx vite` beside a running server.
const api = process.env["GPUMON_URL"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    outDir: process.env["GPUMON_WEB_OUT"] ?? "dist",
    emptyOutDir: true,
    // What is inlined a strict Content-Security-Policy refuses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": api, "/health": api, "/livez": api, "/readyz": api } },
});
