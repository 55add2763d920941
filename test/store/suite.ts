/**
 * The shared store suite: what every store must do, whatever it stands on. A store is tested by one file with one line:
 *
 *     storeSuite('SQLite in memory', () => ({ url: 'sqlite::memory:' }));
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import type { EventStore, StoreOptions } from '../../src/store/port.ts';
import { appendTests } from './suite/append.ts';
import { bundleTests } from './suite/bundles.ts';
import { childTests } from './suite/children.ts';
import { claimTests } from './suite/claim.ts';
import { groupTests } from './suite/group.ts';
import { messageTests } from './suite/messages.ts';
import { modelTests } from './suite/model.ts';
import { offerTests } from './suite/offers.ts';
import { runTests } from './suite/runs.ts';
import { streamTests } from './suite/streams.ts';
import { subscribeTests } from './suite/subscribe.ts';

/** A place for one store. */
export interface Place {
  url: string;
  /** False when a second store object cannot see it (in memory). */
  shared: boolean;
  /** Whether listeners hear `external` once when the store begins to listen to other processes. */
  beginsToListen?: boolean;
}

/** What the tests of the suite get. */
export interface Context {
  /** The store of this test, empty at its start. */
  readonly store: EventStore;
  /** See `Place`. */
  readonly beginsToListen: boolean;
  /** Lets the store's clock, by which leases are measured, go on. */
  tick(ms: number): void;
  /** A second object on the same place, as another process would have; null where there can be none. */
  openAgain(options?: StoreOptions): Promise<EventStore> | null;
  /** A fresh store on a place of its own. */
  openFresh(options?: StoreOptions): Promise<EventStore>;
}

export function storeSuite(name: string, makePlace: () => Place): void {
  describe(name, () => {
    let place: Place;
    let opened: EventStore[] = [];
    let time = 0;
    const clock = () => time;

    async function open(at: Place, options: StoreOptions = {}): Promise<EventStore> {
      const store = await openStore(at.url, { clock, watchInterval: 1, ...options });
      opened.push(store);
      return store;
    }

    beforeEach(async () => {
      time = 1_000_000;
      place = makePlace();
      await open(place);
    });
    afterEach(async () => {
      await Promise.all(opened.map((store) => store.close()));
      opened = [];
    });

    const context: Context = {
      get store() {
        return opened[0] as EventStore;
      },
      get beginsToListen() {
        return place.beginsToListen === true;
      },
      tick: (ms) => {
        time += ms;
      },
      openAgain: (options) => (place.shared ? open(place, options) : null),
      openFresh: (options) => open(makePlace(), options),
    };

    test('knows its URL', () => expect(context.store.url).toBe(place.url));
    runTests(context);
    appendTests(context);
    groupTests(context);
    claimTests(context);
    messageTests(context);
    childTests(context);
    bundleTests(context);
    streamTests(context);
    subscribeTests(context);
    modelTests(context);
    offerTests(context);
  });
}
