import { defineConfig } from "vite";

// Paths are relative, so that the page works in any folder of any server.
export default defineConfig({
  base: "./",
  build: { outDir: "../src/elman/page", emptyOutDir: true, target: "es2022", modulePreload: false, assetsInlineLimit: 0 },
  worker: { format: "es" },
});
