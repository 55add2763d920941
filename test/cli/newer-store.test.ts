/** A newer pawl migrates the store while `pawl run` works: it stops, so that its runs can be taken over. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadSqlite } from '../../src/store/sqlite/driver.ts';
import { CLI, spawnCli } from '../support/cli.ts';

const MAIN = `import { existsSync, writeFileSync } from 'node:fs';

async function wait() {
  'use step';
  writeFileSync('began', '');
  while (!existsSync('go')) await new Promise((resolve) => setTimeout(resolve, 10));
  return 1;
}

export async function waiting() {
  'use workflow';
  return await wait();
}
`;

const root = mkdtempSync(join(tmpdir(), 'pawl-newer-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test('a store that a newer pawl has taken ends the command at once, with a true remedy', async () => {
  mkdirSync(join(root, 'src'));
  writeFileSync(join(root, 'src/main.ts'), MAIN);
  expect(await spawnCli(['build'], { cwd: root })).toMatchObject({ code: 0 });
  const began = new Promise<void>((resolve) => {
    const watcher = watch(root, () => {
      if (!existsSync(join(root, 'began'))) return;
      watcher.close();
      resolve();
    });
  });
  const child = spawn(process.execPath, [CLI, 'run', 'waiting'], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  await began;
  const Database = await loadSqlite();
  const db = new Database(join(root, '.pawl/pawl.db'));
  db.exec('ALTER TABLE events RENAME TO events_3; PRAGMA user_version = 99');
  db.close();
  writeFileSync(join(root, 'go'), '');
  expect(await ended).toBe(2);
  expect(stderr).toMatch(
    /^error PAWL_STORE_NEWER: The store has schema version 99; .*\n {2}at .*pawl\.db\n {2}Update pawl/,
  );
  expect(stderr).not.toMatch(/store is damaged|backup|trying again/);
});
