import { defineConfig } from "vite";

// The built files are committed. Their names carry a hash of their content, so they may be cached for ever, and
// web/look.py finds them through the manifest. Nothing in here may depend on the time or the machine.
export default defineConfig({
  base: "./",
  publicDir: false,
  css: {
    preprocessorOptions: { scss: { quietDeps: true } },
    lightningcss: { errorRecovery: true }, // GOV.UK Frontend keeps a media query that only Internet Explorer understood
  },
  build: {
    outDir: process.env.DIST ?? "../static/dist",
    emptyOutDir: true,
    manifest: "manifest.json",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // the content security policy has no data: for fonts
    rollupOptions: {
      input: { app: "src/app.js", viewer: "src/viewer.js" },
      output: {
        entryFileNames: "[name].[hash].js",
        chunkFileNames: "[name].[hash].js",
        assetFileNames: "[name].[hash][extname]",
      },
    },
  },
});
