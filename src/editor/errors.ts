import { VERSION } from '../version.ts';

/**
 * What an editor's log gets of an error: code, message, place and remedy, and no stack trace.
 *
 * @param error - anything that was thrown
 */
export function describeError(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string' && /^PAWL/.test(error.code)) {
    const { code, message, place, remedy } = error as Error & { code: string; place?: string; remedy?: string };
    return [`${code}: ${message}`, place && `at ${place}`, remedy].filter(Boolean).join('\n');
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return [
    `PAWL_INTERNAL: ${message}`,
    `This is a defect of pawl ${VERSION} (Node ${process.versions.node}), not of your program.`,
    'Please report it; with PAWL_DEBUG=1 in the environment of the editor the log has more.',
    ...(process.env.PAWL_DEBUG && error instanceof Error ? [error.stack ?? ''] : []),
  ].join('\n');
}
