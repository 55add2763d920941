import picocolors from 'picocolors';

export type Colors = ReturnType<typeof picocolors.createColors>;

/** Colour functions that colour only when asked: the caller decides, not the environment. */
export function createColors(enabled: boolean): Colors {
  return picocolors.createColors(enabled);
}
