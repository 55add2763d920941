/** How streams are opened that arrive in a step or in an app. */
import { PawlError } from '../errors.ts';
import { ERROR_BRAND } from './errors.ts';
import type { StreamAccess } from './serialization/stream-host.ts';
import { currentStep } from './step-context.ts';
import { markStream, type StreamAddress } from './stream-address.ts';
import { readableOf, type StreamSource } from './stream-reader.ts';

export function streamAccess(source: () => StreamSource): StreamAccess {
  return {
    readable(address) {
      const context = currentStep();
      return readableOf(source, address, context && (() => context.step.signal));
    },
    writable: (address) => currentStep()?.writable(address) ?? notWritable(address),
  };
}

/** For those who get one and are no step: they may pass it on. */
function notWritable(address: StreamAddress): WritableStream {
  return markStream(
    new WritableStream({ start: (controller) => controller.error(onlyInStep('Writing to a stream of a run')) }),
    address,
  );
}

function onlyInStep(what: string): PawlError {
  const error = new PawlError('PAWL_ONLY_IN_STEP', `${what} works while a step runs.`, {
    remedy: 'Do it, and await it, in the step itself or in what it calls.',
  });
  return Object.defineProperty(error, ERROR_BRAND, { value: 'fatal' });
}
