import { storeSuite } from './suite.ts';

storeSuite('SQLite in memory', () => ({ url: 'sqlite::memory:', shared: false }));
