// Runs a TypeScript file on Nodes without type stripping: `node scripts/run-ts.mjs FILE [arguments]`.
// The file and what it imports by relative path are bundled; packages, `pawl` itself too, are resolved as a user's would be.
import { mkdirSync, rmSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'rolldown';

const [file, ...rest] = process.argv.slice(2);
if (!file) {
  process.stderr.write('usage: node scripts/run-ts.mjs FILE [arguments]\n');
  process.exit(2);
}
// Inside the package, so that `import 'pawl'` finds the package itself.
const directory = fileURLToPath(new URL('../.cache/run-ts/', import.meta.url));
mkdirSync(directory, { recursive: true });
const output = resolve(directory, basename(file).replace(/\.[mc]?ts$/, `.${process.pid}.mjs`));
const source = resolve(file);
await build({
  input: source,
  platform: 'node',
  tsconfig: false,
  logLevel: 'warn',
  external: /^[^./\0]/,
  // The code keeps its own idea of where it stands.
  transform: { define: { 'import.meta.url': JSON.stringify(pathToFileURL(source).href) } },
  output: { file: output, format: 'esm', codeSplitting: false, sourcemap: 'inline' },
});
process.argv.splice(1, process.argv.length - 1, source, ...rest);
process.on('exit', () => rmSync(output, { force: true }));
process.setSourceMapsEnabled(true);
await import(pathToFileURL(output).href);
