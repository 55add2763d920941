import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { VERSION as PAWL } from '../version.ts';

/** Files of a cache: a line of version and checksum, and JSON. Only ever a hint: one that is not as it should be is as good as none. */

/** Changes with the code that makes facts: a new version of pawl, or a build of it by those who work on it. */
const VERSION = versionOf(fileURLToPath(import.meta.url));

export function readCache<Value>(path: string): Map<string, Value> {
  try {
    const text = readFileSync(path, 'utf8');
    const end = text.indexOf('\n');
    const body = text.slice(end + 1);
    if (text.slice(0, end) !== headOf(body)) return new Map();
    return new Map(Object.entries(JSON.parse(body) as Record<string, Value>));
  } catch {
    return new Map();
  }
}

export function writeCache(path: string, files: Record<string, unknown>): void {
  const body = JSON.stringify(files);
  const temporary = `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    // Another process may read or write it at this moment.
    writeFileSync(temporary, `${headOf(body)}\n${body}`);
    renameSync(temporary, path);
  } catch {
    try {
      rmSync(temporary, { force: true });
    } catch {
      // Where nothing could be written, nothing is left to remove.
    }
  }
}

function headOf(body: string): string {
  return `pawl cache ${VERSION} ${crc32(body)}`;
}

function versionOf(path: string): string {
  try {
    // Of pawl's own sources, which its tests run, every one counts. What they are bundled to is written at one time; all that is
    // published bears the same date, and the names of the files tell what is in them.
    const isSource = path.endsWith('.ts');
    const folder = dirname(isSource ? dirname(path) : path);
    const names = readdirSync(folder, { recursive: isSource, encoding: 'utf8' }).sort();
    const dated = isSource ? names.filter((name) => name.endsWith('.ts')).map((name) => join(folder, name)) : [path];
    const marks = dated.map((file) => `${statSync(file).mtimeMs} ${statSync(file).size}`);
    return `${PAWL} ${crc32([...names, ...marks].join('\n')).toString(36)}`;
  } catch {
    return String(Date.now());
  }
}
