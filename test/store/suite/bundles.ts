import { expect, test } from 'vitest';
import type { Context } from '../suite.ts';

export function bundleTests(context: Context): void {
  test('a bundle is kept by its hash, as it was first given', async () => {
    const { store } = context;
    expect(await store.getBundle('sha256-a')).toBeNull();
    const code = `(function (__pawl) { "\0${'ü'.repeat(50_000)}" })`;
    await store.putBundle('sha256-a', { code, map: '{"version":3}', manifest: '{"ü":"\\0"}' });
    await Promise.all([
      store.putBundle('sha256-a', { code: 'other', map: null, manifest: 'other' }),
      store.putBundle('sha256-b', { code: 'b', map: null, manifest: null }),
      store.putBundle('sha256-b', { code: 'b', map: null, manifest: null }),
    ]);
    expect(await store.getBundle('sha256-a')).toEqual({
      code,
      map: '{"version":3}',
      manifest: '{"ü":"\\0"}',
    });
    expect(await store.getBundle('sha256-b')).toEqual({ code: 'b', map: null, manifest: null });
    await store.putBundle('sha256-b', { code: 'other', map: 'other', manifest: 'known now' });
    await store.putBundle('sha256-b', { code: 'other', map: 'other', manifest: 'another' });
    expect(await store.getBundle('sha256-b')).toEqual({ code: 'b', map: null, manifest: 'known now' });
  });
}
