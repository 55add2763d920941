/** A schema of its own in the tests' PostgreSQL, which goes with the test file's process. */
let made = 0;

export function postgresUrl(): string {
  const url = process.env.PAWL_TEST_POSTGRES;
  if (!url) throw new Error('The global setup made no PostgreSQL.');
  made++;
  return `${url}&schema=t${process.pid}_${made}`;
}
