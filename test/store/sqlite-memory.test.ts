import { expect, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import type { CrashPoint } from '../../src/store/port.ts';
import { storeSuite } from './suite.ts';
import { makeOwnedRun, request, scheduled } from './support/make.ts';

storeSuite('SQLite in memory', () => ({ url: 'sqlite::memory:', shared: false }));

test('a flush commits at once, without waiting for the end of the turn', async () => {
  const points: CrashPoint[] = [];
  const store = await openStore('sqlite::memory:', { crashPoint: (point) => points.push(point) });
  await makeOwnedRun(store, 'r1');
  points.length = 0;
  const appended = store.append(request('r1', [scheduled(0)]));
  store.flush?.();
  expect(points).toEqual(['before-begin', 'before-commit', 'after-commit']);
  expect(await appended).toEqual({ ok: true, lastSeq: 2 });
  await store.close();
});
