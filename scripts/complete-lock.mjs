// A registry mirror may lack packages of foreign platforms. npm then leaves them out of package-lock.json without a word,
// and `npm ci` refuses the lock as incomplete. This adds the missing optional packages, in the versions that their parents
// name. Run it after `npm install` changed the lock: `npm run lock`.
import { readFileSync, writeFileSync } from 'node:fs';

const OS = /[-/](android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|aix|win32)(?:-|$)/;
const CPU = /-(arm64|arm|x64|ia32|ppc64|ppc64le|riscv64|s390x|loong64|mips64el|wasm32)(?:-|$)/;
const EXACT = /^\d+\.\d+\.\d+(?:-[\w.-]+)?$/;

const file = process.argv[2] ?? 'package-lock.json';
const lock = JSON.parse(readFileSync(file, 'utf8'));
const { packages } = lock;
let added = 0;

/** The node_modules folders in which Node looks for what the package at `path` imports, nearest first. */
function foldersOf(path) {
  const parts = path === '' ? [] : path.split(/(?:^|\/)node_modules\//).slice(1);
  const folders = [];
  for (let depth = parts.length; depth >= 0; depth--) {
    folders.push(
      `${parts
        .slice(0, depth)
        .map((part) => `node_modules/${part}/`)
        .join('')}node_modules`,
    );
  }
  return folders;
}

// Outer packages first: the top folder is theirs.
const parents = Object.entries(packages).sort(([a], [b]) => foldersOf(a).length - foldersOf(b).length);
for (const [path, parent] of parents) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const os = OS.exec(name)?.[1];
    const cpu = CPU.exec(name)?.[1];
    if (!EXACT.test(version) || !(os || cpu)) continue;
    const folders = foldersOf(path);
    const found = folders.find((folder) => packages[`${folder}/${name}`]);
    if (found && packages[`${found}/${name}`].version === version) continue;
    // The top if that is free, else within the parent.
    const folder = found ? folders[0] : folders.at(-1);
    packages[`${folder}/${name}`] = {
      version,
      ...(cpu ? { cpu: [cpu] } : {}),
      ...(parent.dev ? { dev: true } : {}),
      optional: true,
      ...(os ? { os: [os] } : {}),
    };
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en')));
if (added > 0) writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`${file}: ${added} packages of other platforms added\n`);
