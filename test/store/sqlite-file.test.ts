import { join } from 'node:path';
import { storeSuite } from './suite.ts';
import { temporaryDirectory } from './support/temporary.ts';

storeSuite('SQLite in a file', () => ({ url: `sqlite:${join(temporaryDirectory(), 'pawl.db')}`, shared: true }));
