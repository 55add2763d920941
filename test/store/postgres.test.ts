import { storeSuite } from './suite.ts';
import { postgresUrl } from './support/postgres.ts';

storeSuite('PostgreSQL', () => ({ url: postgresUrl(), shared: true, beginsToListen: true }));
