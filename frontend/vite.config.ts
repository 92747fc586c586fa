import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

declare const process: { env: Record<string, string | undefined> };

const backend = process.env.TRAINYARD_URL ?? 'http://127.0.0.1:8000';
// for looking at a page as the administrator without signing in: TRAINYARD_TOKEN
const token = process.env.TRAINYARD_TOKEN;

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { '~': new URL('./src', import.meta.url).pathname } },
  build: {
    // inside the package: the wheel carries it, and nobody needs node to run it
    outDir: process.env.PAGE_OUT ?? '../src/trainyard/page',
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    license: { fileName: 'licenses.md' },
  },
  server: {
    port: 3000,
    proxy: {
      '/v1': {
        target: backend,
        changeOrigin: true,
        headers: { Origin: backend, ...(token && { Authorization: `Bearer ${token}` }) },
      },
    },
  },
  worker: { format: 'es' },
});
