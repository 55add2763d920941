import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const BUILD = `import { build } from 'esbuild';
import pawl from 'pawl/esbuild';
await build({
  entryPoints: ['server.ts'], outfile: 'out/server.mjs', bundle: true, platform: 'node', format: 'esm', packages: 'external',
  logLevel: 'error', plugins: [pawl()],
});
`;

/**
 * Bundles a server of a project as its people would, with esbuild and the plugin, and runs it to its end.
 *
 * @param server text of `server.ts` in the project
 * @returns what it prints
 */
export async function runServer(root: string, server: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  writeFileSync(join(root, 'server.ts'), server);
  writeFileSync(join(root, 'build.mjs'), BUILD);
  await run(process.execPath, ['build.mjs'], { cwd: root });
  const { stdout } = await run(process.execPath, ['out/server.mjs'], { cwd: root, env: { ...process.env, ...env } });
  return stdout;
}
