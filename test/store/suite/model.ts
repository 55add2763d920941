import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Context } from '../suite.ts';
import {
  applyToModel,
  applyToStore,
  emptyModel,
  loneOperation,
  operation,
  resolve,
  stateOfModel,
  stateOfStore,
} from '../support/model.ts';

const group = fc.oneof(
  { arbitrary: fc.array(operation, { minLength: 1, maxLength: 12 }), weight: 6 },
  { arbitrary: loneOperation.map((one) => [one]), weight: 2 },
);

export function modelTests(context: Context): void {
  test('groups of operations do what the same operations do one after the other in a simple model', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(group, { maxLength: 10 }), async (groups) => {
        const store = await context.openFresh();
        const model = emptyModel();
        for (const owner of ['a', 'b']) await store.registerOwner(owner, 1_000_000);
        for (const operations of groups) {
          const expected: unknown[] = [];
          const handedIn: Promise<unknown>[] = [];
          // All within one turn, so in one commit.
          for (const relative of operations) {
            const absolute = resolve(model, relative);
            expected.push(applyToModel(model, absolute));
            handedIn.push(applyToStore(store, absolute));
          }
          expect(await Promise.all(handedIn)).toEqual(expected);
        }
        expect(await stateOfStore(store)).toEqual(stateOfModel(model));
        await store.close();
      }),
      { numRuns: 100 },
    );
  });
}
