import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { isGone, ownIdentity } from '../../src/store/process-identity.ts';

const self = ownIdentity();

test('this process lives', () => {
  expect(self.pid).toBe(process.pid);
  expect(isGone(self)).toBe(false);
});

test('a process is gone when it has ended', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const other = { ...self, pid: child.pid as number, started: '' };
  expect(isGone(other)).toBe(false);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(isGone(other)).toBe(true);
});

test.runIf(process.platform === 'linux')(
  'a pid that was given to another process does not hide that the first is gone',
  () => {
    expect(isGone({ ...self, pid: process.ppid, started: '1' }, self)).toBe(true);
  },
);

test('nothing survives a restart of the host', () => {
  expect(isGone({ ...self, pid: 1, boot: 'an earlier one' }, { ...self, boot: 'this one' })).toBe(true);
});

test('what cannot be compared is not guessed', () => {
  const dead = { ...self, pid: 2 ** 30, started: '1' };
  expect(isGone(dead)).toBe(true);
  expect(isGone({ ...dead, host: 'another' })).toBe(false);
  expect(isGone({ ...dead, space: 'another' })).toBe(false);
  expect(isGone({ ...dead, boot: '' }, { ...self, boot: 'x' })).toBe(false);
});
