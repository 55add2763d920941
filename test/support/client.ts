import { resolve } from 'node:path';
import { rolldown } from 'rolldown';
import { compile } from '../../src/compiler/index.ts';

/** What `src/main.ts` exports, all modules compiled for an app. */
export async function loadClient(sources: Record<string, string>): Promise<Record<string, unknown>> {
  const build = await rolldown({
    input: 'src/main.ts',
    platform: 'node',
    plugins: [
      {
        name: 'client',
        resolveId(id, importer) {
          if (id === 'pawl/internal/client') return resolve('src/internal/client.ts');
          return importer === undefined || importer.startsWith('src/') ? `src/${id.replace(/^.*\//, '')}` : null;
        },
        load(id) {
          const source = sources[id];
          return source === undefined
            ? null
            : (compile(source, { filename: id, targets: ['client'] }).outputs.client?.code ?? null);
        },
      },
    ],
  });
  const { output } = await build.generate({ format: 'esm', codeSplitting: false });
  await build.close();
  return import(`data:text/javascript,${encodeURIComponent(output[0].code)}`);
}
