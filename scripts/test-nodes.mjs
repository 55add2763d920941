// Runs the tests of the runtime and the stores on other versions of Node: `npm run test:nodes`, or `npm run test:nodes -- 24 test/sim`.
// They come as npm packages, `node-PLATFORM-ARCH`, into `.cache`; what is there is not fetched again.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const words = process.argv.slice(2);
const versions = words.filter((word) => /^\d+(?:\.\d+)*$/.test(word));
const filters = words.filter((word) => !versions.includes(word));
const platform = process.platform === 'win32' ? 'win' : process.platform;
const name = `node-${platform}-${process.arch}`;

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  return status ?? 1;
}

let failed = 0;
for (const version of versions.length > 0 ? versions : ['22', '24']) {
  const folder = join(root, '.cache', `node-${version}`);
  const binary = join(folder, 'node_modules', name, 'bin', platform === 'win' ? 'node.exe' : 'node');
  if (!existsSync(binary)) {
    const install = ['install', '--silent', '--no-save', '--ignore-scripts', '--prefix', folder, `${name}@${version}`];
    if (run('npm', install) !== 0) throw new Error(`${name}@${version} cannot be installed.`);
  }
  process.stdout.write(`\nNode ${version}\n`);
  const tests =
    filters.length > 0
      ? filters
      : ['test/runtime', 'test/agents', 'test/store', 'test/sim', 'test/testing', 'test/compile/forms'];
  failed += run(binary, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...tests]) === 0 ? 0 : 1;
}
process.exitCode = failed === 0 ? 0 : 1;
