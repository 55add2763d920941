/** The store: where runs are kept. */
export { STORE_ERRORS, StoreError, type StoreErrorCode } from './errors.ts';
export { openStore } from './open.ts';
export type { EventStore, StoreOptions } from './port.ts';
