// src/ -> the page in the Python package (or in a folder that is named). The same source gives the same bytes.
import { build } from 'esbuild';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const out = process.argv[2] ?? '../../src/latentspace/explorer/static';
mkdirSync(out, { recursive: true });
const common = { bundle: true, minify: true, format: 'iife', target: 'es2022', charset: 'utf8', legalComments: 'none', logLevel: 'warning' };
await build({ ...common, entryPoints: ['src/main.ts'], outfile: `${out}/explorer.js` });
await build({
  ...common, entryPoints: ['src/worker.ts'], outfile: `${out}/worker.js`, define: { 'import.meta.url': 'self.location.href' },
});
await build({ entryPoints: ['explorer.css'], outfile: `${out}/explorer.css`, minify: true, charset: 'utf8' });
writeFileSync(`${out}/index.html`, readFileSync('index.html'));
writeFileSync(`${out}/runtime.wasm.gz`, gzipSync(readFileSync('node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm'), { level: 9 }));
