import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The address of the API in `npm run dev`; the portal itself serves the built app. */
const api = process.env['API_URL'] ?? 'http://127.0.0.1:3001';

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: { outDir: 'dist', emptyOutDir: true, sourcemap: false, target: 'es2023', assetsInlineLimit: 0 },
  server: { proxy: { '/api': { target: api, changeOrigin: false }, '/auth': { target: api, changeOrigin: false } } },
});
