/** Global setup: what all tests need. The build is a process of its own, which works while the server is made. */
import { ensureDist } from './dist.ts';
import { providePostgres } from './postgres.ts';

export default async function setup(): Promise<() => Promise<void>> {
  const [built, provided] = await Promise.allSettled([ensureDist(), providePostgres()]);
  if (provided.status === 'rejected') throw provided.reason;
  if (built.status === 'fulfilled') return provided.value;
  await provided.value();
  throw built.reason;
}
